"""Every command is documented, speaks JSON, and ends wrong usage as the contract says."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import cli
from cli.terminal.errors import ExitCode
from tests.support.documents import DOCS, table_rows
from tests.support.shell import Shell

ROOT: Any = typer.main.get_command(cli)
ROWS = list(table_rows(DOCS / "cli.md"))


def commands(command: Any = ROOT, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command; a group that does something by itself is one, too."""
    inner = getattr(command, "commands", {})
    if not inner or (path and command.invoke_without_command):
        yield path
    for name in inner:
        yield from commands(inner[name], *path, name)


def command_of(path: tuple[str, ...]) -> Any:
    command = ROOT
    for name in path:
        command = command.commands[name]
    return command


EVERY = pytest.mark.parametrize("path", list(commands()), ids=" ".join)


@EVERY
def test_a_command_stands_in_the_document(path: tuple[str, ...]) -> None:
    spans = [span for row in ROWS for span in re.findall(r"`([^`]+)`", row[0])]
    assert any(set(path) <= set(re.findall(r"[a-z-]+", span)) for span in spans)


@EVERY
def test_a_command_says_what_it_does_and_answers_in_json(path: tuple[str, ...]) -> None:
    command = command_of(path)
    assert command.help.splitlines()[0].endswith(".")
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


@EVERY
def test_an_option_that_it_has_not_is_wrong_usage(path: tuple[str, ...], shell: Shell) -> None:
    answer = shell(*path, "--no-such-option")
    assert (answer.code, answer.out) == (ExitCode.WRONG_USAGE, "")
    assert "--no-such-option" in answer.err


def test_the_document_names_the_exit_codes_that_there_are() -> None:
    assert {row[0] for row in ROWS if row[0].isdecimal()} == {str(int(code)) for code in ExitCode}
