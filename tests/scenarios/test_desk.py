"""Scenarios on a fake clock: from the dead-letter desk back to Completed."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from api.schemas.replications import Replication
from bootstrap.app import build_app
from replication.domain.errors import FailureCode, PermanentError, ReplicationError, TransientError
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.listing.query import ListQuery
from replication.ports import DeadLetter, LetterAction, LetterQuery, LetterState, StoredLetter
from replication.records.message_codec import decode_message
from tests.support.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.letters import MemoryDeadLetters
from tests.support.scenarios.desk_steps import LOCK, fail, replay, the_letter
from tests.support.scenarios.steps import ID, states


def test_a_letter_tells_the_whole_story() -> None:
    world = build_world()
    letter = fail(world)
    assert (letter.code, letter.source, letter.state) == ("locked", "job", LetterState.OPEN)
    assert letter.cause.count("the gallery has a lock") == 1
    assert letter.regions == tuple(US_NEIGHBOURS)
    assert letter.correlation_id == world.job(ID).correlation_id == "corr-1"
    assert letter.image_version_id == str(ID)
    assert [one.event for one in letter.timeline] == ["planned", "giveup"]
    assert decode_message(letter.raw).key == ID.key
    assert world.job(ID).letter_id == letter.id


def test_letters_are_kept_until_somebody_discards_them() -> None:
    world = build_world()
    letter = fail(world)
    world.clock.advance(400 * 86_400)
    assert world.app.dead_letters.get(letter.id) == letter
    assert world.app.dead_letters.act(letter.id, LetterAction.DISCARD, by="Casey").done
    assert world.letters.letters == {}


def test_a_job_no_longer_names_a_letter_that_was_discarded() -> None:
    world = build_world()
    letter = fail(world)
    assert world.app.dead_letters.act(letter.id, LetterAction.DISCARD, by="Casey").done
    assert world.job(ID).letter_id is None
    entry = world.history.read(ID.key)[-1]
    assert (entry.event, entry.reason) == ("discard", "its dead letter was discarded by Casey")
    (listed,) = world.app.listing.page(ListQuery()).jobs
    assert listed.letter_id is None


def test_a_letter_is_discarded_although_its_job_cannot_be_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = build_world()
    letter = fail(world)
    world.store.failures = [PermanentError("refused", code=FailureCode.NOT_AUTHORISED)]
    assert world.app.dead_letters.act(letter.id, LetterAction.DISCARD, by="Casey").done
    assert world.letters.letters == {}
    assert "dead_letter.still_named" in caplog.text


def test_a_job_that_is_sent_again_and_ends_well_resolves_its_letter() -> None:
    world = build_world()
    fail(world)
    outcome = replay(world)
    assert outcome.done
    sent = the_letter(world)
    assert sent.state is LetterState.REPLAYED
    assert sent.state_reason.startswith("sent again by Casey: look at ")
    world.run()
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")
    assert the_letter(world).state is LetterState.RESOLVED
    assert the_letter(world).state_reason == "succeeded: all 8 wanted regions are Completed"
    assert Replication.of(world.job(ID)).dead_letter_id is None


def test_a_job_that_is_sent_again_and_fails_again_is_open_again() -> None:
    world = build_world()
    fail(world)
    replay(world)
    world.gallery.write_failures = [PermanentError("no right", code=FailureCode.NOT_AUTHORISED)]
    world.run()
    letter = the_letter(world)
    assert (letter.code, letter.state) == ("not_authorised", LetterState.OPEN)


def test_a_job_that_the_sweep_mends_resolves_its_letter() -> None:
    world = build_world()
    fail(world)
    world.clock.advance(7200)
    world.app.sweep.run()
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert the_letter(world).state is LetterState.RESOLVED


def test_a_letter_keeps_its_cause_when_the_sweep_looks_again_in_vain() -> None:
    world = build_world()
    first = fail(world)
    for _ in range(60):  # far beyond the deadline
        world.clock.advance(3700)
        world.gallery.write_failures = [LOCK]
        world.app.sweep.run()
        world.run()
    assert the_letter(world) == first
    assert world.job(ID).failure is not None


def test_replaying_twice_makes_one_write_and_leaves_one_chain() -> None:
    world = build_world()
    fail(world)
    assert replay(world).done
    assert replay(world).done
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1
    assert world.queues.waiting == []


@pytest.mark.parametrize("later_s", [0, 1, 20, 200, 430])
def test_replaying_again_while_copies_run_writes_nothing_more(later_s: float) -> None:
    world = build_world()
    fail(world)
    replay(world)
    world.run(until=world.clock() + timedelta(seconds=later_s))
    replay(world)
    messages = len(world.queues.waiting)
    world.run()
    assert messages <= 3  # the newest, and stale ones
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1
    assert world.queues.waiting == []


def test_replaying_what_is_resolved_does_no_harm() -> None:
    world = build_world()
    fail(world)
    replay(world)
    world.run()
    events = len(world.topic.events)
    assert replay(world).done
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1
    assert len(world.topic.events) == events
    assert world.app.dead_letters.find(LetterQuery()).letters == ()


def test_replaying_what_was_deleted_meanwhile_ends_superseded() -> None:
    world = build_world()
    fail(world)
    del world.gallery.bodies[str(ID).lower()]
    replay(world)
    world.run()
    assert world.job(ID).phase is Phase.SUPERSEDED
    assert the_letter(world).state is LetterState.RESOLVED


def test_what_the_policy_puts_out_of_scope_is_not_sent_again() -> None:
    world = build_world()
    fail(world)
    detached = ReplicationPolicy(galleries=GalleryScope(detach=("lab*",)))
    app = build_app(world.app.settings, detached, world.app.ports)
    outcome = app.dead_letters.act(the_letter(world).id, LetterAction.REPLAY, by="Casey")
    assert not outcome.done
    assert the_letter(world).state is LetterState.OPEN


@dataclass
class MarkFails(MemoryDeadLetters):
    """The mark after the act is lost: by a crash, or because the letter was laid anew."""

    marks: list[ReplicationError] = field(default_factory=list)

    def replace(self, stored: StoredLetter, letter: DeadLetter) -> None:
        if self.marks:
            raise self.marks.pop(0)
        super().replace(stored, letter)


def with_letters(letters: MemoryDeadLetters) -> World:
    world = build_world()
    app = build_app(
        world.app.settings, ReplicationPolicy(), replace(world.app.ports, letters=letters)
    )
    return replace(world, app=app, letters=letters)


def test_a_crash_between_the_act_and_the_mark_leaves_the_letter_to_be_sent_again() -> None:
    letters = MarkFails()
    world = with_letters(letters)
    fail(world)
    letters.marks = [TransientError("killed here")]
    outcome = replay(world)
    assert (outcome.done, outcome.reason) == (False, "killed here")
    assert the_letter(world).state is LetterState.OPEN
    assert replay(world).done
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1
    assert world.queues.waiting == []


def test_a_letter_that_failed_once_more_before_the_mark_stays_open() -> None:
    @dataclass
    class FailsOnceMore(MemoryDeadLetters):
        again: bool = False

        def replace(self, stored: StoredLetter, letter: DeadLetter) -> None:
            if self.again:
                self.again = False
                self.put(replace(stored.letter, cause="it failed once more"))
            super().replace(stored, letter)

    letters = FailsOnceMore()
    world = with_letters(letters)
    fail(world)
    letters.again = True
    outcome = replay(world)
    assert outcome.done
    assert outcome.reason.endswith("; the letter was changed meanwhile")
    assert (the_letter(world).cause, the_letter(world).state) == (
        "it failed once more",
        LetterState.OPEN,
    )


@pytest.mark.slow
def test_many_letters_are_sent_again_by_a_filter() -> None:
    world = build_world()
    versions = [version_id(version=f"1.0.{number}") for number in range(210)]
    for number, one in enumerate(versions):
        world.gallery.add(one, version_body())
        world.app.intake.receive(written_event(one, event_id=f"e{number}"), {})
    world.gallery.write_failures = [LOCK for _ in versions]
    world.run(steps=1000)
    assert phases(world, versions) == {Phase.FAILED}
    query = LetterQuery(code="locked", gallery="LabGallery", region="westus3")
    desk = world.app.dead_letters
    selection = desk.select(query, LetterAction.REPLAY)
    assert selection.count == 210
    done = desk.act_on_selection(query, LetterAction.REPLAY, selection.token, by="Casey")
    assert sum(one.done for one in done) == 210
    world.run(steps=5000)
    assert phases(world, versions) == {Phase.SUCCEEDED}
    assert len(world.gallery.writes) == 210
    assert desk.find(LetterQuery()).letters == ()
    assert {one.state for one in world.letters.letters.values()} == {LetterState.RESOLVED}


def phases(world: World, versions: list[ImageVersionId]) -> set[Phase]:
    return {world.job(one).phase for one in versions}
