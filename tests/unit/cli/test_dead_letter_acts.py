"""`dead-letters replay` and `discard`: by id at once, by filter only what was counted."""

import re
import shlex
from dataclasses import replace

import pytest

from replication.domain.errors import ReplicationError, TransientError
from replication.domain.job import Phase
from replication.ports import LetterPage, LetterQuery, LetterState, StoredLetter
from tests.support.builders import version_id
from tests.support.fakes import World
from tests.support.letter_worlds import (
    lay_event,
    lay_job,
    lay_message,
    lay_unreadable_message,
    states,
)
from tests.support.letters import MemoryDeadLetters
from tests.support.shell import Shell

FIRST, SECOND = version_id(version="1.0.0"), version_id(version="2.0.0")
ABSENT = "0" * 32


def command_of(out: str) -> list[str]:
    """Return the arguments of the command that a dry run printed last."""
    (line,) = [one.strip() for one in out.splitlines() if one.startswith("  gallery-replicator ")]
    return shlex.split(line)[1:]


def test_a_letter_is_replayed_by_id_and_done_when_its_replication_is(
    world: World, shell: Shell
) -> None:
    letter = lay_job(world, FIRST)
    answer = shell("dead-letters", "replay", letter.id[:8], "--json")
    assert answer.code == 0
    reason = answer.json["items"][0]["reason"]
    assert answer.json == {
        "action": "replay",
        "done": 1,
        "not_done": 0,
        "items": [{"id": letter.id, "done": True, "reason": reason}],
    }
    replayed = world.letters.letters[letter.id]
    assert replayed.state is LetterState.REPLAYED
    assert replayed.state_reason == f"sent again by the command line: {reason}"
    world.run()
    assert world.job(FIRST).phase is Phase.SUCCEEDED
    assert states(world) == {letter.id: LetterState.RESOLVED}


def test_replaying_twice_is_harmless(world: World, shell: Shell) -> None:
    letter = lay_job(world, FIRST)
    codes = [shell("dead-letters", "replay", letter.id).code for _ in range(2)]
    world.run()
    assert codes == [0, 0]
    assert world.job(FIRST).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1


def test_several_letters_are_discarded_by_id_each_once(world: World, shell: Shell) -> None:
    letters = [lay_event(world, number=number) for number in range(3)]
    ids = [letters[0].id, letters[1].id, letters[0].id[:10], letters[1].id.upper()]
    answer = shell("dead-letters", "discard", *ids)
    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()] == [
        ["ID", "DONE", "REASON"],
        *([one.id, "yes", "discarded", "by", "the", "command", "line"] for one in letters[:2]),
    ]
    assert set(world.letters.letters) == {letters[2].id}


def test_what_was_not_done_is_told_beside_what_was(world: World, shell: Shell) -> None:
    unreadable, job = lay_unreadable_message(world), lay_job(world, FIRST)
    answer = shell("dead-letters", "replay", unreadable.id, job.id, "--json")
    assert answer.code == 1
    assert (answer.json["done"], answer.json["not_done"]) == (1, 1)
    assert [one["done"] for one in answer.json["items"]] == [False, True]
    assert states(world)[unreadable.id] is LetterState.OPEN
    shown = shell("dead-letters", "replay", unreadable.id)
    assert (shown.code, shown.out.splitlines()[1].split()[:2]) == (1, [unreadable.id, "no"])


class StubbornLetters(MemoryDeadLetters):
    def discard(self, stored: StoredLetter) -> None:
        if stored.letter.id in self.tags and stored.letter.code == "locked":
            raise TransientError("storage: no route")
        super().discard(stored)


class VanishingLetters(MemoryDeadLetters):
    """Someone else discards a letter right after it was looked up."""

    def get(self, letter_id: str) -> StoredLetter | None:
        stored = super().get(letter_id)
        if stored is not None:
            self.discard(stored)
        return stored


