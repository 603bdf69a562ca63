"""Two workers at one job, because a claim lapsed: the letter stays with whoever has the job."""

from dataclasses import replace

import pytest

from replication.errors import FailureCode, PermanentError
from replication.job import Phase
from replication.messages import JobMessage
from replication.ports import DeadLetter, LetterState
from tests.builders import version_body, version_id, written_event
from tests.fakes import MemoryDeadLetters, World, build_world

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
def test_a_letter_of_a_worker_that_lost_its_claim_belongs_to_the_job(*, also_fails: bool) -> None:
    world, message = failing_world()
    world.gallery.write_failures = [locked(), *([locked()] if also_fails else [])]
    keep, taken_over = MemoryDeadLetters.put, False

    class Overtaken(MemoryDeadLetters):
        def put(self, letter: DeadLetter) -> None:
            nonlocal taken_over
            keep(self, letter)
            if not taken_over:
                taken_over = True
                world.clock.advance(world.app.settings.limits.lease_s + 1)
                world.app.reconciler.reconcile(message, redelivered=True)

    letters = Overtaken(letters=world.letters.letters, tags=world.letters.tags)
    desk = replace(world.app.reconciler.desk, letters=letters)
    overtaken = replace(world.app.reconciler, desk=desk)
    assert overtaken.reconcile(message).outcome == "lease_lost"
    (letter,) = letters.letters.values()
    assert letter.state is LetterState.OPEN
    assert world.job(TARGET).letter_id == letter.id
    if also_fails:
        assert world.job(TARGET).phase is Phase.FAILED
        return
    world.run()
    assert world.job(TARGET).phase is Phase.SUCCEEDED
    assert letters.letters[letter.id].state is LetterState.RESOLVED
