"""Worlds with letters on the desk."""

from replication.domain.errors import FailureCode, PermanentError
from replication.domain.image_version import ImageVersionId
from replication.domain.message import JobMessage
from replication.ports import DeadLetter, LetterState
from replication.records.message_codec import encode_message
from tests.support.builders import version_body
from tests.support.fakes import World


def lay_job(
    world: World, version_id: ImageVersionId, *, code: FailureCode = FailureCode.LOCKED
) -> DeadLetter:
    """Let a replication fail for good, which lays its letter."""
    world.gallery.add(version_id, version_body())
    world.app.intake.request(version_id, trigger="a test", correlation_id="corr-1")
    world.gallery.write_failures = [PermanentError("refused by the test", code=code)]
    world.run()
    letter_id = world.job(version_id).letter_id
    assert letter_id is not None
    return world.letters.letters[letter_id]


def lay_event(world: World, *, number: int = 1, cause: str = "it names no version") -> DeadLetter:
    """Lay an event that cannot be read."""
    return world.app.desk.event({"n": number}, event_id=f"event-{number}", cause=cause)


def lay_message(world: World, version_id: ImageVersionId) -> DeadLetter:
    """Lay a message that the host gave up."""
    message = JobMessage(image_version_id=version_id, sequence=1, correlation_id="corr-2")
    return world.app.desk.message(
        encode_message(message),
        queue="replication-jobs",
        attempts=5,
        code=FailureCode.POISON_MESSAGE,
        cause="the host gave the message up",
    )


def lay_unreadable_message(world: World) -> DeadLetter:
    """Lay a message that nothing can be made of."""
    return world.app.desk.message(
        "[",
        queue="replication-jobs",
        attempts=5,
        code=FailureCode.MALFORMED_MESSAGE,
        cause="the message is not JSON",
    )


def states(world: World) -> dict[str, LetterState]:
    """Return the state of every letter on the desk."""
    return {one.id: one.state for one in world.letters.letters.values()}
