"""Costs: the figures of the audit; what reads the ledger is loaded when they are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from api.parameters import asking, read_choice, read_name, read_yes, refuse_unknown
from bootstrap.app import App
from costs.report.query import ReportQuery, read_report_query
from dashboard.views.bars import Chart, Place, chart
from replication.domain.job import Phase

_PARAMETERS = ("group_by", "from", "to", "currency", "today")
GROUPS = (
    *("gallery", "region", "geography", "lab", "cost_center", "definition"),
    *("subscription", "storage_type", "version"),
)
_SHOWN_GROUPS = 50
# Before the first audit the running day is computed unasked from so many records at most.
MOST_RECORDS = 500


class Books(StrEnum):
    """Whether there is something to report."""

    THERE = "there"
    RUNNING_DAY = "running_day"
    NO_ADDRESS = "no_address"
    NONE_YET = "none_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthChart:
    """The months of one currency, as bars; `series` is the currency."""

    currency: str
    chart: Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsPage:
    """The report in the shape of the API, without what only Azure can tell."""

    at: datetime
    books: Books
    asked: Mapping[str, str]
    report: Mapping[str, Any]
    charts: tuple[MonthChart, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the report, or why there is none."""
        return {"at": self.at, "books": self.books, **self.report}


def read_asked(params: Mapping[str, str]) -> dict[str, str]:
    """Read the parameters of the page; raises MalformedError that names the wrong one."""
    refuse_unknown(params, _PARAMETERS)
    texts = {name: text.strip() for name, text in params.items()}
    asked = {
        "group_by": read_choice(texts, "group_by", GROUPS, default=GROUPS[0]),
        "from": read_name(texts, "from"),
        "to": read_name(texts, "to"),
        "currency": read_name(texts, "currency"),
        "today": "yes" if read_yes(texts, "today") else None,
    }
    return {name: value for name, value in asked.items() if value}


def costs_page(app: App, asked: Mapping[str, str], now: datetime) -> CostsPage:
    """Make the report of the days on the books; raises AskedError for days that are none.

    The running day is computed from every record, so it is left out unless asked for, or while
    nothing is on the books and there are few records.
    """
    if app.ports.costs.blobs is None:
        return CostsPage(at=now, books=Books.NO_ADDRESS, asked=asked, report={})
    last = now.astimezone(UTC).date()
    with asking():
        query = _query(asked, last)
    costs = app.costs
    books, files = Books.THERE, None
    if asked.get("today") != "yes":
        written = costs.ledger.written_days()
        if not written:
            books = Books.RUNNING_DAY if _few_records(app) else Books.NONE_YET
        else:
            last = min(last, max(written))
            books = Books.NONE_YET if query.from_day > last else Books.THERE
        if books is Books.NONE_YET:
            return CostsPage(at=now, books=books, asked=asked, report={})
        with asking():
            query = _query(asked, last)
        if books is Books.THERE:
            files = tuple(
                (day, written[day].etag)
                for day in sorted(written)
                if query.from_day <= day <= query.to_day
            )

    def make() -> Mapping[str, Any]:
        return costs.report(query, ask_azure=False)

    # The running day changes with every record; the days on the books never do.
    report = make() if files is None else costs.shown.get((query, files), now, make)
    return CostsPage(at=now, books=books, asked=asked, report=report, charts=month_charts(report))


def month_charts(report: Mapping[str, Any]) -> tuple[MonthChart, ...]:
    """Return the months of each currency as bars; one without a price has none."""
    found: dict[str, list[Place]] = {}
    for month in report["months"]:
        if month["total"] is not None:
            told = f"{month['month']}: {month['total']} {month['currency']}"
            place = Place(label=month["month"], value=float(Decimal(month["total"])), told=told)
            found.setdefault(month["currency"], []).append(place)
    return tuple(
        MonthChart(
            currency=currency,
            chart=chart(
                places,
                every=max(1, len(places) // 12),
                top_told=f"{max(one.value for one in places):,.2f} {currency}",
            ),
        )
        for currency, places in found.items()
    )


def _few_records(app: App) -> bool:
    counts = app.listing.counts()
    return sum(counts[phase.value] for phase in Phase) <= MOST_RECORDS


def _query(asked: Mapping[str, str], last: date) -> ReportQuery:
    return read_report_query(
        today=last,
        from_text=asked.get("from"),
        to_text=asked.get("to"),
        group_by=[asked["group_by"]],
        currency=asked.get("currency"),
        limit=_SHOWN_GROUPS,
    )
