"""Notice sources: which causes of failure there are now, whatever they stand in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from replication.dead_letters.filter import gallery_of_letter
from replication.domain import formatting
from replication.domain.errors import FailureCode, ReplicationError
from replication.domain.failures import FAILURES, TryLimit
from replication.guards.circuits import Circuit, closed_to
from replication.guards.pauses import PAUSES
from replication.guards.region_health import CIRCUITS
from replication.listing.job_rows import STUCK
from replication.listing.query import ListOrder, ListQuery, read_page
from replication.listing.store import ListingStore
from replication.notices.rules import POISON_EXPIRING, QUEUE_BEHIND, TIMER_ABSENT, Cause, Seen
from replication.ports import (
    DeadLetters,
    JobQueues,
    LetterCause,
    LetterQuery,
    ListedLetter,
    QueueDepth,
    Retries,
)
from replication.shared_state.state import SharedState
from replication.telemetry.log import WARNING, log_outcome

# Failed copies, a region that is held back for them, and its letters are one trouble.
_ONE_REGION = (FailureCode.COPY_FAILED, FailureCode.REGION_HELD_BACK)
# Of these each region is a cause of its own; of the others the code is.
_BY_REGION = (
    FailureCode.ENCRYPTION_SET_MISSING,
    FailureCode.REGION_UNAVAILABLE,
    FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
)
_CODES = frozenset(code.value for code in FailureCode)
_REGION, _LETTER, _STUCK, _QUEUE = "region|", "letter|", "stuck|", "queue|"
_EXPIRING, _TIMER = "expiring|", "timer|"
_POISON = f"{_LETTER}{FailureCode.POISON_MESSAGE}"
_PAGE = 200
# What the host buries lives for seven days: this leaves most of them to act.
_EXPIRY_NOTICE = timedelta(days=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """From when on something is a cause.

    A queue is behind when a message has been due for `behind_s`. No more than `max_stuck` stuck
    jobs are read. `absent_timers` are those that the host leaves out, with what follows.
    """

    behind_s: float = 900.0
    max_stuck: int = 1000
    absent_timers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSources:
    """Where causes show: the dead letters, the queues, the circuits and the listing.

    A part that cannot be read is told of in the log, and its causes count as not known. Of each
    failure code the newest letters are read.
    """

    letters: DeadLetters
    queues: JobQueues
    shared_state: SharedState
    listing: ListingStore
    retries: Retries
    clock: Callable[[], datetime]
    watch: Watch = field(default_factory=Watch)

    def read(self) -> Seen:
        """Return the causes that there are now, by key."""
        found = _Found()
        for read, keys in (
            (self._read_letters, (_LETTER, _REGION)),
            (self._read_queues, (_POISON, _QUEUE, _EXPIRING)),
            (self._read_circuits, (_REGION,)),
            (self._read_stuck, (_STUCK,)),
        ):
            try:
                complete = read(found)
            except ReplicationError as error:
                complete = False
                log_outcome("notices.unread", level=WARNING, keys=list(keys), reason=str(error))
            if not complete:
                found.unsure.update(keys)
        for function, problem in self.watch.absent_timers.items():
            found.add(
                Cause(
                    key=f"{_TIMER}{function}",
                    code=TIMER_ABSENT,
                    jobs=1,
                    since=self.clock(),
                    next_step=f"{problem}.",
                )
            )
        causes = tuple(found.causes[key] for key in sorted(found.causes))
        return Seen(causes=causes, unsure=tuple(sorted(found.unsure)))

    def _read_letters(self, found: "_Found") -> bool:
        for counted in self.letters.causes():
            self._read_code(counted, found)
        return True

    def _read_code(self, counted: LetterCause, found: "_Found") -> None:
        """Add what the counts say of a code; its newest letters say since when and where from."""
        newest = self.letters.find(LetterQuery(code=counted.code, limit=_PAGE)).letters
        all_seen = len(newest) >= counted.letters
        since = min((one.at for one in newest), default=None)
        if not all_seen or since is None:
            since = self.letters.oldest(counted.code) or since or self.clock()
        base = _cause(f"{_LETTER}{counted.code}", counted.code, jobs=counted.letters, since=since)
        if counted.code not in (*_ONE_REGION, *_BY_REGION):
            regions = frozenset(counted.regions)
            found.add(replace(base, regions=regions, galleries=_galleries(newest)))
            return
        for region, jobs in counted.regions.items():
            own = [one for one in newest if region in one.regions]
            key = f"{base.key}|{region}"
            if counted.code in _ONE_REGION:
                key = f"{_REGION}{region}"
            found.add(
                replace(
                    base,
                    key=key,
                    jobs=jobs,
                    since=min(one.at for one in own) if 0 < jobs <= len(own) else since,
                    region=region,
                    regions=frozenset({region}),
                    galleries=_galleries(own),
                )
            )
        # A letter may be about several regions, so that the counts do not tell how many name none.
        nowhere = [one for one in newest if not one.regions]
        jobs = max(len(nowhere), counted.letters - sum(counted.regions.values()))
        if jobs > 0:
            found.add(
                replace(base, jobs=jobs, at_least=not all_seen, galleries=_galleries(nowhere))
            )
        elif not all_seen:
            found.unsure.add(base.key)

    def _read_queues(self, found: "_Found") -> bool:
        depths = self.queues.depths()
        waiting = sum(one.poison_depth for one in depths)
        if waiting:
            # On their way to the desk, where they are letters of the same cause. Nobody can tell
            # since when; the book remembers when it was first seen.
            code = FailureCode.POISON_MESSAGE
            found.add(_cause(_POISON, code, jobs=waiting, since=self.clock()))
        for depth in depths:
            self._add_expiring(depth, found)
            age_s = depth.oldest_age_s or 0.0
            if age_s < self.watch.behind_s:
                continue
            key = f"{_QUEUE}{depth.name}"
            if self.shared_state.get(PAUSES, depth.name):
                # Whoever paused it knows; what was told before is neither repeated nor over.
                found.unsure.add(key)
                continue
            found.add(
                Cause(
                    key=key,
                    code=QUEUE_BEHIND,
                    jobs=depth.depth - (depth.invisible or 0),
                    at_least=depth.invisible is None,
                    since=self.clock() - timedelta(seconds=age_s),
                    next_step="Nothing is lost: the messages stay until they are taken.",
                )
            )
        return True

    def _add_expiring(self, depth: QueueDepth, found: "_Found") -> None:
        """Add what lies in a poison queue and nobody keeps, before the service deletes it."""
        key = f"{_EXPIRING}{depth.name}-poison"
        expires_at = depth.poison_expires_at
        if expires_at is not None and expires_at - self.clock() < _EXPIRY_NOTICE:
            found.add(
                Cause(
                    key=key,
                    code=POISON_EXPIRING,
                    jobs=depth.poison_depth,
                    since=self.clock(),
                    next_step=f"Azure deletes the first at {formatting.moment(expires_at)}.",
                )
            )
        elif depth.poison_depth and expires_at is None:
            # Hidden, for somebody tries it: for how long already cannot be seen.
            found.unsure.add(key)

    def _read_circuits(self, found: "_Found") -> bool:
        for circuit in self.shared_state.all(CIRCUITS).values():
            if circuit.opened_at is not None:
                found.hold(circuit, self.clock())
        return True

    def _read_stuck(self, found: "_Found") -> bool:
        query, left = ListQuery(stuck=True, order=ListOrder.OLDEST), self.watch.max_stuck
        while left > 0:
            asked = replace(query, limit=min(_PAGE, left))
            page = self.retries()(read_page, self.listing, asked)
            for job in page.jobs:
                for region in job.stuck_regions:
                    found.add(
                        Cause(
                            key=f"{_STUCK}{region}",
                            code=STUCK,
                            jobs=1,
                            since=job.stuck_since or job.since,
                            region=region,
                            regions=frozenset({region}),
                            galleries=frozenset({job.gallery.lower()}),
                            next_step="The copies are followed on, and fail at their deadline.",
                        )
                    )
            if page.next_cursor is None:
                return True
            left -= asked.limit
            query = replace(query, cursor=page.next_cursor)
        found.no_more_counted((_STUCK,))
        return False


@dataclass(slots=True)
class _Found:
    causes: dict[str, Cause] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    def add(self, cause: Cause) -> None:
        known = self.causes.get(cause.key)
        self.causes[cause.key] = cause if known is None else _together(known, cause)

    def hold(self, circuit: Circuit, now: datetime) -> None:
        """Add a region that is held back to the letters that it led to."""
        region = circuit.region.name
        hold = closed_to(circuit, "", now)
        cause = Cause(
            key=f"{_REGION}{region}",
            code=FailureCode.REGION_HELD_BACK,
            jobs=len(circuit.failures),
            since=circuit.opened_at or now,
            region=region,
            regions=frozenset({region}),
            next_step=hold.reason if hold else "",
        )
        known = self.causes.get(cause.key, cause)
        # The versions that failed are those of the letters, as far as they have one.
        jobs = max(known.jobs, cause.jobs)
        self.causes[cause.key] = replace(
            _together(known, cause), code=cause.code, jobs=jobs, next_step=cause.next_step
        )

    def no_more_counted(self, keys: tuple[str, ...]) -> None:
        for key, cause in self.causes.items():
            if key.startswith(keys):
                self.causes[key] = replace(cause, at_least=True)


def _galleries(letters: Iterable[ListedLetter]) -> frozenset[str]:
    return frozenset(gallery_of_letter(one) for one in letters) - {""}


def _cause(key: str, code: str, *, jobs: int, since: datetime) -> Cause:
    return Cause(key=key, code=code, jobs=jobs, since=since, next_step=_next_step(code))


def _next_step(code: str) -> str:
    kind = FAILURES[FailureCode(code)] if code in _CODES else None
    if kind is None or not kind.transient:
        return "Nothing is tried again until a person has acted."
    if kind.tries is TryLimit.RELEASE:
        return "Each waits until it fits its budget, or is released."
    return "It may work later; what gave up is tried again when it is replayed."


def _together(cause: Cause, other: Cause) -> Cause:
    return replace(
        cause,
        jobs=cause.jobs + other.jobs,
        since=min(cause.since, other.since),
        regions=cause.regions | other.regions,
        galleries=cause.galleries | other.galleries,
        at_least=cause.at_least or other.at_least,
    )
