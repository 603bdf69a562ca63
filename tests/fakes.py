"""The ports in memory; they pass the same contract suites as the real ones."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from replication.bootstrap import App, Ports, build_app
from replication.errors import GoneError, MalformedError, RecordChangedError, ReplicationError
from replication.image_version import ImageVersion, ImageVersionId
from replication.job import HistoryEntry, ReplicationJob
from replication.limits import Limits
from replication.messages import JobMessage
from replication.policy import ReplicationPolicy
from replication.ports import (
    DeadLetter,
    JobPage,
    JobQuery,
    OutcomeEvent,
    QueueDepth,
    QueueName,
    StoredJob,
)
from replication.record import decode_job, encode_job
from replication.regions import RegionCatalog
from replication.settings import Settings
from replication.shipped_regions import shipped_catalog
from tests.builders import SUBSCRIPTION


@dataclass
class FakeClock:
    """A clock that only moves when told."""

    now: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class MemoryJobStore:
    """Keeps encoded records, so that a record that cannot be encoded fails here as well."""

    rows: dict[str, tuple[str, int]] = field(default_factory=dict)
    failures: list[ReplicationError] = field(default_factory=list)
    calls: int = 0
    _tags: Iterator[int] = field(default_factory=lambda: count(1))

    def load(self, key: str) -> StoredJob | None:
        self._call()
        row = self.rows.get(key)
        return None if row is None else StoredJob(job=decode_job(row[0]), etag=str(row[1]))

    def insert(self, job: ReplicationJob) -> StoredJob:
        self._call()
        if job.key in self.rows:
            raise RecordChangedError(f"{job.key} is on record already")
        return self._write(job)

    def replace(self, stored: StoredJob, job: ReplicationJob) -> StoredJob:
        self._call()
        row = self.rows.get(job.key)
        if row is None or str(row[1]) != stored.etag:
            raise RecordChangedError(f"{job.key} was changed meanwhile")
        return self._write(job)

    def find(self, query: JobQuery) -> JobPage:
        self._call()
        if query.cursor is not None and query.cursor not in self.rows:
            raise MalformedError("the cursor is not one that this API gave out")
        found = []
        for key in sorted(self.rows):
            if query.cursor is not None and key <= query.cursor:
                continue
            job = decode_job(self.rows[key][0])
            if _matches(job, query):
                found.append(job)
        page = tuple(found[: query.limit])
        more = len(found) > query.limit
        return JobPage(jobs=page, next_cursor=page[-1].key if more else None)

    def _write(self, job: ReplicationJob) -> StoredJob:
        tag = next(self._tags)
        self.rows[job.key] = (encode_job(job), tag)
        return StoredJob(job=job, etag=str(tag))

    def _call(self) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)


def _matches(job: ReplicationJob, query: JobQuery) -> bool:
    due = job.next_attempt_at
    return (
        (query.phases is None or job.phase in query.phases)
        and (query.gallery is None or job.image_version_id.gallery.lower() == query.gallery.lower())
        and (query.geography is None or job.geography == query.geography)
        and (query.due_before is None or (due is not None and due < query.due_before))
    )


@dataclass
class MemoryHistory:
    entries: dict[str, dict[str, HistoryEntry]] = field(default_factory=dict)

    def append(self, key: str, entries: Iterable[HistoryEntry]) -> None:
        self.entries.setdefault(key, {}).update({entry.id: entry for entry in entries})

    def read(self, key: str, *, limit: int = 500) -> tuple[HistoryEntry, ...]:
        entries = self.entries.get(key, {})
        return tuple(entries[one] for one in sorted(entries))[-limit:]


@dataclass
class MemoryDeadLetters:
    letters: dict[str, DeadLetter] = field(default_factory=dict)

    def put(self, letter: DeadLetter) -> None:
        self.letters[letter.id] = letter

    def get(self, letter_id: str) -> DeadLetter | None:
        return self.letters.get(letter_id)

    def find(self, *, limit: int = 100) -> tuple[DeadLetter, ...]:
        return tuple(self.letters[one] for one in sorted(self.letters))[:limit]


@dataclass
class MemoryQueues:
    clock: FakeClock
    waiting: list[tuple[datetime, int, QueueName, str]] = field(default_factory=list)
    failures: list[ReplicationError] = field(default_factory=list)
    sent_at: dict[int, datetime] = field(default_factory=dict)
    _order: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self, queue: QueueName, message: JobMessage, *, delay_s: float = 0) -> None:
        if self.failures:
            raise self.failures.pop(0)
        due = self.clock() + timedelta(seconds=delay_s)
        number = next(self._order)
        self.sent_at[number] = self.clock()
        self.waiting.append((due, number, queue, message.encode()))

    def depths(self) -> tuple[QueueDepth, ...]:
        now = self.clock()
        return tuple(
            QueueDepth(
                name=name.value,
                depth=sum(1 for one in self.waiting if one[2] is name),
                invisible=sum(1 for one in self.waiting if one[2] is name and one[0] > now),
                oldest_age_s=self._oldest_age_s(name),
                poison_depth=0,
            )
            for name in QueueName
        )

    def _oldest_age_s(self, queue: QueueName) -> float | None:
        now = self.clock()
        visible = [one[1] for one in self.waiting if one[2] is queue and one[0] <= now]
        ages = [(now - self.sent_at[one]).total_seconds() for one in visible if one in self.sent_at]
        return max(ages, default=None)

    def take(self) -> JobMessage | None:
        """Take the message that is due first, moving the clock to its time."""
        if not self.waiting:
            return None
        self.waiting.sort(key=lambda one: one[:2])
        due, _, _, body = self.waiting.pop(0)
        self.clock.now = max(self.clock.now, due)
        return JobMessage.decode(body)


@dataclass
class MemoryTopic:
    events: list[OutcomeEvent] = field(default_factory=list)
    failure: ReplicationError | None = None

    def publish(self, events: Sequence[OutcomeEvent]) -> None:
        if self.failure is not None:
            raise self.failure
        self.events.extend(events)


@dataclass
class MemoryCatalogs:
    catalog: RegionCatalog = field(default_factory=shipped_catalog)

    def of(self, subscription_id: str) -> RegionCatalog:  # noqa: ARG002 - the port's shape
        return self.catalog


@dataclass
class MemoryGallery:
    """Holds ARM bodies; a test edits them as Azure or a rival would.

    Copies run at `copy_s` seconds a region, times the region's `slowness`; `failures` are raised
    by the next calls, the next `failing[region]` copies fail; every write is kept in `writes`.
    """

    clock: FakeClock
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    copy_s: float = 420
    slowness: dict[str, float] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    read_failures: list[ReplicationError] = field(default_factory=list)
    write_failures: list[ReplicationError] = field(default_factory=list)
    lose_next_write: bool = False
    reads: int = 0
    writes: list[list[dict[str, Any]]] = field(default_factory=list)
    _started: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def add(self, version_id: ImageVersionId, body: dict[str, Any]) -> None:
        self.bodies[str(version_id).lower()] = body
        for entry in body["properties"]["publishingProfile"].get("targetRegions") or ():
            name = "".join(entry["name"].lower().split())
            self._started[str(version_id).lower(), name] = datetime.min.replace(tzinfo=UTC)

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        self.reads += 1
        if self.read_failures:
            raise self.read_failures.pop(0)
        body = self.bodies.get(str(version_id).lower())
        if body is None:
            return None
        return ImageVersion.from_arm(version_id, self._with_status(version_id, body), catalog)

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        if self.write_failures:
            raise self.write_failures.pop(0)
        body = self.bodies.get(str(version_id).lower())
        if body is None:
            raise GoneError("the image version does not exist")
        self.writes.append([dict(entry) for entry in entries])
        if self.lose_next_write:
            self.lose_next_write = False
            return
        known = set()
        for entry in entries:
            name = "".join(entry["name"].lower().split())
            known.add(name)
            place = (str(version_id).lower(), name)
            restarts = place in self._started and self.failing.get(name, 0) > 0
            if restarts:
                self.failing[name] -= 1
            if restarts or place not in self._started:
                self._started[place] = self.clock()
        for place in [one for one in self._started if one[0] == str(version_id).lower()]:
            if place[1] not in known:
                del self._started[place]
                if self.failing.get(place[1], 0) > 0:
                    self.failing[place[1]] -= 1
        body["properties"]["publishingProfile"]["targetRegions"] = copy.deepcopy(list(entries))

    def versions(self, subscription_id: str, catalog: RegionCatalog) -> Iterator[ImageVersion]:
        for text, body in sorted(self.bodies.items()):
            version_id = ImageVersionId.parse(text)
            if version_id.subscription_id == subscription_id.lower():
                yield ImageVersion.from_arm(version_id, body, catalog)

    def subscriptions(self) -> tuple[str, ...]:
        if self.read_failures:
            raise self.read_failures.pop(0)
        return (SUBSCRIPTION,)

    def names(self, version_id: ImageVersionId) -> list[str]:
        """Return the short names in the version's list."""
        body = self.bodies[str(version_id).lower()]
        entries = body["properties"]["publishingProfile"]["targetRegions"]
        return ["".join(entry["name"].lower().split()) for entry in entries]

    def _with_status(self, version_id: ImageVersionId, body: dict[str, Any]) -> dict[str, Any]:
        body = copy.deepcopy(body)
        summary, running = [], False
        for name in self.names(version_id):
            started = self._started.get((str(version_id).lower(), name))
            if started is None:
                continue
            elapsed_s = (self.clock() - started).total_seconds()
            share = min(1.0, elapsed_s / (self.copy_s * self.slowness.get(name, 1.0)))
            state = "Completed" if share >= 1 else "Replicating"
            if share >= 1 and self.failing.get(name, 0) > 0:
                state = "Failed"
            running = running or state == "Replicating"
            summary.append({"region": name, "state": state, "progress": int(share * 100)})
        body["properties"]["replicationStatus"] = {"summary": summary}
        if body["properties"]["provisioningState"] in ("Succeeded", "Updating"):
            body["properties"]["provisioningState"] = "Updating" if running else "Succeeded"
        return body


