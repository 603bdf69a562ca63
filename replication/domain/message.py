"""The messages on the queues: which image version to look at, and nothing that can go stale."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.domain.job import ReplicationJob
from replication.domain.trace_context import TraceParent

FORMAT_VERSION = 1
MAX_BYTES = 8 * 1024
# What a queue can hold: a newer release may write longer messages than this one.
_MAX_READ_BYTES = 64 * 1024
_MAX_SEQUENCE = 10**15
_MAX_TEXT = 256


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
    correlation_id: str
    traceparent: TraceParent | None = None
    trace_fault: str = field(default="", compare=False)
    due_at: datetime | None = field(default=None, compare=False)

    @classmethod
    def of(cls, job: ReplicationJob) -> Self:
        """Return the message that belongs to a record as it stands."""
        return cls(
            image_version_id=job.image_version_id,
            sequence=job.sequence,
            correlation_id=job.correlation_id,
            traceparent=job.traceparent,
        )

    @property
    def key(self) -> str:
        """The key of the version's record."""
        return self.image_version_id.key

    def encode(self) -> str:
        """Return the JSON text for the queue.

        All fields stand under `job`: the host lets a top-level `id` or `dequeueCount` of a body
        overwrite the queue's own metadata.
        """
        job = {
            "image_version_id": str(self.image_version_id),
            "sequence": self.sequence,
            "correlation_id": self.correlation_id,
        }
        if self.traceparent is not None:
            job["traceparent"] = str(self.traceparent)
        if self.due_at is not None:
            job["due_at"] = self.due_at.isoformat(timespec="seconds")
        return json.dumps({"v": FORMAT_VERSION, "job": job}, separators=(",", ":"))

    @classmethod
    def decode(cls, body: str | bytes) -> Self:
        """Read a queue message; raises MalformedError or NewerFormatError."""
        length = len(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)
        if length > _MAX_READ_BYTES:
            raise MalformedError(f"the message is longer than {MAX_BYTES} bytes")
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise MalformedError(f"the message is not JSON: {str(error)[:_MAX_TEXT]}") from error
        if not isinstance(document, dict):
            raise MalformedError("the message is not a JSON object")
        version = document.get("v")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise MalformedError("the message has no format version 'v'")
        if version > FORMAT_VERSION:
            raise NewerFormatError(
                f"the message has format {str(version)[:20]}, this release reads {FORMAT_VERSION}"
            )
        if length > MAX_BYTES:
            raise MalformedError(f"the message is longer than {MAX_BYTES} bytes")
        job = document.get("job")
        if not isinstance(job, dict):
            raise MalformedError("the message has no object 'job'")
        return cls._from_job(job)

    @classmethod
    def _from_job(cls, job: dict[str, Any]) -> Self:
        try:
            version_id = ImageVersionId.parse(job.get("image_version_id"))
        except MalformedImageVersionIdError as error:
            raise MalformedError(f"job.image_version_id: {error}") from error
        sequence = job.get("sequence")
        if (
            not isinstance(sequence, int)
            or isinstance(sequence, bool)
            or not 0 <= sequence <= _MAX_SEQUENCE
        ):
            raise MalformedError(f"job.sequence is not a whole number from 0 to {_MAX_SEQUENCE}")
        correlation_id = job.get("correlation_id", "")
        if not isinstance(correlation_id, str) or len(correlation_id) > _MAX_TEXT:
            raise MalformedError(f"job.correlation_id is not a text of at most {_MAX_TEXT}")
        traceparent, fault = None, ""
        if job.get("traceparent") is not None:
            try:
                traceparent = TraceParent.parse(job["traceparent"])
            except MalformedError as error:
                fault = f"job.traceparent: {error}"
        return cls(
            image_version_id=version_id,
            sequence=sequence,
            correlation_id=correlation_id,
            traceparent=traceparent,
            trace_fault=fault,
            due_at=_moment(job.get("due_at")),
        )


def _moment(value: Any) -> datetime | None:
    """Read a moment; what is none costs nothing but the figure it is for."""
    if isinstance(value, str) and len(value) <= _MAX_TEXT:
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo is not None else None
    return None
