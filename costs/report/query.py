"""What a report is asked for: which days, grouped by what, in which currency."""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from replication.domain.errors import MalformedError

MAX_DAYS = 1_100
MAX_GROUPS = 10_000
MAX_DIMENSIONS = 4
# This month and the two before it.
_MONTHS_BACK = 2
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_SHOWN = 40


class TooLongError(MalformedError):
    """A question whose answer is too long to be one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be otherwise; all of it at once, versions and regions leaving first."""

    deny_regions: frozenset[str] = frozenset()
    storage_type: str | None = None
    keep_last: int | None = None
    replica_count: int | None = None

    @property
    def is_none(self) -> bool:
        """Whether nothing would change."""
        return self == Change()


class Dimension(StrEnum):
    """What costs can be grouped by."""

    SUBSCRIPTION = "subscription"
    GALLERY = "gallery"
    DEFINITION = "definition"
    VERSION = "version"
    REGION = "region"
    GEOGRAPHY = "geography"
    RULE = "rule"
    STORAGE_TYPE = "storage_type"
    LAB = "lab"
    COST_CENTER = "cost_center"
    MONTH = "month"
    DAY = "day"


class Form(StrEnum):
    """What a report can be written as."""

    JSON = "json"
    CSV = "csv"
    FOCUS = "focus"
    HTML = "html"


# Those that a call of the API answers with; a page of HTML is a file for people.
API_FORMS = (Form.JSON, Form.CSV, Form.FOCUS)
# Words that mean a dimension as well.
_ALIASES = {
    "tag": (Dimension.LAB, Dimension.COST_CENTER),
    "tags": (Dimension.LAB, Dimension.COST_CENTER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """Both days belong to the report; `currency` None means each by itself.

    `limit` is how many entries a list shows; what it leaves out is summed up.
    """

    from_day: date
    to_day: date
    group_by: tuple[Dimension, ...] = (Dimension.GALLERY,)
    currency: str | None = None
    limit: int = MAX_GROUPS


def read_report_query(
    *,
    today: date,
    from_text: str | None = None,
    to_text: str | None = None,
    group_by: Sequence[str] = (),
    currency: str | None = None,
    limit: int = MAX_GROUPS,
) -> ReportQuery:
    """Read the words of a query; raises MalformedError that names the wrong one.

    A month stands for its first day as `from`, for its last as `to`. The ledger has no day after
    today, so a later `to` is today.
    """
    to_day = min(_day("to", to_text, last=True) if to_text else today, today)
    from_day = _day("from", from_text, last=False) if from_text else _months_before(to_day)
    if from_day > today:
        raise MalformedError(f"from is {from_day}, and the ledger has no day after today, {today}")
    if from_day > to_day:
        raise MalformedError(f"from is {from_day}, which is after to, {to_day}")
    if (to_day - from_day).days >= MAX_DAYS:
        raise MalformedError(f"from {from_day} to {to_day} are more than {MAX_DAYS} days")
    if currency and not _CURRENCY.fullmatch(currency.upper()):
        raise MalformedError(
            f"currency is {currency[:_SHOWN]!r}; it is a code of three letters such as USD"
        )
    return ReportQuery(
        from_day=from_day,
        to_day=to_day,
        group_by=_dimensions(group_by),
        currency=currency.upper() if currency else None,
        limit=limit,
    )


def month_text(day: date) -> str:
    """Return the month of a day as in 2026-11."""
    return f"{day:%Y-%m}"


def days_in_month(day: date) -> int:
    """Return how many days the month of a day has."""
    return monthrange(day.year, day.month)[1]


def _dimensions(words: Sequence[str]) -> tuple[Dimension, ...]:
    found: list[Dimension] = []
    for word in ",".join(words).lower().replace("-", "_").split(","):
        name = word.strip()
        if not name:
            continue
        if name not in Dimension and name not in _ALIASES:
            raise MalformedError(
                f"group_by is {name[:_SHOWN]!r}; it is one of "
                f"{', '.join(Dimension)}, tag, or several of them with commas"
            )
        for one in _ALIASES.get(name) or (Dimension(name),):
            if one not in found:
                found.append(one)
    if len(found) > MAX_DIMENSIONS:
        raise MalformedError(f"group_by names {len(found)}; {MAX_DIMENSIONS} are the most")
    return tuple(found) or (Dimension.GALLERY,)


def _day(name: str, text: str, *, last: bool) -> date:
    try:
        if _MONTH.fullmatch(text):
            first = date.fromisoformat(f"{text}-01")
            return first.replace(day=days_in_month(first)) if last else first
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise MalformedError(
        f"{name} is {text[:_SHOWN]!r}; it is a day such as 2026-11-23 or a month such as 2026-11"
    )


def _months_before(day: date) -> date:
    months = max(12, day.year * 12 + day.month - 1 - _MONTHS_BACK)
    return date(months // 12, months % 12 + 1, 1)