@pytest.mark.parametrize(
    ("letters", "reason"),
    [
        (StubbornLetters(), "storage: no route"),
        (VanishingLetters(), "no dead letter has the id"),
    ],
)
def test_an_error_at_one_letter_is_its_reason(
    world: World, shell: Shell, letters: MemoryDeadLetters, reason: str
) -> None:
    letter = lay_job(world, FIRST)
    letters.put(letter)
    service = replace(world.app.dead_letters, letters=letters)
    operations = replace(world.app.operations, dead_letters=service)
    shell.open_app = lambda: replace(world.app, dead_letters=service, operations=operations)
    answer = shell("dead-letters", "discard", letter.id, "--json")
    assert (answer.code, answer.json["not_done"]) == (1, 1)
    assert reason in answer.json["items"][0]["reason"]


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_one_unknown_id_among_several_stops_all(world: World, shell: Shell, action: str) -> None:
    letter = lay_job(world, FIRST)
    answer = shell("dead-letters", action, letter.id, ABSENT)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f"Error: no dead letter has the id {ABSENT}\n"
    assert states(world) == {letter.id: LetterState.OPEN}


def test_a_dry_run_with_ids_only_counts(world: World, shell: Shell) -> None:
    letters = [lay_job(world, FIRST), lay_event(world)]
    ids = [one.id for one in letters]
    counted = shell("dead-letters", "discard", *ids, "--dry-run", "--json")
    assert (counted.code, counted.json) == (
        0,
        {
            "action": "discard",
            "count": 2,
            "by_code": {"locked": 1, "malformed_event": 1},
            "token": None,
            "dry_run": True,
        },
    )
    shown = shell("dead-letters", "discard", *ids, "--dry-run", answer="y\n")
    assert set(states(world)) == set(ids)
    assert shell(*command_of(shown.out)).code == 0
    assert states(world) == {}


def test_a_filter_is_counted_first_and_the_command_shown_acts_on_exactly_these(
    world: World, shell: Shell
) -> None:
    locked = [lay_job(world, FIRST), lay_job(world, SECOND)]
    event = lay_event(world)
    counted = shell("dead-letters", "replay", "--code", "LOCKED", "--region", "West US 3")
    assert counted.code == 0
    assert counted.out.startswith("2 dead letters match.\n")
    assert ["locked", "2"] in [line.split() for line in counted.out.splitlines()]
    command = command_of(counted.out)
    assert command[:7] == [
        *("dead-letters", "replay", "--code", "locked", "--region", "westus3", "--token")
    ]
    assert set(states(world).values()) == {LetterState.OPEN}
    acted = shell(*command, "--json")
    assert (acted.code, acted.json["done"], acted.json["not_done"]) == (0, 2, 0)
    assert {one["id"] for one in acted.json["items"]} == {one.id for one in locked}
    world.run()
    assert [world.job(one).phase for one in (FIRST, SECOND)] == [Phase.SUCCEEDED] * 2
    assert states(world) == {
        **{one.id: LetterState.RESOLVED for one in locked},
        event.id: LetterState.OPEN,
    }


def test_counting_and_acting_works_again_for_what_failed_again(world: World, shell: Shell) -> None:
    letter = lay_job(world, FIRST)
    for _ in range(2):
        counted = shell("dead-letters", "replay", "--all", "--json").json
        assert (counted["count"], counted["by_code"]) == (1, {"locked": 1})
        acted = shell("dead-letters", "replay", "--all", "--token", counted["token"], "--json")
        assert (acted.code, [one["id"] for one in acted.json["items"]]) == (0, [letter.id])
        assert shell("dead-letters", "replay", "--all", "--json").json["count"] == 0
        world.clock.advance(60)
        lay_job(world, FIRST)  # and it fails once more
    counted = shell("dead-letters", "discard", "--all", "--json").json
    assert shell("dead-letters", "discard", "--all", "--token", counted["token"]).code == 0
    assert states(world) == {}


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_the_count_as_json_gives_out_the_token(world: World, shell: Shell, action: str) -> None:
    lay_job(world, FIRST)
    lay_event(world)
    answer = shell("dead-letters", action, "--all", "--json", answer="y\n")
    assert answer.code == 0
    token = answer.json["token"]
    assert re.fullmatch(r"\d+-2-[0-9a-f]{16}", token)
    assert answer.json == {
        "action": action,
        "count": 2,
        "by_code": {"locked": 1, "malformed_event": 1},
        "token": token,
        "dry_run": True,
    }
    assert set(states(world).values()) == {LetterState.OPEN}


