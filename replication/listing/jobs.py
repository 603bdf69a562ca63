"""Keep the listing in step with the records, and read pages and counts from it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tenacity import Retrying

from replication.domain.errors import MalformedError, NewerFormatError, ReplicationError
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.listing.job_rows import (
    REPLICAS,
    STUCK,
    TIME_CLASSES_S,
    Document,
    ListedJob,
    Standing,
    copies_of,
    count_key,
    counted_as,
    decode_standing,
    encode_listed,
    encode_standing,
    hour_key,
    list_job,
    replicas_key,
    replicas_of,
    shard_of,
    standing_key,
    time_class,
    view_keys,
)
from replication.listing.query import ListPage, ListQuery, read_page
from replication.listing.store import MAX_CHANGES, ListingChange, ListingRow, ListingStore
from replication.telemetry.log import log_outcome

_AT_ONCE = 15
_PAGE = 1000
# So many jobs' replicas fit into one transaction, with the row that counts them.
MAX_COUNTED = MAX_CHANGES - 1
# Sorts after every character of a row key.
_END = "\uffff"


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

    `classes` counts them by listing_rows.TIME_CLASSES_S and one class more.
    """

    hour: datetime
    copies: int = 0
    total_s: float = 0.0
    classes: tuple[int, ...] = (0,) * (len(TIME_CLASSES_S) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Follows every record; what could not be written is told of, and mended by the sweep."""

    store: ListingStore
    retries: Callable[[], Retrying]

    def follow(self, before: ReplicationJob | None, after: ReplicationJob) -> None:
        """List a job as its record is now; never fails what changed the record."""
        if before is not None and _shows(before) == _shows(after):
            return
        try:
            self.note(after)
        except ReplicationError as error:
            log_outcome("listing.behind", level=logging.WARNING, key=after.key, reason=str(error))

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
        rows = self.retries()(self.store.between, "count|", f"count|{_END}", limit=_PAGE)
        for row in rows:
            _, what, _ = row.key.split("|")
            if what == REPLICAS:
                known = _states(row.document)
                replicas.update({state: known.get(state.value, 0) for state in ReplicaState})
            else:
                jobs[what] += _number(row.document.get("jobs"))
        return ListingTotals(jobs=dict(jobs), replicas=dict(replicas))

    def hours(self, *, since: datetime) -> tuple[HourOfCopies, ...]:
        """Return the hours since a moment in which copies became usable, the earliest first."""
        first = hour_key(since, 0).rpartition("|")[0]
        found: dict[str, HourOfCopies] = {}
        for row in self.retries()(self.store.between, first, f"hour|{_END}", limit=_PAGE):
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
        after = "job|"
        while True:
            rows = self.retries()(self.store.between, after, f"job|{_END}", limit=_PAGE)
            for row in rows:
                standing = _readable(row)
                if standing is not None:
                    yield row.etag, standing
            if len(rows) < _PAGE:
                return
            after = rows[-1].key

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
        document = _sum(row.document if row else {}, {"states": more})
        changes.append(
            ListingChange(key=key, document=document, expected=row.etag if row else None)
        )
        self.store.commit(changes)

    def _note_once(self, job: ReplicationJob) -> bool:
        address, replicas_row = standing_key(job.key), replicas_key(shard_of(job.key))
        # The second is what changes most often beside it.
        known = self.store.get([address, replicas_row])
        row = known.pop(address, None)
        before = _readable(row) if row else None
        if before is not None and job.revision < before.revision:
            return False
        listed, copies, replicas = list_job(job, before), copies_of(job), replicas_of(job)
        counted = dict(before.copies) if before else {}
        fresh = {name: times for name, times in copies.items() if counted.get(name) != times[1]}
        same = before is not None and before.listed == listed
        if before is not None and same and not fresh and before.replicas == replicas:
            return False
        counted |= {name: done for name, (_, done) in fresh.items()}
        after = Standing(listed=listed, revision=job.revision, copies=counted, replicas=replicas)
        expected = row.etag if row else None
        changes = [
            ListingChange(key=address, document=encode_standing(after), expected=expected),
            *(() if same else _views(before.listed if before else None, listed)),
            *self._counts(_deltas(before, after, fresh), known, replicas_row),
        ]
        self.store.commit(changes)
        return True

    def _counts(
        self, deltas: Mapping[str, Document], known: dict[str, ListingRow], replicas_row: str
    ) -> Iterator[ListingChange]:
        unread = sorted(deltas.keys() - {replicas_row})
        for start in range(0, len(unread), _AT_ONCE):
            known |= self.store.get(unread[start : start + _AT_ONCE])
        for key in sorted(deltas):
            row = known.get(key)
            yield ListingChange(
                key=key,
                document=_sum(row.document if row else {}, deltas[key]),
                expected=row.etag if row else None,
            )


def _readable(row: ListingRow) -> Standing | None:
    """Return where a job stands, None for a row to be written anew.

    Raises NewerFormatError for a newer release's.
    """
    try:
        return decode_standing(row.document)
    except NewerFormatError:
        raise
    except MalformedError as error:
        log_outcome("listing.unreadable", level=logging.ERROR, row=row.key, reason=str(error))
        return None


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
    before: Standing | None, after: Standing, fresh: Mapping[str, tuple[datetime, datetime]]
) -> dict[str, Document]:
    """Return what is to be added to each counting row."""
    deltas = _Deltas(shard_of(after.listed.key))
    was = counted_as(before.listed) if before else frozenset()
    now = counted_as(after.listed)
    for what in was - now:
        deltas.jobs(what, -1)
    for what in now - was:
        deltas.jobs(what, 1)
    for planned, done in fresh.values():
        deltas.copy(planned, done)
    deltas.replicas((before and before.replicas) or {}, after.replicas or {})
    return deltas.rows


def _views(before: ListedJob | None, after: ListedJob) -> Iterator[ListingChange]:
    was, now = set(view_keys(before)) if before else set(), set(view_keys(after))
    for key in sorted(was - now):
        yield ListingChange(key=key, document=None)
    document = encode_listed(after)
    for key in sorted(now):
        yield ListingChange(key=key, document=document)


def _sum(known: Document | Mapping[str, object], added: Document) -> Document:
    if "jobs" in added:
        return {"jobs": max(0, _number(known.get("jobs")) + added["jobs"])}
    if "states" in added:
        total = Counter(_states(known))
        total.update(added["states"])
        return {"states": {state: count for state, count in sorted(total.items()) if count > 0}}
    classes = known.get("classes")
    old = classes if isinstance(classes, list) else []
    new = added["classes"]
    padded = [_number(one) for one in old] + [0] * (len(new) - len(old))
    return {
        "copies": _number(known.get("copies")) + added["copies"],
        "total_s": _seconds(known.get("total_s")) + added["total_s"],
        "classes": [one + other for one, other in zip(padded, new, strict=False)],
    }


def _added(known: HourOfCopies, row: Mapping[str, object]) -> HourOfCopies:
    both = _sum(
        {"copies": known.copies, "total_s": known.total_s, "classes": list(known.classes)},
        {
            "copies": _number(row.get("copies")),
            "total_s": _seconds(row.get("total_s")),
            "classes": _classes(row.get("classes")),
        },
    )
    return replace(
        known, copies=both["copies"], total_s=both["total_s"], classes=tuple(both["classes"])
    )


def _states(row: Mapping[str, object]) -> dict[str, int]:
    known = row.get("states")
    return {str(k): _number(n) for k, n in known.items()} if isinstance(known, dict) else {}


def _classes(value: object) -> list[int]:
    size = len(TIME_CLASSES_S) + 1
    numbers = [_number(one) for one in value] if isinstance(value, list) else []
    return [*numbers, *[0] * size][:size]


def _shows(job: ReplicationJob) -> tuple[object, ...]:
    """Return what of a record the listing shows or counts, but for the time of its last change."""
    return replace(list_job(job, None), since=job.started_at), copies_of(job), replicas_of(job)


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
