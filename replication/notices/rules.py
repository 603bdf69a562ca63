"""Notice rules: of which causes of failure to tell, once for a cause and once when it is over.

Pure; the clock is an argument. What a receiver knows stands in its book. The next notices come with
two books: one for when they were delivered, one for when they were not.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# The codes of causes that are no failure of a job.
QUEUE_BEHIND = "queue_behind"
POISON_EXPIRING = "poison_expiring"
ABOUT_QUEUES = frozenset({QUEUE_BEHIND, POISON_EXPIRING})
TIMER_ABSENT = "timer_absent"
_MAX_DOUBLINGS = 4


class Change(StrEnum):
    """What became of a cause; in the order in which they are told."""

    NEW = "new"
    GROWN = "grown"
    RESOLVED = "resolved"
    REMINDER = "reminder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that fails now: how many jobs, since when, where, and what happens next.

    `key` stays the same while the cause lasts. `at_least` says that more may be concerned than were
    counted; `regions` and `galleries` are all that were seen.
    """

    key: str
    code: str
    jobs: int
    since: datetime
    region: str | None = None
    regions: frozenset[str] = frozenset()
    galleries: frozenset[str] = frozenset()
    at_least: bool = False
    next_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The causes that there are now.

    The keys that begin with one of `unsure` may exist unseen: their absence says nothing.
    """

    causes: tuple[Cause, ...]
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCause:
    """What a receiver knows of a cause.

    `notices` counts those since the cause began, `last_at` is when the last was sent and `jobs` the
    figure in it. `gone_at` is when it was first missed. `resolved_at` is when that was sent; the
    cause is remembered for a while, so that one that comes and goes (`returns`) has to stay away
    for longer.
    """

    key: str
    code: str
    region: str | None
    since: datetime
    last_at: datetime
    jobs: int = 0
    notices: int = 0
    returns: int = 0
    gone_at: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A cause that is news, and since when: so that its notice is the same when sent again."""

    key: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeBook:
    """What one receiver knows; while `busy_until` lies ahead nobody but `busy_by` may send.

    `waiting` are the causes of which it is yet to hear, until it has or they are over.
    """

    channel: str
    known: tuple[KnownCause, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    busy_by: str = ""
    busy_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRules:
    """When to speak, in seconds.

    Between two notices about a cause lie `quiet_s` at least. A cause is over when it was away for
    `settle_s`, twice as long for each time that it came back within `memory_s`.
    """

    repeat_s: float = 24 * 3600.0
    quiet_s: float = 600.0
    settle_s: float = 1800.0
    memory_s: float = 24 * 3600.0
    growth: int = 10
    max_causes: int = 100
    max_notices: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One piece of news; `id` stays the same when it has to be sent again.

    `cause` is as it is now, and as it was last told where it is over; `lasted_s` is set then.
    """

    id: str
    change: Change
    cause: Cause
    returns: int = 0
    lasted_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextNotices:
    """What to send now, the book for when it was delivered, and the one for when it was not.

    `later` counts the notices and causes for which there was no room; the next runs tell of them.
    """

    notices: tuple[Notice, ...]
    delivered: NoticeBook
    undelivered: NoticeBook
    later: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What becomes of one cause: the entry when its notice is delivered, and when not."""

    key: str
    entry: KnownCause | None
    otherwise: KnownCause | None
    notice: Notice | None = None


def next_notices(book: NoticeBook, seen: Seen, *, now: datetime, rules: NoticeRules) -> NextNotices:
    """Return what the book's receiver should hear now."""
    # What is known already keeps the time in its own entry.
    began = {waiting.key: waiting.since for waiting in book.waiting}
    causes = {
        cause.key: replace(cause, since=began.get(cause.key, cause.since)) for cause in seen.causes
    }
    keys = {known.key for known in book.known}
    steps = [_followed(known, causes.get(known.key), seen, now, rules) for known in book.known]
    steps += [_begun(cause, now) for key, cause in causes.items() if key not in keys]
    steps, crowded_out = _within(steps, rules.max_causes)
    spoken = sorted((step for step in steps if step.notice), key=_rank)[: rules.max_notices]
    silent = {step.key for step in steps if step.notice} - {step.key for step in spoken}
    delivered = (step.otherwise if step.key in silent else step.entry for step in steps)
    news = [waiting for waiting in map(_waiting, steps) if waiting is not None]
    fresh = {waiting.key for waiting in news}
    unseen = [waiting for waiting in book.waiting if waiting.key.startswith(seen.unsure)]
    unheard = [*news, *(waiting for waiting in unseen if waiting.key not in fresh)]
    unheard = unheard[: rules.max_causes]
    heard = fresh - silent
    return NextNotices(
        notices=tuple(step.notice for step in spoken if step.notice),
        delivered=_book(
            book, delivered, (waiting for waiting in unheard if waiting.key not in heard)
        ),
        undelivered=_book(book, (step.otherwise for step in steps), unheard),
        later=len(silent) + crowded_out,
    )


def digest_id(notices: Iterable[Notice]) -> str:
    """Return the id of a digest: the same for the same news."""
    return _digest(*sorted(one.id for one in notices))


def is_busy(book: NoticeBook, *, now: datetime) -> bool:
    """Tell whether somebody sends now, or the receiver asked for a pause."""
    return book.busy_until is not None and now < book.busy_until


def _followed(
    known: KnownCause, cause: Cause | None, seen: Seen, now: datetime, rules: NoticeRules
) -> _Step:
    """Return what becomes of a cause that the receiver knows."""
    if cause is None:
        return _absent(known, seen, now, rules)
    quiet = now - known.last_at < timedelta(seconds=rules.quiet_s)
    if known.resolved_at is not None:
        return _unchanged(known) if quiet else _returned(known, cause, now)
    here = replace(known, gone_at=None)
    if quiet:
        return _unchanged(here)
    if cause.jobs >= rules.growth * max(known.jobs, 1):
        return _again(here, Change.GROWN, cause, now)
    if now - known.last_at >= timedelta(seconds=rules.repeat_s):
        return _again(here, Change.REMINDER, cause, now)
    return _unchanged(here)


def _absent(known: KnownCause, seen: Seen, now: datetime, rules: NoticeRules) -> _Step:
    if known.resolved_at is not None:
        forgotten = now - known.resolved_at >= timedelta(seconds=rules.memory_s)
        return _Step(key=known.key, entry=None, otherwise=None) if forgotten else _unchanged(known)
    if known.key.startswith(seen.unsure):
        # It may have been there all the time.
        return _unchanged(replace(known, gone_at=None))
    gone_at = known.gone_at or now
    missed = replace(known, gone_at=gone_at)
    if now - gone_at < settling(known, rules):
        return _unchanged(missed)
    notice = Notice(
        id=_news_id(known, known.notices + 1, Change.RESOLVED),
        change=Change.RESOLVED,
        cause=Cause(
            key=known.key, code=known.code, region=known.region, jobs=known.jobs, since=known.since
        ),
        returns=known.returns,
        lasted_s=max(0.0, (gone_at - known.since).total_seconds()),
    )
    over = replace(missed, notices=known.notices + 1, last_at=now, resolved_at=now)
    return _Step(key=known.key, entry=over, otherwise=missed, notice=notice)


def settling(known: KnownCause, rules: NoticeRules) -> timedelta:
    """Return how long a cause has to stay away before it counts as over."""
    longest_s = max(rules.settle_s, rules.quiet_s) * 2.0 ** min(known.returns, _MAX_DOUBLINGS)
    return timedelta(seconds=longest_s)


def _begun(cause: Cause, now: datetime) -> _Step:
    entry = _entry(cause, now)
    return _Step(key=cause.key, entry=entry, otherwise=None, notice=_news(Change.NEW, entry, cause))


def _returned(known: KnownCause, cause: Cause, now: datetime) -> _Step:
    entry = replace(_entry(cause, now), returns=known.returns + 1)
    return _Step(
        key=known.key, entry=entry, otherwise=known, notice=_news(Change.NEW, entry, cause)
    )


def _again(known: KnownCause, change: Change, cause: Cause, now: datetime) -> _Step:
    entry = replace(known, code=cause.code, jobs=cause.jobs, notices=known.notices + 1, last_at=now)
    return _Step(key=known.key, entry=entry, otherwise=known, notice=_news(change, entry, cause))


def _unchanged(known: KnownCause) -> _Step:
    return _Step(key=known.key, entry=known, otherwise=known)


def _entry(cause: Cause, now: datetime) -> KnownCause:
    return KnownCause(
        key=cause.key,
        code=cause.code,
        region=cause.region,
        since=cause.since,
        last_at=now,
        jobs=cause.jobs,
        notices=1,
    )


def _news(change: Change, entry: KnownCause, cause: Cause) -> Notice:
    return Notice(
        id=_news_id(entry, entry.notices),
        change=change,
        cause=replace(cause, since=entry.since),
        returns=entry.returns,
    )


def _news_id(known: KnownCause, number: int, *change: Change) -> str:
    """Return the id of the cause's news of this number, whether it grew or is a reminder."""
    return _digest(known.key, known.since.isoformat(), str(known.returns), str(number), *change)


def _within(steps: list[_Step], most: int) -> tuple[list[_Step], int]:
    """Return the steps for which the book has room, and how many have to wait for it.

    What the receiver knows stays; then come new causes, the largest first; what is over and told
    makes room for them.
    """
    over = [step for step in steps if step.entry and step.entry.resolved_at and not step.notice]
    ended = [step for step in steps if step.entry is None]
    fresh = sorted((step for step in steps if step.otherwise is None and step.notice), key=_rank)
    apart = {id(step) for step in (*over, *ended, *fresh)}
    kept = [step for step in steps if id(step) not in apart]
    room = max(0, most - len(kept))
    crowded_out = len(fresh[room:])
    kept += fresh[:room]
    over.sort(key=_resolved_at, reverse=True)
    return kept + over[: max(0, most - len(kept))], crowded_out


def _rank(step: _Step) -> tuple[int, int, str]:
    notice = step.notice
    order = list(Change).index(notice.change) if notice else 0
    return order, -notice.cause.jobs if notice else 0, step.key


def _resolved_at(step: _Step) -> tuple[datetime | None, str]:
    return (step.entry.resolved_at if step.entry else None), step.key


def _waiting(step: _Step) -> Waiting | None:
    """Return what is to be remembered of a cause that is news."""
    if step.notice is None or step.notice.change is not Change.NEW:
        return None
    return Waiting(key=step.key, since=step.notice.cause.since)


def _book(
    book: NoticeBook, entries: Iterable[KnownCause | None], waiting: Iterable[Waiting]
) -> NoticeBook:
    present = (entry for entry in entries if entry is not None)
    # Whoever decides has found that nobody sends.
    return NoticeBook(
        channel=book.channel,
        known=tuple(sorted(present, key=lambda entry: entry.key)),
        waiting=tuple(sorted(waiting, key=lambda one: one.key)),
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
