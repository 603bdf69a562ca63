"""Times and speeds in words, as a person reads them in a reason, and as a machine beside it."""

from datetime import UTC, datetime
from typing import overload

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_UNITS = (("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S))
# In percent a minute.
_SLOW, _FAST = 0.01, 10


def moment(at: datetime) -> str:
    """Return a moment to the second, such as `2026-11-23 12:00:05 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def in_one_unit(seconds: float) -> tuple[int, str]:
    """Return a length of time in the largest of s, min, h and d of which it has two whole ones."""
    whole = max(0, round(seconds))
    for unit, unit_s in _UNITS:
        if whole >= 2 * unit_s:
            return whole // unit_s, unit
    return whole, "s"


def duration(seconds: float) -> str:
    """Return a length of time in at most two units, such as `20 s`, `4 min` or `2 h 10 min`."""
    whole = max(0, round(seconds))
    if whole < 2 * _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{round(whole / _MINUTE_S)} min"
    large_s, large, small_s, small = _HOUR_S, "h", _MINUTE_S, "min"
    if whole >= 2 * _DAY_S:
        large_s, large, small_s, small = _DAY_S, "d", _HOUR_S, "h"
    ones, rest = divmod(round(whole / small_s), large_s // small_s)
    return f"{ones} {large} {rest} {small}" if rest else f"{ones} {large}"


def speed(percent_per_min: float) -> str:
    """Return how fast a copy goes, in two digits or all that are before the point."""
    if percent_per_min < _SLOW:
        return f"less than {_SLOW} % a minute"
    shown = f"{percent_per_min:.2g}" if percent_per_min < _FAST else f"{percent_per_min:,.0f}"
    return f"{shown} % a minute"


@overload
def stamp(at: datetime) -> str: ...
@overload
def stamp(at: None) -> None: ...
@overload
def stamp(at: datetime | None) -> str | None: ...
def stamp(at: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC with milliseconds, for machines."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
