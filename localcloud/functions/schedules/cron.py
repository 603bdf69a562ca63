"""NCRONTAB: the moments that an expression names.

Six fields: second, minute, hour, day of month, month, day of week; with five the second is 0.
A day must satisfy both the day of month and the day of week, unlike in Unix cron. Moments are those
of the host's zone, without the zone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SIX_FIELDS = 6
# 29 February on one given weekday comes back within 40 years, also across 2100.
_SEARCH_DAYS = 40 * 366 + 1
_NUMBER = re.compile(r"[0-9]+")
_STEP = re.compile(r"[+-]?[0-9]+")
# Greater steps are no numbers to the vendor.
_GREATEST_STEP = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: Sequence[str] = ()

    def parse(self, text: str) -> tuple[int, ...]:
        values: set[int] = set()
        for item in text.split(","):
            values |= self._parse_item(item)
        return tuple(sorted(values))

    def _parse_item(self, item: str) -> set[int]:
        span, slash, step_text = item.partition("/")
        if slash and not (_STEP.fullmatch(step_text) and int(step_text) <= _GREATEST_STEP):
            raise ValueError(f"{self.name}: {item!r} needs a step that is a number")
        # As recorded: a step below one is one.
        step = max(1, int(step_text)) if slash else 1
        if span == "*":
            first, last = self.low, self.high
        elif "-" in span:
            first_text, _, last_text = span.partition("-")
            # As recorded: a range that runs backwards is read forwards.
            first, last = sorted((self._value(first_text), self._value(last_text)))
        else:
            first = self._value(span)
            last = self.high if slash else first
        return set(range(first, last + 1, step))

    def _value(self, text: str) -> int:
        # As recorded: any beginning of a name stands for the first name that begins so.
        named = [at for at, word in enumerate(self.words) if text and word.startswith(text.lower())]
        if named:
            return self.low + named[0]
        if not _NUMBER.fullmatch(text) or not self.low <= int(text) <= self.high:
            raise ValueError(f"{self.name}: {text!r} is not within {self.low} to {self.high}")
        return int(text)


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A parsed expression."""

    expression: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Self:
        """Read an NCRONTAB expression; raise ValueError saying which field is wrong."""
        texts = [text for text in expression.split(" ") if text]
        if len(texts) == _SIX_FIELDS - 1:
            texts = ["0", *texts]
        if len(texts) != _SIX_FIELDS:
            raise ValueError(
                f"{expression!r} is not a schedule of six fields such as '0 */5 * * * *'"
            )
        try:
            second, minute, hour, day, month, weekday = (
                field.parse(text) for field, text in zip(_FIELDS, texts, strict=True)
            )
        except ValueError as error:
            raise ValueError(f"schedule {expression!r}: {error}") from None
        cron = cls(
            expression=expression,
            seconds=second,
            minutes=minute,
            hours=hour,
            days=frozenset(day),
            months=frozenset(month),
            weekdays=frozenset(weekday),
        )
        cron.next_after(datetime(2000, 1, 1))  # noqa: DTZ001 - of any zone
        return cron

    def next_after(self, moment: datetime) -> datetime:
        """Return the first moment strictly after `moment` that the expression names."""
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        at = self._time_from(start.time()) if self._fires_on(start.date()) else None
        if at is not None:
            return datetime.combine(start.date(), at)
        for offset in range(1, _SEARCH_DAYS):
            day = start.date() + timedelta(days=offset)
            if self._fires_on(day):
                first = time(self.hours[0], self.minutes[0], self.seconds[0])
                return datetime.combine(day, first)
        raise ValueError(f"schedule {self.expression!r} never fires")

    def _fires_on(self, day: date) -> bool:
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.weekdays
        )

    def _time_from(self, earliest: time) -> time | None:
        for hour in self.hours:
            if hour < earliest.hour:
                continue
            for minute in self.minutes:
                if (hour, minute) < (earliest.hour, earliest.minute):
                    continue
                for second in self.seconds:
                    if time(hour, minute, second) >= earliest:
                        return time(hour, minute, second)
        return None
