"""Schedules: when a timer fires next, by an expression or by a time span, in the host's zone.

As recorded of the vendor's timers, clock changes included.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from localcloud.functions.schedules.cron import Cron

_SPAN = re.compile(
    r"(?P<sign>-?)(?:(?P<days>[0-9]{1,8})\.)?(?P<first>[0-9]{1,8}):(?P<second>[0-5]?[0-9])"
    r"(?::(?P<third>[0-5]?[0-9](?:\.[0-9]{1,7})?))?"
)
_DAYS = re.compile(r"-?[0-9]{1,8}")
_HOURS_OF_A_DAY = 24
_COLONS_WITH_DAYS = 3
# Where a timer fires more often nothing is kept of its runs.
_MONITORED = timedelta(minutes=1)
# Beyond the last year that a calendar has, there is no next moment.
_LONGEST = timedelta(days=2_900_000)


class Moments(Protocol):
    """What names the moments of a schedule, in local time without a zone."""

    def next_after(self, moment: datetime) -> datetime:
        """Return the next moment after this one."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """A time span from one run to the next; it knows no clock changes."""

    span: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """Return the moment one span later."""
        return moment + self.span


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires."""

    moments: Moments

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Read an NCRONTAB expression or a .NET time span; raise ValueError for anything else."""
        span = _time_span(expression.strip())
        if span is None:
            return cls(Cron.parse(expression))
        if abs(span) > _LONGEST:
            raise ValueError(f"schedule {expression!r} never fires")
        return cls(Every(span))

    def next_after(self, moment: datetime) -> datetime:
        """Return the next moment after an aware one, in its zone."""
        zone = moment.tzinfo
        following = self.moments.next_after(moment.replace(tzinfo=None))
        if isinstance(self.moments, Every) or zone is None:
            return moment + (following - moment.replace(tzinfo=None))
        # In the doubled hour of a clock change its second half counts; in the skipped one the
        # offset before it.
        return following.replace(tzinfo=zone, fold=0 if _is_skipped(following, zone) else 1)

    @property
    def knows_clock_changes(self) -> bool:
        """Tell whether a clock change moves its moments."""
        return not isinstance(self.moments, Every)

    def wait_s(self, moment: datetime, now: datetime) -> float:
        """Return how long it is from now until the next moment after this one."""
        following = self.next_after(moment)
        if isinstance(self.moments, Every):
            return (following.replace(tzinfo=None) - now.replace(tzinfo=None)).total_seconds()
        return following.timestamp() - now.timestamp()

    def is_monitored(self, now: datetime) -> bool:
        """Tell whether it is kept when it ran: not where two moments lie in the next minute."""
        if isinstance(self.moments, Every):
            return self.moments.span >= _MONITORED
        return self.next_after(self.next_after(now)) - now >= _MONITORED


def _is_skipped(moment: datetime, zone: tzinfo) -> bool:
    early = moment.replace(tzinfo=zone, fold=0).utcoffset()
    late = moment.replace(tzinfo=zone, fold=1).utcoffset()
    return early is not None and late is not None and late > early


def _time_span(text: str) -> timedelta | None:
    """Read a .NET time span: a bare number, and hours from 24 on, are days to it."""
    if _DAYS.fullmatch(text):
        return timedelta(days=int(text))
    if text.count(":") == _COLONS_WITH_DAYS:
        text = text.replace(":", ".", 1)
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    first, second, third = int(match["first"]), int(match["second"]), float(match["third"] or 0)
    if first < _HOURS_OF_A_DAY:
        span = timedelta(days=int(match["days"] or 0), hours=first, minutes=second, seconds=third)
    elif match["days"] or not (match["third"] or "").isdigit() or second >= _HOURS_OF_A_DAY:
        return None
    else:
        span = timedelta(days=first, hours=second, minutes=third)
    return -span if match["sign"] else span
