"""What the services need from outside, in the product's own words.

Adapters translate every vendor error into the classes of `replication.domain.errors`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from replication.domain.errors import ReplicationError
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.job import HistoryEntry, ReplicationJob
from replication.domain.message import JobMessage
from replication.domain.regions import RegionCatalog

if TYPE_CHECKING:
    from tenacity import Retrying

# Fresh retries for each step that asks the storage; `records.retries` has them.
type Retries = Callable[[], Retrying]


class QueueName(StrEnum):
    """The queues: jobs that may write, looks at copies under way, and events of Event Grid."""

    JOBS = "replication-jobs"
    TRACKING = "replication-tracking"
    EVENTS = "replication-events"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJob:
    """A job with the tag that its next write must match."""

    job: ReplicationJob
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which records to read; `cursor` is what the page before returned.

    A gallery is searched for in the whole table. What people look for stands in the listing.
    """

    gallery: str | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRow:
    """A record that cannot be read, left as it is; `newer` when a newer release wrote it."""

    key: str
    reason: str
    newer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """One page of jobs; `next_cursor` is None on the last."""

    jobs: tuple[ReplicationJob, ...]
    next_cursor: str | None
    unreadable: tuple[UnreadableRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """What can be seen of a queue: messages in all, and those hidden now.

    `oldest_age_s` is for how long the oldest message in sight has been due; `poison_expires_at` is
    when the service deletes the first message in sight in the poison queue.
    """

    name: str
    depth: int
    invisible: int | None
    oldest_age_s: float | None
    poison_depth: int
    poison_expires_at: datetime | None = None


class LetterAction(StrEnum):
    """What an operator can do with a letter."""

    REPLAY = "replay"
    DISCARD = "discard"


class LetterState(StrEnum):
    """Whether a dead letter still needs a person."""

    OPEN = "open"
    REPLAYED = "replayed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLetter:
    """What a list shows of a dead letter.

    `regions` are those that were not ready. `state_reason` says who or what changed the state,
    `state_at` when.
    """

    id: str
    at: datetime
    source: str
    code: str
    cause: str
    attempts: int
    correlation_id: str
    image_version_id: str | None
    regions: tuple[str, ...] = ()
    state: LetterState = LetterState.OPEN
    state_at: datetime | None = None
    state_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter(ListedLetter):
    """Something that a person has to look at, with all that is needed to send it again.

    `raw` is the message, `timeline` the last entries of the job.
    """

    raw: str
    timeline: tuple[HistoryEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter:
    """A dead letter with the tag that its next write must match."""

    letter: DeadLetter
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterQuery:
    """Which dead letters to list; None means any.

    `laid_by` is the latest moment, `id_prefix` how the ids begin.
    """

    state: LetterState | None = LetterState.OPEN
    code: str | None = None
    source: str | None = None
    gallery: str | None = None
    region: str | None = None
    image_version_id: str | None = None
    id_prefix: str | None = None
    laid_by: datetime | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterPage:
    """One page of dead letters; `next_cursor` is None on the last.

    Open letters come first, then those sent again, then the resolved; of each the newest first. A
    page may show fewer than asked for, and none, although others follow: a list stands under one
    filter, and what it is not listed by is left out of the rows that were read.
    """

    letters: tuple[ListedLetter, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterCause:
    """How many open letters have a failure code, and how many of them are about each region."""

    code: str
    letters: int
    regions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeEvent:
    """Something that others may want to know: a replica or a job came to an end."""

    id: str
    type: str
    subject: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadPart:
    """A part of a subscription that could not be listed, and why."""

    name: str
    error: ReplicationError


class Gallery(Protocol):
    """Azure Compute Gallery."""

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        """Return the version with its replication status, None when there is none.

        Raises TransientError and PermanentError.
        """
        ...

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write the complete list of target regions.

        Returns when Azure accepted it, not when it is done. Raises TransientError,
        PermanentError and GoneError.
        """
        ...

    def versions(
        self, subscription_id: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        """List every image version of the subscription, without replication status.

        A part that cannot be listed is told of in its place, and the others follow.
        """
        ...

    def subscriptions(self) -> tuple[str, ...]:
        """Return the ids of the subscriptions that this identity can see."""
        ...


class Catalogs(Protocol):
    """The regions of each subscription."""

    def of(self, subscription_id: str) -> RegionCatalog:
        """Return the catalog; a shipped snapshot serves where ARM refuses to answer.

        Raises TransientError for a trouble that passes, unless an earlier answer is at hand.
        """
        ...


class JobStore(Protocol):
    """The records of jobs; every write is a compare-and-swap."""

    def load(self, key: str) -> StoredJob | None:
        """Return the job, None when there is none; raises NewerFormatError and MalformedError."""
        ...

    def load_many(self, keys: Sequence[str]) -> tuple[ReplicationJob, ...]:
        """Return the jobs of these keys in their order; leaves out what is gone or unreadable."""
        ...

    def insert(self, job: ReplicationJob) -> StoredJob:
        """Write a first record; raises RecordChangedError if there is one."""
        ...

    def replace(self, stored: StoredJob, job: ReplicationJob) -> StoredJob:
        """Write the record anew; raises RecordChangedError if `stored` is not the newest."""
        ...

    def find(self, query: JobQuery) -> JobPage:
        """Return one page of jobs in the order of their keys."""
        ...


class History(Protocol):
    """The timelines of all jobs."""

    def append(self, key: str, entries: Iterable[HistoryEntry]) -> None:
        """Add entries; adding one again changes nothing."""
        ...

    def read(
        self, key: str, *, limit: int = 500, before: str | None = None
    ) -> tuple[HistoryEntry, ...]:
        """Return the newest entries of one job, oldest first, and read no others.

        `before` is an entry's id: only those that are older count. `limit` is 1000 at most.
        """
        ...


class Letters(Protocol):
    """Dead letters, each kept whole until it is discarded."""

    def put(self, letter: DeadLetter) -> None:
        """Keep the letter; one of the same id is replaced."""
        ...

    def get(self, letter_id: str) -> StoredLetter | None:
        """Return the letter, None when there is none."""
        ...

    def replace(self, stored: StoredLetter, letter: DeadLetter) -> None:
        """Write the letter anew; raises RecordChangedError if `stored` is not the newest."""
        ...

    def discard(self, stored: StoredLetter) -> None:
        """Delete the letter; raises RecordChangedError if it was changed; gone is fine."""
        ...


class LetterStore(Letters, Protocol):
    """Where dead letters are kept."""

    def after(self, letter_id: str, *, limit: int) -> tuple[ListedLetter, ...]:
        """Return the first letters whose ids come after this one, as a list shows them."""
        ...


class DeadLetters(Letters, Protocol):
    """What waits for a person: kept, found by filter, and counted."""

    def find(self, query: LetterQuery) -> LetterPage:
        """Return one page of letters, and read at most its limit and one row more.

        Raises MalformedError for a cursor of another's making.
        """
        ...

    def causes(self) -> tuple[LetterCause, ...]:
        """Count the open letters by failure code, in one call."""
        ...

    def oldest(self, code: str) -> datetime | None:
        """Return when the oldest open letter of a failure code was laid, None without one."""
        ...

    def mend(self) -> None:
        """Find again, and count, what lists have missed; in one call for each thousand letters.

        Raises what the storage raises; what was not mended is mended the next time.
        """
        ...


class JobQueues(Protocol):
    """The queues of work."""

    def send(self, queue: QueueName, message: JobMessage, *, delay_s: float = 0) -> None:
        """Queue a message that becomes visible after the delay, in seconds."""
        ...

    def put_back(self, queue: QueueName, body: str, *, delay_s: float) -> None:
        """Queue a message again exactly as it came, because a newer release is to read it."""
        ...

    def depths(self) -> tuple[QueueDepth, ...]:
        """Return what can be seen of every queue."""
        ...


class OutcomeTopic(Protocol):
    """Where outcomes are published."""

    def publish(self, events: Sequence[OutcomeEvent]) -> None:
        """Publish the events; raises TransientError or PermanentError."""
        ...
