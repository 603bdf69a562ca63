"""Schedules of the app's timers, and which timers the host will not run.

A schedule that is missing or wrong costs that timer alone, and the host tells nobody: its own
status and ping go on saying that all is well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerSetting:
    """A timer: its function, the setting of its schedule, and what is not done without it."""

    function: str
    setting: str
    without: str


TIMERS = (
    TimerSetting(
        function="cost_audit",
        setting="COST_AUDIT_SCHEDULE",
        without="no day is written into the cost ledger",
    ),
    TimerSetting(
        function="notices", setting="NOTICE_SCHEDULE", without="nobody is told of what fails"
    ),
    TimerSetting(
        function="sweep",
        setting="SWEEP_SCHEDULE",
        without="what events and messages missed is not found",
    ),
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_NO_WORDS: tuple[str, ...] = ()
_FIELDS = (
    (0, 59, _NO_WORDS),
    (0, 59, _NO_WORDS),
    (0, 23, _NO_WORDS),
    (1, 31, _NO_WORDS),
    (1, 12, _MONTHS),
    (0, 6, _WEEKDAYS),
)
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
# To the host a bare number is days, and so is what stands before hours that are none.
_HOURS, _SIXTY = "(2[0-3]|[01]?[0-9])", "[0-5]?[0-9]"
_SPAN = re.compile(
    rf"-?([0-9]{{1,6}}|([0-9]{{1,6}}[.:])?{_HOURS}:{_SIXTY}:{_SIXTY}(\.[0-9]{{1,7}})?"
    rf"|([0-9]{{1,6}}[.:])?{_HOURS}:{_SIXTY})"
)
_STEP = re.compile(r"[+-]?[0-9]{1,9}")
_MAX_SHOWN = 60


def absent_timers(env: Mapping[str, str]) -> dict[str, str]:
    """Return the timers that the host does not run with these settings, and what follows."""
    return {
        timer.function: f"{timer.setting} {problem}: {timer.without}"
        for timer in TIMERS
        if (problem := _problem(env.get(timer.setting, "")))
    }


def _problem(schedule: str) -> str | None:
    if not schedule:
        return "is missing, so that the host does not run the timer"
    if is_schedule(schedule):
        return None
    shown = schedule[:_MAX_SHOWN].encode("ascii", "backslashreplace").decode()
    return f"is {shown!r}, which the host does not read, so that it does not run the timer"


def is_schedule(text: str) -> bool:
    """Tell whether the host reads an NCRONTAB expression or a time span, and whether it fires."""
    if _SPAN.fullmatch(text.strip()):
        return True
    parts = [part for part in text.split(" ") if part]
    if len(parts) == len(_FIELDS) - 1:
        parts = ["0", *parts]
    if len(parts) != len(_FIELDS):
        return False
    fields = [_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    if not all(fields):
        return False
    days, months = fields[3], fields[4]
    return any(min(days) <= _LONGEST_MONTHS.get(month, 31) for month in months)


def _values(part: str, low: int, high: int, words: tuple[str, ...]) -> set[int]:
    """Return what a field names, nothing for one that cannot be read."""
    found: set[int] = set()
    for item in part.split(","):
        span, slash, step_text = item.partition("/")
        if slash and not _STEP.fullmatch(step_text):
            return set()
        if span == "*":
            first, last = low, high
        else:
            ends = [_value(end, low, high, words) for end in span.split("-", 1)]
            known = [end for end in ends if end is not None]
            if len(known) != len(ends):
                return set()
            first = min(known)
            last = max(known) if len(known) > 1 or not slash else high
        found |= set(range(first, last + 1, max(1, int(step_text)) if slash else 1))
    return found


def _value(text: str, low: int, high: int, words: tuple[str, ...]) -> int | None:
    named = [at for at, word in enumerate(words) if text and word.startswith(text.lower())]
    if named:
        return low + named[0]
    is_number = text.isascii() and text.isdigit()
    return int(text) if is_number and low <= int(text) <= high else None
