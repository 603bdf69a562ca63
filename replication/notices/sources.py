"""Read which causes of failure there are now, whatever they stand in."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from tenacity import Retrying

from replication.circuits import Circuit, closed_to
from replication.controls import Controls
from replication.errors import FailureCode, ReplicationError
from replication.failures import FAILURES, Budget
from replication.letter_filter import gallery_of_letter
from replication.listing_query import ListOrder, ListQuery, read_page
from replication.listing_rows import STUCK
from replication.listing_store import ListingStore
from replication.log import log_outcome
from replication.notices.deciding import Cause, Seen
from replication.ports import DeadLetters, JobQueues, LetterQuery, ListedLetter

# Failed copies, a region that is held back for them, and its letters are one trouble.
_ONE_REGION = (FailureCode.COPY_FAILED, FailureCode.REGION_HELD_BACK)
# Of these each region is a cause of its own; of the others the code is.
_BY_REGION = (
    FailureCode.ENCRYPTION_SET_MISSING,
    FailureCode.REGION_UNAVAILABLE,
    FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
)
_CODES = frozenset(code.value for code in FailureCode)
_REGION, _LETTER, _STUCK = "region|", "letter|", "stuck|"
_POISON = f"{_LETTER}{FailureCode.POISON_MESSAGE}"
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSources:
    """Where causes show: the dead letters, the poison queues, the circuits and the listing.

    A part that cannot be read is told of in the log, and its causes count as not known. No more
    than `max_letters` letters and `max_stuck` stuck jobs are read.
    """

    letters: DeadLetters
    queues: JobQueues
    controls: Controls
    listing: ListingStore
    retries: Callable[[], Retrying]
    clock: Callable[[], datetime]
    max_letters: int = 5000
    max_stuck: int = 1000

    def read(self) -> Seen:
        """Return the causes that there are now, by key."""
        found = _Found()
        for read, keys in (
            (self._read_letters, (_LETTER, _REGION)),
            (self._read_poison, (_POISON,)),
            (self._read_circuits, (_REGION,)),
            (self._read_stuck, (_STUCK,)),
        ):
            try:
                complete = read(found)
            except ReplicationError as error:
                complete = False
                log_outcome(
                    "notices.unread", level=logging.WARNING, keys=list(keys), reason=str(error)
                )
            if not complete:
                found.unsure.update(keys)
        causes = tuple(found.causes[key] for key in sorted(found.causes))
        return Seen(causes=causes, unsure=tuple(sorted(found.unsure)))

    def _read_letters(self, found: "_Found") -> bool:
        half = self.max_letters // 2
        first = self._letters_from(None, half)
        letters = {one.id: one for one in first.letters}
        if first.next_cursor is not None:
            # Another part with each run, so that a cause with few letters is found in its turn.
            other = self._letters_from(self._turn(), self.max_letters - half)
            letters |= {one.id: one for one in other.letters}
            # As many as that part lacked, where it came to the end or met the first.
            rest = self._letters_from(first.next_cursor, self.max_letters - len(letters))
            letters |= {one.id: one for one in rest.letters}
        for letter in letters.values():
            for cause in _causes_of(letter):
                found.add(cause)
        if first.next_cursor is not None:
            found.no_more_counted((_LETTER, _REGION))
        return first.next_cursor is None

    def _letters_from(self, cursor: str | None, most: int) -> "_Part":
        letters: list[ListedLetter] = []
        while len(letters) < most:
            query = LetterQuery(cursor=cursor, limit=min(_PAGE, most - len(letters)))
            page = self.letters.find(query)
            letters += page.letters
            cursor = page.next_cursor
            if cursor is None:
                break
        return _Part(letters=letters, next_cursor=cursor)

    def _turn(self) -> str:
        """Return a place among the ids, which are hashes: another one every minute."""
        minute = int(self.clock().timestamp()) // 60
        return hashlib.sha256(str(minute).encode()).hexdigest()[:32]

    def _read_poison(self, found: "_Found") -> bool:
        waiting = sum(one.poison_depth for one in self.queues.depths())
        if waiting:
            # On their way to the desk, where they are letters of the same cause.
            code = FailureCode.POISON_MESSAGE
            found.add(_cause(_POISON, code, jobs=waiting, since=self.clock()))
        return True

    def _read_circuits(self, found: "_Found") -> bool:
        for circuit in self.controls.snapshot().values():
            if isinstance(circuit, Circuit) and circuit.opened_at is not None:
                found.hold(circuit, self.clock())
        return True

    def _read_stuck(self, found: "_Found") -> bool:
        query, left = ListQuery(stuck=True, order=ListOrder.OLDEST), self.max_stuck
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    letters: list[ListedLetter]
    next_cursor: str | None


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


def _causes_of(letter: ListedLetter) -> Iterator[Cause]:
    galleries = frozenset({gallery_of_letter(letter)} - {""})
    base = _cause(f"{_LETTER}{letter.code}", letter.code, jobs=1, since=letter.at)
    base = replace(base, regions=frozenset(letter.regions), galleries=galleries)
    by_region = letter.code in _ONE_REGION or letter.code in _BY_REGION
    if not by_region or not letter.regions:
        yield base
        return
    for region in letter.regions:
        key = f"{base.key}|{region}"
        if letter.code in _ONE_REGION:
            key = f"{_REGION}{region}"
        yield replace(base, key=key, region=region, regions=frozenset({region}))


def _cause(key: str, code: str, *, jobs: int, since: datetime) -> Cause:
    return Cause(key=key, code=code, jobs=jobs, since=since, next_step=_next_step(code))


def _next_step(code: str) -> str:
    kind = FAILURES[FailureCode(code)] if code in _CODES else None
    if kind is None or not kind.transient:
        return "Nothing is tried again until a person has acted."
    if kind.budget is Budget.RELEASE:
        return "Each waits until it fits its budget, or is released."
    return "It may work later; what gave up is tried again when it is replayed."


def _together(one: Cause, other: Cause) -> Cause:
    return replace(
        one,
        jobs=one.jobs + other.jobs,
        since=min(one.since, other.since),
        regions=one.regions | other.regions,
        galleries=one.galleries | other.galleries,
        at_least=one.at_least or other.at_least,
    )
