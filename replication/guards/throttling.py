"""Throttling: Azure's rate limits, which calls may go under them now and which must wait.

Pure; the clock is an argument. One gate a scope is shared by all instances through a table row.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from replication.domain.errors import Operation
from replication.domain.image_version import ImageVersionId
from replication.domain.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleScope:
    """What a pause is about; None stands for every operation, or for every gallery."""

    subscription_id: str
    operation: Operation | None = None
    gallery: str | None = None

    @property
    def key(self) -> str:
        """The scope as one text, fit for a table key."""
        parts = (self.subscription_id, self.operation or "*", self.gallery or "*")
        return "|".join(parts).lower()

    @classmethod
    def parse(cls, key: str) -> Self:
        """Read `key`; raises ValueError."""
        subscription_id, operation, gallery = key.split("|")
        return cls(
            subscription_id=subscription_id,
            operation=None if operation == "*" else Operation(operation),
            gallery=None if gallery == "*" else gallery,
        )

    @classmethod
    def around(cls, version_id: ImageVersionId, operation: Operation) -> tuple[Self, ...]:
        """Return every scope that a call for this version falls under."""
        subscription_id = version_id.subscription_id.lower()
        gallery = gallery_of(version_id)
        return tuple(
            cls(subscription_id=subscription_id, operation=counted, gallery=place)
            for counted in (operation, None)
            for place in (None, gallery)
        )


def gallery_of(version_id: ImageVersionId) -> str:
    """Name the gallery within its subscription."""
    return f"{version_id.resource_group}~{version_id.gallery}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class RateReading:
    """What an answer said of one limit: how many more calls it allows."""

    scope: ThrottleScope
    bucket: str
    remaining: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `calls` in a window of `window_s`; what is spent comes back evenly or at its end."""

    calls: int
    window_s: float

    @property
    def interval_s(self) -> float:
        """The distance of calls that the limit bears for ever."""
        return self.window_s / self.calls

    @property
    def reserve(self) -> int:
        """Below this many calls left it is time to slow down."""
        return max(3, self.calls // 50)


# From recorded answers (2,000 and 10,000 reads, 375 and 1,200 writes in 3 and 30 minutes) and from
# the vendor's text on Resource Manager's token buckets (250 at once and 25 a second, 200 and 10).
_KNOWN = {
    "creategalleryimageversion3min": RateLimit(calls=375, window_s=180),
    "createupdategalleryimageversion3min": RateLimit(calls=375, window_s=180),
    "createupdategalleryimageversion30min": RateLimit(calls=1_200, window_s=1_800),
    "getgalleryimageversion3min": RateLimit(calls=2_000, window_s=180),
    "getgalleryimageversion30min": RateLimit(calls=10_000, window_s=1_800),
    "subscription-reads": RateLimit(calls=250, window_s=10),
    "subscription-writes": RateLimit(calls=200, window_s=20),
}
# Where nothing is known but the window: a modest limit for the pace, and a small reserve.
_UNKNOWN = RateLimit(calls=100, window_s=100)
_MINUTES = re.compile(r"([1-9][0-9]?)min$")


def rate_limit(bucket: str) -> RateLimit:
    """Return what is known of a limit by its name in Azure's header."""
    name = bucket.lower().rpartition("/")[2]
    if name in _KNOWN:
        return _KNOWN[name]
    minutes = _MINUTES.search(name)
    if minutes is None:
        return _UNKNOWN
    return RateLimit(calls=100, window_s=int(minutes[1]) * 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class LowBucket:
    """A limit that is nearly used up, as of a moment."""

    bucket: str
    remaining: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The line before a gate, in numbers, so that one write changes the pace of all in it.

    `last` is the newest number given out; those up to `void` belong to lines that are over. At
    `turn_at` it was the turn of `turn`, a part of a number being a part of the way to the next.
    """

    last: int = 0
    void: int = 0
    turn: float = 0.0
    turn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The state of one scope.

    Closed until `closed_until`, which Azure asked for. While `low` buckets are on record, or until
    `paced_until` after a pause, calls pass one by one in the order of `line`. `refusals` counts the
    pauses in a row.
    """

    scope: ThrottleScope
    closed_until: datetime | None = None
    reason: str = ""
    refusals: int = 0
    paced_until: datetime | None = None
    low: tuple[LowBucket, ...] = ()
    line: Line = field(default_factory=Line)

    def is_closed(self, now: datetime) -> bool:
        """Tell whether Azure asked for a pause that is not over."""
        return self.closed_until is not None and self.closed_until > now

    def interval_s(self, now: datetime) -> float:
        """Return the distance that calls must keep now; 0 where they may go freely."""
        intervals = [rate_limit(one.bucket).interval_s for one in self.low if _fresh(one, now)]
        if self.paced_until is not None and self.paced_until > now:
            intervals.append(_PACE_AFTER_A_PAUSE_S[self.scope.operation])
        return max(intervals, default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether a call may go: `wait_until` is None when it may, `number` is its place in line."""

    gate: Gate
    wait_until: datetime | None = None
    number: int | None = None


# The pace of Resource Manager's buckets, until an answer tells more.
_PACE_AFTER_A_PAUSE_S = {Operation.READ: 1 / 25, Operation.WRITE: 1 / 10, None: 1 / 10}
# How long the pace is kept after a pause if no answer tells that it may be dropped.
_PACED_FOR_S = 180.0
# Azure's own word is in whole seconds; less than one would be a hammering.
_MIN_PAUSE_S = 1.0
# Someone in line looks again: the limit may have been lifted meanwhile. After a pause that is
# likely, for a window that begins anew is full; in a long line a look now and then will do.
_LOOK_AGAIN_AFTER_A_PAUSE_S = 3.0
_LOOK_AGAIN_S = 10.0
_LOOK_AGAIN_SHARE = 0.25
# A call whose turn comes within this time goes now.
_SOON_S = 0.05
_MAX_DOUBLINGS = 16


def shut(
    gate: Gate, *, now: datetime, retry_after_s: float | None, reason: str, limits: Limits
) -> Gate:
    """Close a gate because Azure answered 429; without its own word, for longer each time."""
    if gate.is_closed(now):
        refusals = gate.refusals  # one more answer of the same wall
    elif gate.paced_until is not None and gate.paced_until > now:
        refusals = gate.refusals + 1
    else:
        refusals = 1
    if retry_after_s is None:
        doublings = min(max(0, refusals - 1), _MAX_DOUBLINGS)
        pause_s = min(limits.retry_max_s, limits.retry_base_s * 2.0**doublings)
    else:
        pause_s = retry_after_s
    until = now + timedelta(seconds=max(_MIN_PAUSE_S, pause_s))
    if gate.closed_until is not None:
        until = max(until, gate.closed_until)
    return replace(
        gate,
        closed_until=until,
        paced_until=until + timedelta(seconds=_PACED_FOR_S),
        reason=reason,
        refusals=refusals,
        line=_line_at(gate, now),
    )


def admit(gate: Gate, *, number: int | None, now: datetime) -> Admission:
    """Let a call through, or give it a place in line; `number` is the one it has already."""
    opens_at = gate.closed_until if gate.is_closed(now) else None
    interval_s = gate.interval_s(now)
    if opens_at is None and interval_s == 0:
        return Admission(gate=gate)
    if number is None or not gate.line.void < number <= gate.line.last:
        number = gate.line.last + 1
        line = replace(gate.line, last=number, turn=_turn(gate, now), turn_at=now)
        gate = replace(gate, line=line)
    ahead_s = max(0.0, number - _turn(gate, now)) * interval_s
    if opens_at is not None:
        wait_s = min(ahead_s, _LOOK_AGAIN_AFTER_A_PAUSE_S)
    elif ahead_s <= _SOON_S:
        return Admission(gate=gate)
    else:
        wait_s = min(ahead_s, max(_LOOK_AGAIN_S, ahead_s * _LOOK_AGAIN_SHARE))
    wait_until = (opens_at or now) + timedelta(seconds=wait_s)
    return Admission(gate=gate, wait_until=wait_until, number=number)


def note(gate: Gate, readings: Iterable[RateReading], *, now: datetime) -> Gate:
    """Learn from an answer: what is nearly used up, and what no longer is.

    Returns the gate itself where nothing worth a record changed.
    """
    newest = {reading.bucket: reading.remaining for reading in readings}
    known = {low.bucket: low for low in gate.low if _fresh(low, now)}
    low = [before for before in known.values() if before.bucket not in newest]
    for bucket, remaining in newest.items():
        before, reserve = known.get(bucket), rate_limit(bucket).reserve
        # What was low must recover well before it is thought ample again.
        if remaining > (reserve if before is None else 2 * reserve):
            continue
        if before is None or not _recent(before, now):
            before = LowBucket(bucket=bucket, remaining=remaining, at=now)
        low.append(before)
    changed = replace(gate, low=tuple(sorted(low, key=lambda one: one.bucket)))
    if newest and not gate.is_closed(now):
        # The wall is behind us. Where nothing is low the pace may go as well.
        changed = replace(changed, refusals=0, paced_until=gate.paced_until if low else None)
    return gate if changed == gate else replace(changed, line=_line_at(gate, now))


def _line_at(gate: Gate, now: datetime) -> Line:
    """Return the line as it stands now, before the pace changes; a new one where there was none."""
    line = gate.line
    if gate.interval_s(now) > 0:
        return replace(line, turn=_turn(gate, now), turn_at=now)
    return Line(last=line.last, void=line.last, turn=line.last + 1.0, turn_at=now)


def _turn(gate: Gate, now: datetime) -> float:
    """Return whose turn it is; a line stands still while its gate is closed."""
    line, interval_s = gate.line, gate.interval_s(now)
    if line.turn_at is None or interval_s == 0:
        return line.turn
    moved_from = max(line.turn_at, gate.closed_until or line.turn_at)
    moved_s = max(0.0, (now - moved_from).total_seconds())
    # Whoever comes to an empty line is next, but turns that nobody took are not saved up.
    return max(line.turn, min(line.last + 1.0, line.turn + moved_s / interval_s))


def _fresh(low: LowBucket, now: datetime) -> bool:
    """Tell whether a limit that was nearly used up may still be so."""
    return (now - low.at).total_seconds() < rate_limit(low.bucket).window_s


def _recent(low: LowBucket, now: datetime) -> bool:
    return (now - low.at).total_seconds() < rate_limit(low.bucket).window_s / 4