def test_a_letter_laid_after_the_count_is_not_touched(world: World, shell: Shell) -> None:
    counted_one = lay_job(world, FIRST)
    token = shell("dead-letters", "discard", "--code", "locked", "--json").json["token"]
    world.clock.advance(1)
    late = lay_job(world, SECOND)
    acted = shell("dead-letters", "discard", "--code", "locked", "--token", token, "--json")
    assert acted.code == 0
    assert [one["id"] for one in acted.json["items"]] == [counted_one.id]
    assert states(world) == {late.id: LetterState.OPEN}


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_nothing_is_done_when_a_counted_letter_was_changed_meanwhile(
    world: World, shell: Shell, action: str
) -> None:
    letters = [lay_event(world, number=number) for number in range(3)]
    token = shell("dead-letters", action, "--all", "--json").json["token"]
    shell("dead-letters", "discard", letters[0].id)
    acted = shell("dead-letters", action, "--all", "--token", token)
    assert (acted.code, acted.out) == (1, "")
    assert acted.err == (
        "Error: the filter means 2 letters now; the token was given out for others, or for another "
        "act; count again\n"
    )
    assert states(world) == {one.id: LetterState.OPEN for one in letters[1:]}


def test_a_token_goes_with_the_action_and_the_filter_that_were_counted(
    world: World, shell: Shell
) -> None:
    lay_job(world, FIRST)
    lay_event(world)
    token = shell("dead-letters", "replay", "--all", "--json").json["token"]
    for args in (["discard", "--all"], ["replay", "--code", "locked"]):
        assert shell("dead-letters", *args, "--token", token).code == 1
    assert set(states(world).values()) == {LetterState.OPEN}
    assert len(world.letters.letters) == 2


@pytest.mark.parametrize("token", ["", "12", "x-2-abc", "9" * 60 + "-1-" + "0" * 16])
def test_a_token_that_no_count_gave_out_is_wrong_usage(
    world: World, shell: Shell, token: str
) -> None:
    lay_event(world)
    answer = shell("dead-letters", "discard", "--all", "--token", token)
    assert (answer.code, answer.out) == (2, "")
    assert "the token is not one that counting gave out" in answer.err
    assert len(world.letters.letters) == 1


def test_someone_in_a_terminal_is_asked_and_yes_acts(world: World, shell: Shell) -> None:
    letters = [lay_event(world, number=number) for number in range(3)]
    shown = shell("dead-letters", "discard", "--all", answer="y\n")
    assert shown.code == 0
    assert "Discard these 3? [y/N]" in shown.out
    assert all(one.id in shown.out for one in letters)
    assert states(world) == {}


@pytest.mark.parametrize("said", ["n\n", "\n"])
def test_anything_but_yes_does_nothing(world: World, shell: Shell, said: str) -> None:
    letter = lay_event(world)
    shown = shell("dead-letters", "discard", "--all", answer=said)
    assert shown.code == 0
    assert "Discard this one? [y/N]" in shown.out
    assert shown.out.endswith("Nothing was done.\n")
    assert states(world) == {letter.id: LetterState.OPEN}


def test_a_terminal_that_ends_at_the_question_does_nothing(world: World, shell: Shell) -> None:
    letter = lay_event(world)
    assert shell("dead-letters", "discard", "--all", answer="").code == 1
    assert states(world) == {letter.id: LetterState.OPEN}


