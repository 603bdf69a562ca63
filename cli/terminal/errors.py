"""Exit codes, and how an error becomes one sentence on standard error."""

import sys
import traceback
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.terminal.output import printable
from replication.domain.errors import FailureCode, GalleryReplicatorError, PermanentError

_ADDRESS = ("--url", "--scope")


class ExitCode(IntEnum):
    """What the shell gets; part of the contract with scripts."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4


class CommandError(GalleryReplicatorError):
    """A command that cannot be carried out, with the exit code that says so."""

    def __init__(self, message: str, *, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageProblem(CommandError):  # noqa: N818 - the field's word is usage, not error
    """An argument that cannot be meant."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=ExitCode.WRONG_USAGE)


class NotFoundError(CommandError):
    """What was asked about does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=ExitCode.NOT_FOUND)


class NotAllowedError(CommandError):
    """The policy, or Azure, forbids it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=ExitCode.NOT_ALLOWED)


class ReportingGroup(TyperGroup):
    """Prints the errors of all commands in one way, and takes the app's address anywhere."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, `--url` and `--scope` also where they follow the command."""
        return super().parse_args(ctx, _address_first(args))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error leaves as an exit code."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError, EOFError):
            raise  # Typer's own ways to end
        except Exception as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            for line in _sentence(error).splitlines():
                print(f"Error: {printable(line)}", file=sys.stderr)  # noqa: T201 - the command's voice
            raise typer.Exit(_exit_code(error)) from error


def _address_first(args: list[str]) -> list[str]:
    """Move the options that say which app is meant before the command; `--` ends the search."""
    end = args.index("--") if "--" in args else len(args)
    first: list[str] = []
    rest: list[str] = []
    place = 0
    while place < end:
        arg = args[place]
        # One without its value stays, and is told as wrong usage or completed by the shell.
        with_value = arg in _ADDRESS and place + 1 < end
        takes = 2 if with_value else 1
        moved = with_value or (arg.partition("=")[0] in _ADDRESS and "=" in arg)
        (first if moved else rest).extend(args[place : place + takes])
        place += takes
    return [*first, *rest, *args[end:]]


def _exit_code(error: Exception) -> ExitCode:
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, PermanentError) and error.code is FailureCode.NOT_AUTHORISED:
        return ExitCode.NOT_ALLOWED
    return ExitCode.FAILED


def _sentence(error: Exception) -> str:
    # The SDK's errors about a connection string are ValueErrors.
    if isinstance(error, (GalleryReplicatorError, ValueError)) and str(error):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        about = f" {error.filename}" if error.filename else ""
        return f"the system could not do it{about}: {error.strerror}"
    return (
        f"unexpected {type(error).__name__}: {error} "
        "(gallery-replicator --debug … shows where; please report it)"
    )