@dataclass
class World:
    """An app on ports in memory, with a clock to move."""

    app: App
    clock: FakeClock
    store: MemoryJobStore
    history: MemoryHistory
    letters: MemoryDeadLetters
    queues: MemoryQueues
    gallery: MemoryGallery
    topic: MemoryTopic
    catalogs: MemoryCatalogs

    def run(self, *, steps: int = 200, until: datetime | None = None) -> int:
        """Work through the queue in the order of time; returns how many messages were handled."""
        for done in range(steps):
            if until is not None and self.queues.waiting:
                first = min(self.queues.waiting, key=lambda one: one[:2])
                if first[0] > until:
                    self.clock.now = until
                    return done
            message = self.queues.take()
            if message is None:
                return done
            self.app.reconciler.reconcile(message)
        raise AssertionError(f"the queue is not empty after {steps} messages")

    def job(self, version_id: ImageVersionId) -> ReplicationJob:
        stored = self.store.load(version_id.key)
        assert stored is not None
        return stored.job


def build_world(
    *,
    policy: ReplicationPolicy | None = None,
    limits: Limits | None = None,
    chance: float = 0.5,
) -> World:
    """Build an app on ports in memory."""
    clock = FakeClock()
    store, history, letters = MemoryJobStore(), MemoryHistory(), MemoryDeadLetters()
    queues, gallery, topic = MemoryQueues(clock), MemoryGallery(clock), MemoryTopic()
    catalogs = MemoryCatalogs()
    owners = count(1)
    ports = Ports(
        gallery=gallery,
        catalogs=catalogs,
        store=store,
        history=history,
        letters=letters,
        queues=queues,
        topic=topic,
        clock=clock,
        chance=lambda: chance,
        new_owner=lambda: f"worker-{next(owners)}",
    )
    settings = build_settings(limits or Limits())
    app = build_app(settings, policy or ReplicationPolicy(), ports)
    return World(
        app=app,
        clock=clock,
        store=store,
        history=history,
        letters=letters,
        queues=queues,
        gallery=gallery,
        topic=topic,
        catalogs=catalogs,
    )


def build_settings(limits: Limits) -> Settings:
    """Return settings with these limits and nothing that could be reached."""
    settings = Settings.from_env({"AzureWebJobsStorage": "unused"}, app_root=Path())
    return replace(settings, limits=limits)
