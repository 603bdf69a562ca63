"""The jobs' index: follows the records, and answers pages, counts and where each job stands."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from replication.codec import Document
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.listing.counts import added, number, numbers, shard_of
from replication.listing.index import PAGE, Index, Spec, count_change
from replication.listing.job_rows import (
    REPLICAS,
    STUCK,
    TIME_CLASSES_S,
    ListedJob,
    Standing,
    count_key,
    counted_as,
    decode_standing,
    encode_listed,
    encode_standing,
    hour_key,
    replicas_key,
    replicas_of,
    shown_of,
    stand,
    standing_key,
    time_class,
    view_keys,
)
from replication.listing.query import ListPage, ListQuery, read_page
from replication.listing.ranges import END
from replication.listing.store import MAX_CHANGES, ListingChange, ListingStore
from replication.ports import Retries

# So many jobs' replicas fit into one transaction, with the row that counts them.
MAX_COUNTED = MAX_CHANGES - 1
_JOBS = Spec[Standing, ListedJob](
    name="listing",
    prefix=standing_key(""),
    encode=encode_standing,
    decode=decode_standing,
    shown=lambda standing: standing.listed,
    encode_shown=encode_listed,
    keys=view_keys,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingTotals:
    """How many jobs there are of each phase and, under "stuck", with a stuck copy; and replicas.

    `replicas` counts those of all jobs by state.
    """

    jobs: Mapping[str, int]
    replicas: Mapping[ReplicaState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfCopies:
    """The copies that became usable within an hour: how many, and how long they took.

    `classes` counts them by TIME_CLASSES_S and one class more.
    """

    hour: datetime
    copies: int = 0
    total_s: float = 0.0
    classes: tuple[int, ...] = (0,) * (len(TIME_CLASSES_S) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Follows every record; what could not be written is told of, and mended by the sweep."""

    store: ListingStore
    retries: Retries

    def follow(self, before: ReplicationJob | None, after: ReplicationJob) -> None:
        """List a job as its record is now; never fails what changed the record."""
        if before is None or shown_of(before) != shown_of(after):
            self._index.follow(lambda: self.note(after), key=after.key)

    def note(self, job: ReplicationJob) -> bool:
        """List a job as its record says, and tell whether that changed anything.

        Raises what the storage raises, and RecordChangedError when it does not come to rest.
        """
        return self.retries()(self._note_once, job)

    def page(self, query: ListQuery) -> ListPage:
        """Return one page of the jobs that a query means.

        Raises MalformedError for a cursor of another's making, and what the storage raises.
        """
        return self.retries()(read_page, self.store, query)

    def counts(self) -> Mapping[str, int]:
        """Return how many jobs there are of each phase, and under "stuck" with a stuck copy."""
        return self.totals().jobs

    def totals(self) -> ListingTotals:
        """Return every count there is, in one call; raises what the storage raises."""
        jobs: Counter[str] = Counter({phase.value: 0 for phase in Phase} | {STUCK: 0})
        replicas: Counter[ReplicaState] = Counter(dict.fromkeys(ReplicaState, 0))
        for row in self._index.beginning("count|"):
            _, what, _ = row.key.split("|")
            if what == REPLICAS:
                known = numbers(row.document.get("states"))
                replicas.update({state: known[state.value] for state in ReplicaState})
            else:
                jobs[what] += number(row.document.get("jobs"))
        return ListingTotals(jobs=dict(jobs), replicas=dict(replicas))

    def hours(self, *, since: datetime) -> tuple[HourOfCopies, ...]:
        """Return the hours since a moment in which copies became usable, the earliest first."""
        first = hour_key(since, 0).rpartition("|")[0]
        found: dict[str, HourOfCopies] = {}
        for row in self.retries()(self.store.between, first, f"hour|{END}", limit=PAGE):
            _, hour, _ = row.key.split("|")
            known = found.get(hour) or HourOfCopies(hour=datetime.fromisoformat(f"{hour}:00+00:00"))
            found[hour] = _added(known, row.document)
        return tuple(found[hour] for hour in sorted(found))

    def standings(self) -> Iterator[Standing]:
        """Yield where every job stands, in the order of their keys; unreadable rows left out."""
        for _, standing in self.tagged_standings():
            yield standing

    def tagged_standings(self) -> Iterator[tuple[str, Standing]]:
        """Yield the same, each behind the tag of its row."""
        for row in self._index.standings():
            standing = self._index.read(row)
            if standing is not None:
                yield row.etag, standing

    def count_replicas(self, uncounted: Sequence[tuple[str, Standing, ReplicationJob]]) -> None:
        """Count the replicas of jobs that are listed and of which none was counted yet.

        The jobs are of one shard, `MAX_COUNTED` at most, each behind the tag of its row and the
        standing in it. Raises what the storage raises, and RecordChangedError when a row changed.
        """
        key = replicas_key(shard_of(uncounted[0][1].listed.key))
        row = self.store.get([key]).get(key)
        more: Counter[str] = Counter()
        changes = []
        for etag, before, job in uncounted:
            replicas = replicas_of(job)
            more.update(replicas)
            after = replace(before, revision=job.revision, replicas=replicas)
            address = standing_key(job.key)
            changes.append(
                ListingChange(key=address, document=encode_standing(after), expected=etag)
            )
        self.store.commit([*changes, count_change(key, row, {"states": more})])

    @property
    def _index(self) -> Index[Standing, ListedJob]:
        return Index(store=self.store, retries=self.retries, spec=_JOBS)

    def _note_once(self, job: ReplicationJob) -> bool:
        # The counts of replicas are what changes most often beside where a job stands.
        found = self._index.find(standing_key(job.key), replicas_key(shard_of(job.key)))
        before = found.standing
        if before is not None and job.revision < before.revision:
            return False
        after = stand(job, before)
        if before is not None and replace(after, revision=before.revision) == before:
            return False
        self._index.change(found, after, _deltas(job, before, after))
        return True


