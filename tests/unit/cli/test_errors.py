"""Errors become one sentence and an exit code."""

import pytest

from bootstrap.app import App
from cli.terminal.output import printable
from tests.support.shell import Shell


def test_a_mistake_of_ours_is_told_without_a_traceback(closed_shell: Shell) -> None:
    def open_app() -> App:
        raise KeyError("oops")

    closed_shell.open_app = open_app
    answer = closed_shell("queues")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("Error: unexpected KeyError: 'oops'")
    assert "Traceback" not in answer.err


def test_debug_shows_where_it_happened(closed_shell: Shell) -> None:
    answer = closed_shell("--debug", "queues")
    assert answer.code == 1
    assert "Traceback" in answer.err


@pytest.mark.parametrize(
    "args", [["cancel", "x"], ["plan"], ["queues", "--loud"], ["policy", "lint"], []]
)
def test_unknown_commands_options_and_missing_arguments_are_wrong_usage(
    closed_shell: Shell, args: list[str]
) -> None:
    assert closed_shell(*args).code == 2


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert printable("a\x1b[31mb\rc\nd [red] é") == r"a\x1b[31mb\rc d [red] é"


def test_the_version_is_printed(closed_shell: Shell) -> None:
    assert closed_shell("--version").out.startswith("gallery-replicator ")
