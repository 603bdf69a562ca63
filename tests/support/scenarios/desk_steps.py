"""What the scenarios of the dead-letter desk share."""

from replication.domain.errors import FailureCode, PermanentError
from replication.domain.job import Phase
from replication.operations.dead_letters import LetterOutcome
from replication.ports import DeadLetter, LetterAction
from tests.support.fakes import World
from tests.support.scenarios.steps import ID, export

LOCK = PermanentError("the gallery has a lock", code=FailureCode.LOCKED)


def fail(world: World) -> DeadLetter:
    """Export into a gallery with a lock, and return what then lies on the desk."""
    export(world)
    world.gallery.write_failures = [LOCK]
    world.run()
    assert world.job(ID).phase is Phase.FAILED
    return the_letter(world)


def the_letter(world: World) -> DeadLetter:
    (letter,) = world.letters.letters.values()
    return letter


def replay(world: World, letter: DeadLetter | None = None) -> LetterOutcome:
    wanted = letter or the_letter(world)
    return world.app.dead_letters.act(wanted.id, LetterAction.REPLAY, by="Casey")
