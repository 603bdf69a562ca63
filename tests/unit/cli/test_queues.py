"""`queues pause` and `queues resume`: who sees what, and what is refused."""

import pytest

from cli.terminal.errors import ExitCode
from tests.support.fakes import World
from tests.support.shell import Shell

QUEUE = "replication-jobs"


def test_a_paused_queue_is_shown_with_who_and_why(world: World, shell: Shell) -> None:
    answer = shell("queues", "pause", QUEUE, "--reason", "an incident in eastus")
    assert answer.code == 0
    since = f"{world.clock():%Y-%m-%d %H:%M:%S} UTC"
    said = f"{QUEUE} is paused since {since} by the command line: an incident in eastus"
    assert answer.out.splitlines() == [said]
    shown = shell("queues").out.splitlines()
    assert shown[1].split()[-1] == "yes"
    assert shown[-1].endswith("by the command line: an incident in eastus")


def test_resuming_ends_it(world: World, shell: Shell) -> None:
    shell("queues", "pause", QUEUE)
    answer = shell("queues", "resume", QUEUE.upper(), "--json")
    assert answer.json == {
        "name": QUEUE,
        "paused": False,
        "done": True,
        "reason": f"{QUEUE} is resumed by the command line",
    }
    assert world.app.pauses.why() is None


def test_doing_it_twice_says_so_and_is_no_mistake(shell: Shell) -> None:
    shell("queues", "pause", QUEUE, "--reason", "the first")
    again = shell("queues", "pause", QUEUE, "--reason", "the second", "--json")
    assert (again.code, again.json["paused"], again.json["done"]) == (0, True, False)
    assert "the first" in again.json["reason"]
    shell("queues", "resume", QUEUE)
    assert shell("queues", "resume", QUEUE).out == f"{QUEUE} is not paused\n"


@pytest.mark.parametrize("name", ["jobs", "", "x" * 300, "replication-jobs-poison"])
def test_an_unknown_queue_is_named_with_those_there_are(shell: Shell, name: str) -> None:
    answer = shell("queues", "pause", name)
    assert answer.code == ExitCode.NOT_FOUND
    assert "there are replication-jobs, replication-tracking, replication-events" in " ".join(
        answer.err.split()
    )


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 301, "\x1b[31m"])
def test_a_reason_that_cannot_be_shown_is_refused(world: World, shell: Shell, reason: str) -> None:
    answer = shell("queues", "pause", QUEUE, "--reason", reason)
    assert answer.code == ExitCode.WRONG_USAGE
    assert "--reason is a text of 1 to 300 printable characters" in " ".join(answer.err.split())
    assert world.app.pauses.why() is None
