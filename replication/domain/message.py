"""The messages on the queues: which image version to look at, and nothing that can go stale."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from replication.domain.image_version import ImageVersionId
from replication.domain.job import ReplicationJob
from replication.domain.trace_context import TraceParent


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMessage:
    """Ask a worker to look at an image version.

    `sequence` ties the message to the job's record: only the newest one is acted upon.
    `traceparent` says which trace the look belongs to; `trace_fault` is why one that came could
    not be read, which costs the trace and never the look. `due_at` is when a message that was sent
    with a delay is to be taken; nobody acts upon it, it only tells how far behind a queue is.
    """

    image_version_id: ImageVersionId
    sequence: int
    correlation_id: str = ""
    traceparent: TraceParent | None = None
    trace_fault: str = field(default="", compare=False)
    due_at: datetime | None = field(default=None, compare=False)

    @classmethod
    def of(cls, job: ReplicationJob) -> Self:
        """Return the message that belongs to a record as it stands."""
        return cls(
            image_version_id=job.image_version_id,
            sequence=job.schedule.sequence,
            correlation_id=job.correlation_id,
            traceparent=job.traceparent,
        )

    @property
    def key(self) -> str:
        """The key of the version's record."""
        return self.image_version_id.key
