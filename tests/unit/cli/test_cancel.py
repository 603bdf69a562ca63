"""`cancel` stops a replication, and takes out what it added only when told to."""

from datetime import timedelta

import pytest

from replication.domain.errors import FailureCode, PermanentError
from replication.domain.job import Phase
from replication.ports import LetterState
from tests.support.builders import version_body, version_id
from tests.support.fakes import World
from tests.support.letter_worlds import lay_job, states
from tests.support.shell import Shell

LEFT = "cancelled by the command line; Azure's list stays as it is"
REMOVED = "cancelled by the command line; what was added and is not Completed is to be removed"


def start(world: World) -> None:
    """Let a replication be under way: asked for, no copy completed."""
    world.gallery.add(version_id(), version_body(may_remove=True))
    world.app.intake.request(version_id(), trigger="a test", correlation_id="corr-1")
    world.run(until=world.clock() + timedelta(seconds=60))
    assert world.job(version_id()).phase is Phase.TRACKING


@pytest.mark.parametrize("asked", [str(version_id()).upper(), version_id().key.upper()])
def test_a_replication_is_cancelled_and_azures_list_stays(
    world: World, shell: Shell, asked: str
) -> None:
    start(world)
    listed = world.gallery.names(version_id())
    answer = shell("cancel", asked)
    assert (answer.code, answer.out, answer.err) == (0, f"{LEFT}\n", "")
    world.run()
    assert world.job(version_id()).phase is Phase.CANCELLED
    assert world.gallery.names(version_id()) == listed


def test_what_was_added_is_removed_when_told_to(world: World, shell: Shell) -> None:
    start(world)
    answer = shell("cancel", version_id().key, "--remove")
    told = f"see what came of the removal with: gallery-replicator status {version_id().key}"
    assert (answer.code, answer.out) == (0, f"{REMOVED}\n{told}\n")
    world.run()
    assert world.job(version_id()).phase is Phase.CANCELLED
    assert world.gallery.names(version_id()) == ["eastus"]


def test_a_cancelled_replication_as_json(world: World, shell: Shell) -> None:
    start(world)
    answer = shell("cancel", str(version_id()), "--json")
    assert (answer.code, answer.json) == (
        0,
        {"key": version_id().key, "done": True, "reason": LEFT},
    )


def test_its_dead_letter_needs_no_one_any_more(world: World, shell: Shell) -> None:
    letter = lay_job(world, version_id())
    assert shell("cancel", version_id().key).code == 0
    assert states(world) == {letter.id: LetterState.RESOLVED}


def test_what_has_ended_cannot_be_cancelled(world: World, shell: Shell) -> None:
    start(world)
    world.run()
    answer = shell("cancel", version_id().key)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "Error: not cancelled: it has ended already: succeeded\n"
    as_json = shell("cancel", version_id().key, "--json")
    assert (as_json.code, as_json.json) == (
        1,
        {
            "key": version_id().key,
            "done": False,
            "reason": "it has ended already: succeeded",
        },
    )


def test_cancelling_twice_says_so(world: World, shell: Shell) -> None:
    start(world)
    assert shell("cancel", version_id().key).code == 0
    answer = shell("cancel", version_id().key)
    assert (answer.code, answer.out) == (0, "it is cancelled already\n")


@pytest.mark.parametrize("asked", [version_id().key, str(version_id())])
def test_what_is_not_on_record_is_not_found(shell: Shell, asked: str) -> None:
    answer = shell("cancel", asked, "--json")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f"Error: no replication is on record for {asked}\n"


@pytest.mark.parametrize("args", [[], ["maths"], ["\x00" * 32], ["0" * 33]])
def test_what_cannot_be_meant_is_wrong_usage(closed_shell: Shell, args: list[str]) -> None:
    answer = closed_shell("cancel", *args)
    assert (answer.code, answer.out) == (2, "")


def test_help_says_what_is_removed(closed_shell: Shell) -> None:
    said = " ".join(closed_shell("cancel", "--help").out.replace("│", " ").split())
    assert "regions that this app added and whose copies are not Completed" in said


def test_a_storage_that_refuses_is_not_allowed(world: World, shell: Shell) -> None:
    start(world)
    world.store.failures = [PermanentError("storage refused", code=FailureCode.NOT_AUTHORISED)]
    answer = shell("cancel", version_id().key)
    assert (answer.code, answer.out, answer.err) == (4, "", "Error: storage refused\n")
    assert world.job(version_id()).phase is Phase.TRACKING
