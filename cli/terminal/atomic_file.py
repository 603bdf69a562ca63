"""Atomic file: written whole or not at all."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.terminal.errors import CommandError, ExitCode

_SHOWN_NAME = 200


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Yield an empty file beside `file`, which takes its place if all goes well.

    What is no ordinary file, such as a terminal, is yielded itself. Raises CommandError.
    """
    try:
        if file.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        is_device = file.exists() and not file.is_file()
        part = file if is_device else _part_of(file)
    except (OSError, ValueError) as error:  # a NUL in a name is a ValueError
        raise _unwritable(file, error) from error
    try:
        yield part
        if not is_device:
            part.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error
    finally:
        if not is_device:
            part.unlink(missing_ok=True)


def _part_of(file: Path) -> Path:
    part = file.with_name(f".{file.stem[:20]}-{secrets.token_hex(8)}{file.suffix}")
    part.touch(exist_ok=False)
    return part


def _unwritable(file: Path, error: OSError | ValueError) -> CommandError:
    why = error.strerror if isinstance(error, OSError) else error
    return CommandError(
        f"{str(file)[:_SHOWN_NAME]!r} cannot be written ({why})", exit_code=ExitCode.FAILED
    )
