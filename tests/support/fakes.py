"""The ports in memory; they pass the same contract suites as the real ones."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from bootstrap.app import App, Ports, build_app
from replication.config.schedules import TIMERS
from replication.config.settings import Settings
from replication.domain.errors import (
    MalformedError,
    NewerFormatError,
    RecordChangedError,
    ReplicationError,
)
from replication.domain.image_version import ImageVersionId
from replication.domain.job import HistoryEntry, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.message import JobMessage
from replication.domain.policy import ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import RegionCatalog
from replication.ports import (
    JobPage,
    JobQuery,
    OutcomeEvent,
    QueueDepth,
    QueueName,
    StoredJob,
    UnreadableRow,
)
from replication.records.job_codec import decode_job, encode_job
from replication.records.message_codec import decode_message, encode_message
from replication.shared_state.port import ControlRow
from replication.telemetry.port import NO_TELEMETRY, Telemetry
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import SUBSCRIPTION
from tests.support.clock import FakeClock
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing


@dataclass
class MemoryJobStore:
    """Keeps encoded records, so that a record that cannot be encoded fails here as well."""

    rows: dict[str, tuple[str, int]] = field(default_factory=dict)
    failures: list[ReplicationError] = field(default_factory=list)
    lost_answers: list[ReplicationError] = field(default_factory=list)
    calls: int = 0
    _tags: Iterator[int] = field(default_factory=lambda: count(1))

    def load(self, key: str) -> StoredJob | None:
        self._call()
        row = self.rows.get(key)
        return None if row is None else StoredJob(job=_decoded(key, row[0]), etag=str(row[1]))

    def load_many(self, keys: Sequence[str]) -> tuple[ReplicationJob, ...]:
        found = []
        for key in keys:
            with suppress(MalformedError):
                stored = self.load(key)
                found += [stored.job] if stored else []
        return tuple(found)

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
        written = self._write(job)
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return written

    def find(self, query: JobQuery) -> JobPage:
        self._call()
        if query.cursor is not None and query.cursor not in self.rows:
            raise MalformedError("the cursor is not one that this API gave out")
        found, unreadable = [], []
        for key in sorted(self.rows):
            if query.cursor is not None and key <= query.cursor:
                continue
            try:
                job = _decoded(key, self.rows[key][0])
            except MalformedError as error:
                newer = isinstance(error, NewerFormatError)
                unreadable.append(UnreadableRow(key=key, reason=str(error), newer=newer))
                continue
            if _matches(job, query):
                found.append(job)
        page = tuple(found[: query.limit])
        more = len(found) > query.limit
        return JobPage(
            jobs=page, next_cursor=page[-1].key if more else None, unreadable=tuple(unreadable)
        )

    def _write(self, job: ReplicationJob) -> StoredJob:
        tag = next(self._tags)
        self.rows[job.key] = (encode_job(job), tag)
        return StoredJob(job=job, etag=str(tag))

    def _call(self) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)


def _decoded(key: str, text: str) -> ReplicationJob:
    job = decode_job(text)
    if job.key != key:
        raise MalformedError(f"the record under {key} is about {job.image_version_id}")
    return job


def _matches(job: ReplicationJob, query: JobQuery) -> bool:
    return query.gallery is None or job.image_version_id.gallery.lower() == query.gallery.lower()


@dataclass
class MemoryHistory:
    entries: dict[str, dict[str, HistoryEntry]] = field(default_factory=dict)
    failures: list[ReplicationError] = field(default_factory=list)

    def append(self, key: str, entries: Iterable[HistoryEntry]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.entries.setdefault(key, {}).update({entry.id: entry for entry in entries})

    def read(
        self, key: str, *, limit: int = 500, before: str | None = None
    ) -> tuple[HistoryEntry, ...]:
        entries = self.entries.get(key, {})
        ids = sorted(one for one in entries if before is None or one < before)
        return tuple(entries[one] for one in ids)[-limit:]


@dataclass
class MemoryControls:
    rows: dict[tuple[str, str], ControlRow] = field(default_factory=dict)
    failures: list[ReplicationError] = field(default_factory=list)
    _tags: Iterator[int] = field(default_factory=lambda: count(1))

    def all(self) -> tuple[ControlRow, ...]:
        self._call()
        return tuple(self.rows[place] for place in sorted(self.rows))

    def load(self, kind: str, key: str) -> ControlRow | None:
        self._call()
        return self.rows.get((kind, key))

    def save(self, row: ControlRow, *, etag: str | None) -> None:
        self._call()
        stored = self.rows.get((row.kind, row.key))
        if (stored.etag if stored else None) != etag:
            raise RecordChangedError(f"{row.kind} {row.key} was changed meanwhile")
        document = json.loads(json.dumps(row.document))
        tag = str(next(self._tags))
        self.rows[row.kind, row.key] = replace(row, document=document, etag=tag)

    def remove(self, row: ControlRow) -> None:
        self._call()
        stored = self.rows.get((row.kind, row.key))
        if stored is None:
            return
        if stored.etag != row.etag:
            raise RecordChangedError(f"{row.kind} {row.key} was changed meanwhile")
        del self.rows[row.kind, row.key]

    def _call(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass
class MemoryQueues:
    clock: FakeClock
    waiting: list[tuple[datetime, int, QueueName, str]] = field(default_factory=list)
    failures: list[ReplicationError] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self, queue: QueueName, message: JobMessage, *, delay_s: float = 0) -> None:
        if self.failures:
            raise self.failures.pop(0)
        due = self.clock() + timedelta(seconds=delay_s)
        self.waiting.append((due, next(self._order), queue, encode_message(message)))

    def put_back(self, queue: QueueName, body: str, *, delay_s: float) -> None:
        due = self.clock() + timedelta(seconds=delay_s)
        self.waiting.append((due, next(self._order), queue, body))

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
        due = [one[0] for one in self.waiting if one[2] is queue and one[0] <= now]
        return max(((now - one).total_seconds() for one in due), default=None)

    def take(self) -> JobMessage | None:
        """Take the message that is due first, moving the clock to its time."""
        if not self.waiting:
            return None
        self.waiting.sort(key=lambda one: one[:2])
        due, _, _, body = self.waiting.pop(0)
        self.clock.now = max(self.clock.now, due)
        return decode_message(body)


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
class World:
    """An app on ports in memory, with a clock to move."""

    app: App
    clock: FakeClock
    store: MemoryJobStore
    history: MemoryHistory
    letters: MemoryDeadLetters
    controls: MemoryControls
    listing: MemoryListing
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
    telemetry: Telemetry = NO_TELEMETRY,
) -> World:
    """Build an app on ports in memory."""
    clock = FakeClock()
    store, history, letters = MemoryJobStore(), MemoryHistory(), MemoryDeadLetters()
    controls = MemoryControls()
    listing = MemoryListing()
    queues, gallery, topic = MemoryQueues(clock), MemoryGallery(clock), MemoryTopic()
    catalogs = MemoryCatalogs()
    owners = count(1)
    ports = Ports(
        gallery=gallery,
        catalogs=catalogs,
        store=store,
        history=history,
        letters=letters,
        controls=controls,
        listing=listing,
        queues=queues,
        topic=topic,
        clock=clock,
        chance=lambda: chance,
        new_owner=lambda: f"worker-{next(owners)}",
        telemetry=telemetry,
    )
    settings = build_settings(limits or Limits())
    app = build_app(settings, policy or ReplicationPolicy(), ports)
    return World(
        app=app,
        clock=clock,
        store=store,
        history=history,
        letters=letters,
        controls=controls,
        listing=listing,
        queues=queues,
        gallery=gallery,
        topic=topic,
        catalogs=catalogs,
    )


def build_settings(limits: Limits) -> Settings:
    """Return settings with these limits and nothing that could be reached."""
    schedules = {timer.setting: "0 0 * * * *" for timer in TIMERS}
    env = {"AzureWebJobsStorage": "unused", "ALLOWED_SUBSCRIPTIONS": SUBSCRIPTION, **schedules}
    settings = Settings.from_env(env, app_root=Path())
    return replace(settings, limits=limits)