@dataclass(slots=True)
class _Deltas:
    shard: int
    rows: dict[str, Document] = field(default_factory=dict)

    def jobs(self, what: str, number: int) -> None:
        row = self.rows.setdefault(count_key(what, self.shard), {"jobs": 0})
        row["jobs"] += number

    def replicas(self, was: Mapping[str, int], now: Mapping[str, int]) -> None:
        more = {state: now.get(state, 0) - was.get(state, 0) for state in was.keys() | now.keys()}
        if any(more.values()):
            self.rows[replicas_key(self.shard)] = {"states": more}

    def copy(self, planned: datetime, done: datetime) -> None:
        took_s = max(0.0, (done - planned).total_seconds())
        empty = {"copies": 0, "total_s": 0.0, "classes": [0] * (len(TIME_CLASSES_S) + 1)}
        row = self.rows.setdefault(hour_key(done, self.shard), empty)
        row["copies"] += 1
        row["total_s"] += took_s
        row["classes"][time_class(took_s)] += 1


def _deltas(
    job: ReplicationJob, before: Standing | None, after: Standing
) -> Mapping[str, Document]:
    """Return what is to be added to each counting row."""
    deltas = _Deltas(shard_of(job.key))
    was = counted_as(before.listed) if before else frozenset()
    now = counted_as(after.listed)
    for what in was - now:
        deltas.jobs(what, -1)
    for what in now - was:
        deltas.jobs(what, 1)
    counted = before.copies if before else {}
    for replica in job.replicas:
        done = after.copies.get(replica.region.name)
        if done is not None and done != counted.get(replica.region.name):
            deltas.copy(replica.planned_at, done)
    deltas.replicas((before and before.replicas) or {}, after.replicas or {})
    return deltas.rows


def _added(known: HourOfCopies, row: Mapping[str, object]) -> HourOfCopies:
    nothing: Document = {"copies": 0, "total_s": 0.0, "classes": [0] * (len(TIME_CLASSES_S) + 1)}
    more = added(row, nothing)
    return replace(
        known,
        copies=known.copies + more["copies"],
        total_s=known.total_s + more["total_s"],
        classes=tuple(
            one + other for one, other in zip(known.classes, more["classes"], strict=True)
        ),
    )