@pytest.mark.parametrize("args", [["--dry-run"], []])
def test_nobody_is_asked_in_a_dry_run_nor_without_a_terminal(
    world: World, shell: Shell, args: list[str]
) -> None:
    letter = lay_event(world)
    shown = shell("dead-letters", "discard", "--all", *args, answer="y\n" if args else None)
    assert (shown.code, "?" in shown.out) == (0, False)
    assert states(world) == {letter.id: LetterState.OPEN}


def test_letters_that_are_done_with_are_discarded_by_their_state(
    world: World, shell: Shell
) -> None:
    still_open, resolved = lay_event(world, number=1), lay_event(world, number=2)
    world.app.desk.resolve(resolved.id, reason="all regions are ready")
    counted = shell("dead-letters", "discard", "--state", "resolved")
    assert command_of(counted.out)[2:4] == ["--state", "resolved"]
    assert shell(*command_of(counted.out)).code == 0
    assert states(world) == {still_open.id: LetterState.OPEN}


@pytest.mark.parametrize(
    "args",
    [
        ["--source", "event"],
        ["--gallery", "OTHER(1)"],
        ["--image-version", str(version_id(gallery="other(1)"))],
        ["--state", "all"],
        ["--all"],
    ],
)
def test_the_command_shown_means_the_filter_that_was_counted(
    world: World, shell: Shell, args: list[str]
) -> None:
    lay_event(world)
    lay_message(world, version_id(gallery="other(1)"))
    counted = shell("dead-letters", "discard", *args)
    acted = shell(*command_of(counted.out), "--json")
    assert acted.code == 0
    assert counted.out.startswith(f"{acted.json['done']} dead letter")


def test_a_filter_that_matches_nothing_asks_nobody_and_is_done(shell: Shell) -> None:
    shown = shell("dead-letters", "replay", "--code", "copy-faild", answer="y\n")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "0 dead letters match.",
        (
            "There is nothing to replay. This release knows no code 'copy_faild'; "
            "the nearest is 'copy_failed'."
        ),
    ]
    token = shell("dead-letters", "replay", "--all", "--json").json["token"]
    acted = shell("dead-letters", "replay", "--all", "--token", token)
    assert (acted.code, acted.out) == (0, "There was nothing to replay.\n")


@pytest.mark.parametrize("action", ["replay", "discard"])
@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "name dead letters by id, or by a filter, or take --all"),
        (["--token", "1-1-0"], "name dead letters by id, or by a filter"),
        (["--dry-run"], "name dead letters by id, or by a filter"),
        ([ABSENT, "--code", "locked"], "ids go without a filter"),
        ([ABSENT, "--all"], "ids go without a filter"),
        ([ABSENT, "--token", "1-1-0"], "ids go without a filter"),
        (["--all", "--code", "locked"], "--all takes the place of a filter"),
        (["--all", "--dry-run", "--token", "1-1-0"], "--dry-run gives out a token"),
        (["--region", ""], "a region name is empty"),
        (["maths"], "is not the id of a dead letter"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    closed_shell: Shell, action: str, args: list[str], said: str
) -> None:
    answer = closed_shell("dead-letters", action, *args, answer="y\n")
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


class SilentLetters(MemoryDeadLetters):
    def find(self, query: LetterQuery) -> LetterPage:  # noqa: ARG002 - the port's shape
        raise ReplicationError("storage: no route")


def test_storage_out_of_reach_has_failed(world: World, shell: Shell) -> None:
    service = replace(world.app.dead_letters, letters=SilentLetters())
    shell.open_app = lambda: replace(world.app, dead_letters=service)
    for args in (["list"], ["replay", "--all"], ["discard", "abcdef"]):
        answer = shell("dead-letters", *args)
        assert (answer.code, answer.err) == (1, "Error: storage: no route\n")
