"""Pauses: an operator holds every write back; what is under way is followed on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from replication.domain import formatting
from replication.ports import QueueName
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState
from replication.telemetry.log import log_outcome

MAX_REASON = 300


def is_reason(text: str) -> bool:
    """Tell whether a text can be kept and shown as the reason of a pause."""
    return bool(text.strip()) and len(text) <= MAX_REASON and text.isprintable()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePause:
    """A queue whose messages may not lead to a write: since when, by whom and why."""

    queue: str
    since: datetime
    by: str
    reason: str


PAUSES = Kind("pause", QueuePause, key=lambda pause: pause.queue)


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseChange:
    """Whether the call changed something, the pause that holds now, and a sentence about it."""

    done: bool
    pause: QueuePause | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Pauses and resumes queues; every instance knows within two seconds.

    While one queue is paused no image version is written, whichever queue the message came from:
    a version that is followed may need a write as well. Messages go on to be read, so that copies
    under way are followed, and a write that was decided waits without losing its deadline.
    """

    shared_state: SharedState
    clock: Callable[[], datetime]

    def all(self) -> Mapping[str, QueuePause]:
        """Return the pauses that hold now, by queue."""
        return self.shared_state.all(PAUSES)

    def why(self) -> str | None:
        """Return in words why nothing may be written now, None when it may."""
        paused = sorted(self.all().values(), key=lambda pause: pause.queue)
        return "; ".join(map(_sentence, paused)) or None

    def pause(self, queue: QueueName, *, by: str, reason: str) -> PauseChange:
        """Pause a queue; one that is paused stays so, with the first one's name and reason."""
        wanted = QueuePause(queue=queue.value, since=self.clock(), by=by, reason=reason)

        def first(before: QueuePause | None) -> tuple[QueuePause, QueuePause]:
            pause = before or wanted
            return pause, pause

        pause = self.shared_state.change(PAUSES, queue.value, first)
        done = pause == wanted
        message = _sentence(pause) if done else f"it is paused already: {_sentence(pause)}"
        log_outcome("queue.paused", queue=queue.value, done=done, by=by, reason=reason)
        return PauseChange(done=done, pause=pause, reason=message)

    def resume(self, queue: QueueName, *, by: str) -> PauseChange:
        """Resume a queue; what waits goes on at its next look, a minute away at most."""
        done = self.shared_state.remove(PAUSES, queue.value) is not None
        message = f"{queue.value} is resumed by {by}" if done else f"{queue.value} is not paused"
        log_outcome("queue.resumed", queue=queue.value, done=done, by=by)
        return PauseChange(done=done, pause=None, reason=message)


def _sentence(pause: QueuePause) -> str:
    words = f"{pause.queue} is paused since {formatting.moment(pause.since)}"
    return f"{words} by {pause.by}: {pause.reason}"
