"""The other ports in memory: quick, at-least-once, and with a turn for others at every call."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from replication.domain.errors import RecordChangedError, TransientError
from replication.domain.job import ReplicationJob
from replication.domain.message import JobMessage
from replication.ports import JobPage, JobQuery, QueueDepth, QueueName, StoredJob
from replication.records.job_codec import decode_job, encode_job
from replication.records.message_codec import decode_message
from tools.simulation.faults import Faults
from tools.simulation.scheduler import Clock, Scheduler

_HIDDEN_S = 600.0
_PAUSE_AFTER_FAILURE_S = 30.0
MAX_DELIVERIES = 5


@dataclass(slots=True)
class JobTable:
    """Implements the JobStore port; `encodes` makes every record go through its JSON."""

    encodes: bool
    on_write: Callable[[ReplicationJob], None]
    rows: dict[str, StoredJob] = field(default_factory=dict)
    _tags: Iterator[int] = field(default_factory=lambda: count(1))

    def load(self, key: str) -> StoredJob | None:
        return self.rows.get(key)

    def load_many(self, keys: Sequence[str]) -> tuple[ReplicationJob, ...]:
        return tuple(self.rows[key].job for key in keys if key in self.rows)

    def insert(self, job: ReplicationJob) -> StoredJob:
        if job.key in self.rows:
            raise RecordChangedError(f"{job.key} is on record already")
        return self._write(job)

    def replace(self, stored: StoredJob, job: ReplicationJob) -> StoredJob:
        row = self.rows.get(job.key)
        if row is None or row.etag != stored.etag:
            raise RecordChangedError(f"{job.key} was changed meanwhile")
        return self._write(job)

    def find(self, query: JobQuery) -> JobPage:
        del query  # a run has a handful
        return JobPage(
            jobs=tuple(self.rows[key].job for key in sorted(self.rows)), next_cursor=None
        )

    def _write(self, job: ReplicationJob) -> StoredJob:
        if self.encodes:
            job = decode_job(encode_job(job))
        self.on_write(job)
        stored = StoredJob(job=job, etag=str(next(self._tags)))
        self.rows[job.key] = stored
        return stored


@dataclass(slots=True)
class Message:
    """One message of a queue."""

    number: int
    queue: QueueName
    body: JobMessage
    visible_at: datetime
    deliveries: int = 0


@dataclass(slots=True)
class Queues:
    """Implements the JobQueues port, with the host's rules for delivery."""

    clock: Clock
    faults: Faults
    waiting: dict[int, Message] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self, queue: QueueName, message: JobMessage, *, delay_s: float = 0) -> None:
        if self.faults.strikes("message_lost"):
            return
        copies = 2 if self.faults.strikes("message_doubled") else 1
        for _ in range(copies):
            number = next(self._numbers)
            due = self.clock() + timedelta(seconds=delay_s)
            self.waiting[number] = Message(number, queue, message, due)

    def put_back(self, queue: QueueName, body: str, *, delay_s: float) -> None:
        self.send(queue, decode_message(body), delay_s=delay_s)

    def depths(self) -> tuple[QueueDepth, ...]:
        return ()

    def visible(self) -> list[Message]:
        """Return what a worker may take now."""
        now = self.clock()
        return [one for one in self.waiting.values() if one.visible_at <= now]

    def take(self, message: Message) -> None:
        """Hide a message while somebody works on it."""
        message.deliveries += 1
        message.visible_at = self.clock() + timedelta(seconds=_HIDDEN_S)

    def handled(self, message: Message) -> None:
        """Delete a message."""
        self.waiting.pop(message.number, None)

    def failed(self, message: Message) -> None:
        """Show a message again after the host's pause."""
        message.visible_at = self.clock() + timedelta(seconds=_PAUSE_AFTER_FAILURE_S)

    def next_at(self) -> datetime | None:
        """Return when the next message is to be seen."""
        return min((one.visible_at for one in self.waiting.values()), default=None)


class Stepped:
    """A port whose every call is a turn for others, before and after it took effect."""

    def __init__(self, port: object, name: str, scheduler: Scheduler, faults: Faults) -> None:
        self._port = port
        self._name = name
        self._scheduler = scheduler
        self._faults = faults

    def __getattr__(self, call: str) -> Callable[..., Any]:
        target, label = getattr(self._port, call), f"{self._name}.{call}"
        scheduler, faults = self._scheduler, self._faults

        def stepped(*args: Any, **kwargs: Any) -> Any:
            scheduler.point(label)
            if faults.strikes("storage_blip"):
                raise TransientError("storage: 503", code="storage_503")
            answer = target(*args, **kwargs)
            scheduler.point(f"{label} done")
            if faults.strikes("storage_answer_lost"):
                raise TransientError("storage: no answer", code="storage_unreachable")
            return answer

        setattr(self, call, stepped)
        return stepped


def consume(items: Iterable[object]) -> None:
    """Go through items for their effects."""
    for _ in items:
        pass
