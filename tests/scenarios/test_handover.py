"""Two workers at one job, because a claim lapsed: the letter stays with whoever has the job."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from replication.domain.errors import FailureCode, PermanentError, TransientError
from replication.domain.image_version import ImageVersion
from replication.domain.job import Failure, Lease, Phase
from replication.domain.message import JobMessage
from replication.ports import DeadLetter, Gallery, LetterAction, LetterState
from replication.reconcile.reconciler import Reconciler
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.jobs import altered
from tests.support.letters import MemoryDeadLetters

TARGET = version_id()


def locked() -> PermanentError:
    return PermanentError("ScopeLocked: a lock", code=FailureCode.LOCKED)


def failing_world() -> tuple[World, JobMessage]:
    world = build_world()
    world.gallery.add(TARGET, version_body())
    world.app.intake.receive(written_event(TARGET, at=world.clock()), {})
    message = world.queues.take()
    assert message is not None
    return world, message


@pytest.mark.parametrize("also_fails", [True, False])
def test_a_letter_that_comes_late_is_about_what_is_on_record_by_then(*, also_fails: bool) -> None:
    world, message = failing_world()
    refused = PermanentError("AuthorizationFailed", code=FailureCode.NOT_AUTHORISED)
    world.gallery.write_failures = [locked(), *([refused] if also_fails else [])]
    letters = LateDeadLetters(letters=world.letters.letters, tags=world.letters.tags)

    def meanwhile() -> None:
        world.app.intake.revisit(TARGET, why="a test")
        world.run()

    letters.meanwhile = meanwhile
    assert with_letters(world, letters).reconcile(message).outcome == "giveup"
    (letter,) = letters.letters.values()
    assert world.job(TARGET).letter_id == letter.id
    if also_fails:
        assert (letter.state, letter.code) == (LetterState.OPEN, "not_authorised")
    else:
        assert world.job(TARGET).phase is Phase.SUCCEEDED
        assert letter.state is LetterState.RESOLVED


def test_a_letter_that_comes_after_its_job_no_longer_names_one_is_withdrawn() -> None:
    world, message = failing_world()
    world.gallery.write_failures = [locked()]
    letters = LateDeadLetters(letters=world.letters.letters, tags=world.letters.tags)

    def discarded() -> None:
        stored = world.store.load(TARGET.key)
        assert stored is not None
        world.store.replace(stored, replace(stored.job, letter_id=None))

    letters.meanwhile = discarded
    with_letters(world, letters).reconcile(message)
    (letter,) = letters.letters.values()
    assert letter.state is LetterState.RESOLVED


def test_a_worker_that_lost_its_claim_dead_letters_nothing() -> None:
    world, message = failing_world()
    write_failures = [locked()]

    def slow_write(*_args: Any) -> None:
        world.clock.advance(world.app.settings.limits.lease_s + 1)
        stored = world.store.load(TARGET.key)
        assert stored is not None
        until = world.clock() + timedelta(minutes=2)
        lease = Lease(owner="another", expires_at=until)
        world.store.replace(stored, altered(stored.job, lease=lease))
        raise write_failures.pop()

    gallery = cast(
        "Gallery", SimpleNamespace(read=world.gallery.read, set_target_regions=slow_write)
    )
    slow = replace(world.app.reconciler.executor, gallery=gallery)
    done = replace(world.app.reconciler, executor=slow).reconcile(message)
    assert done.outcome == "lease_lost"
    assert world.letters.letters == {}
    assert world.job(TARGET).letter_id is None


class LateDeadLetters(MemoryDeadLetters):
    """Something happens before a first letter is kept."""

    meanwhile: Callable[[], None] | None = None

    def put(self, letter: DeadLetter) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        super().put(letter)


def with_letters(world: World, letters: MemoryDeadLetters) -> Reconciler:
    reconciler = world.app.reconciler
    desk = replace(world.app.desk, letters=letters)
    return replace(reconciler, commits=replace(reconciler.commits, letters=desk))


def test_messages_that_come_while_a_worker_is_at_it_do_not_multiply() -> None:
    world, message = failing_world()
    read = MemoryGallery.read
    outcomes: list[str] = []

    def read_in_company(*args: Any) -> ImageVersion | None:
        for redelivered in (False, False, True, False):
            done = world.app.reconciler.reconcile(message, redelivered=redelivered)
            outcomes.append(done.outcome)
        return read(world.gallery, *args)

    gallery = cast("Gallery", SimpleNamespace(read=read_in_company, set_target_regions=None))
    busy = replace(world.app.reconciler.executor, gallery=gallery)
    replace(world.app.reconciler, executor=busy).reconcile(message)
    assert outcomes == ["busy"] * 4
    # One of the worker itself, and one that may be all that is left of a worker that failed.
    lease_s = world.app.settings.limits.lease_s
    delays = sorted((due - world.clock()).total_seconds() for due, *_ in world.queues.waiting)
    assert len(delays) == 2
    assert lease_s <= delays[1] <= lease_s * 1.1


def test_a_slow_look_whose_claim_has_lapsed_does_not_undo_what_somebody_asks_for() -> None:
    world, message = failing_world()
    world.gallery.write_failures = [locked()]
    world.app.reconciler.reconcile(message)
    failed = world.job(TARGET)
    world.clock.advance(7 * 86_400)
    world.app.intake.revisit(TARGET, why="the sweep")
    again = world.queues.take()
    assert again is not None
    read = MemoryGallery.read

    def slow_read(*args: Any) -> ImageVersion | None:
        seen = read(world.gallery, *args)
        world.clock.advance(world.app.settings.limits.lease_s + 1)
        replay_the_letter(world)
        return seen

    gallery = cast("Gallery", SimpleNamespace(read=slow_read, set_target_regions=None))
    slow = replace(world.app.reconciler.executor, gallery=gallery)
    assert replace(world.app.reconciler, executor=slow).reconcile(again).outcome == "lease_lost"
    assert world.job(TARGET).schedule.deadline_at > failed.schedule.deadline_at
    world.run()
    assert world.job(TARGET).phase is Phase.SUCCEEDED


def replay_the_letter(world: World) -> None:
    (letter,) = world.letters.letters.values()
    assert world.app.dead_letters.act(letter.id, LetterAction.REPLAY, by="Casey").done


def test_a_record_whose_answer_was_lost_is_known_again_as_ones_own() -> None:
    world, message = failing_world()
    claimed, applied, recorded = (TransientError("storage: no answer") for _ in range(3))
    world.store.lost_answers = [claimed, applied, recorded]
    assert world.app.reconciler.reconcile(message).outcome == "apply"
    assert world.store.lost_answers == []
    # Its message was sent, so nothing waits for the sweep.
    following = world.queues.take()
    assert following is not None
    assert following.sequence == world.job(TARGET).schedule.sequence
    world.app.reconciler.reconcile(following)
    world.run()
    assert world.job(TARGET).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1


def test_a_cancel_whose_answer_was_lost_says_that_it_is_done() -> None:
    world, _ = failing_world()
    world.store.lost_answers = [TransientError("storage: no answer")]
    done = world.app.operations.canceller.cancel(TARGET.key, remove=False, by="operator")
    assert done is not None
    assert done.done
    assert done.reason == "cancelled by operator; Azure's list stays as it is"


def test_a_letter_that_was_laid_anew_is_not_withdrawn_by_whoever_laid_it_before() -> None:
    world, _ = failing_world()
    desk = world.app.desk
    failure = Failure(code=FailureCode.LOCKED, message="a lock")
    failed = replace(world.job(TARGET), failure=failure)
    earlier = desk.job(failed, ())
    world.clock.advance(1)
    later = desk.job(failed, ())
    desk.withdraw(earlier, reason="its worker had lost its claim")
    assert world.letters.letters[later.id].state is LetterState.OPEN
    desk.withdraw(later, reason="its worker had lost its claim")
    assert world.letters.letters[later.id].state is LetterState.RESOLVED
