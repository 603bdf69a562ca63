"""What the HTML report shows, made ready for its template: each currency by itself."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from costs.report.facts import Group, GroupList, Money, VersionFact, add_up
from costs.report.html.charts import Chart, month_chart
from costs.report.html.words import (
    Label,
    common_place,
    galleries_need_places,
    group_labels,
    version_label,
)
from costs.report.maths import BudgetState, BudgetUse, Forecast, MonthGrowth, percent
from costs.report.query import Dimension
from costs.report.report import CostReport, GhostList, OrphanList, VersionList

# Of one list. A page of more is slow to open and nothing to print; the other forms have them all.
MOST_ROWS = 1_000

type Amounts = Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyPart:
    """What is told of one currency: its sum, its months and its forecast."""

    currency: str
    money: Money
    months: tuple[MonthGrowth, ...]
    forecast: Forecast | None
    chart: Chart | None

    @property
    def latest(self) -> MonthGrowth | None:
        """The last month of which something is known."""
        return self.months[-1] if self.months else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group with its share of all costs in its currency, in percent."""

    labels: tuple[Label, ...]
    money: Money
    share: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTable:
    """The groups of one currency; `left_out` is what the others come to."""

    currency: str
    rows: tuple[GroupRow, ...]
    left_out: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTable:
    """Versions whose costs are in one currency, and where all are, if in one place."""

    currency: str
    rows: tuple[tuple[Label, VersionFact], ...]

    @property
    def common_place(self) -> str:
        """Where all of them are, empty where they are in several places."""
        return common_place(label for label, _ in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at: `count` is None where it is not known."""

    anchor: str
    title: str
    count: int | None
    monthly: Amounts
    fine: str


def on_a_page(report: CostReport) -> CostReport:
    """Return a report whose lists are no longer than a page can be; what is cut is summed up."""
    return replace(
        report,
        groups=_cut(report.groups),
        labs=_cut(report.labs),
        unused=replace(report.unused, items=report.unused.items[:MOST_ROWS]),
        superseded=replace(report.superseded, items=report.superseded.items[:MOST_ROWS]),
        orphans=replace(report.orphans, items=report.orphans.items[:MOST_ROWS]),
        ghosts=replace(report.ghosts, items=report.ghosts.items[:MOST_ROWS]),
    )


def currency_parts(report: CostReport) -> tuple[CurrencyPart, ...]:
    """Return every currency of a report."""
    parts = []
    for currency, money in report.totals.items():
        months = tuple(one for one in report.months if one.currency == currency)
        forecast = next((one for one in report.forecasts if one.currency == currency), None)
        chart = month_chart(f"months-{currency.lower()}", months, forecast)
        parts.append(
            CurrencyPart(
                currency=currency, money=money, months=months, forecast=forecast, chart=chart
            )
        )
    return tuple(parts)


def group_tables(
    groups: GroupList, dimensions: Iterable[Dimension], totals: Mapping[str, Money]
) -> tuple[GroupTable, ...]:
    """Return groups as one table for each currency, in the order given."""
    wanted = tuple(dimensions)
    with_place = galleries_need_places(one.keys for one in groups.items)

    def row(one: Group) -> GroupRow:
        whole = totals.get(one.money.currency)
        return GroupRow(
            labels=group_labels(one.keys, wanted, with_place=with_place),
            money=one.money,
            share=percent(one.money.total, whole.total if whole else None),
        )

    listed = _by_currency(groups.items, lambda one: one.money.currency)
    return tuple(
        GroupTable(
            currency=currency,
            rows=tuple(row(one) for one in listed.get(currency, ())),
            left_out=groups.left_out_money.get(currency),
        )
        for currency in dict.fromkeys((*listed, *groups.left_out_money))
    )


def version_tables(found: VersionList) -> tuple[VersionTable, ...]:
    """Return versions as one table for each currency, in the order given."""
    listed = _by_currency(found.items, lambda one: one.currency)
    return tuple(
        VersionTable(
            currency=currency,
            rows=tuple((version_label(one.image_version_id), one) for one in rows),
        )
        for currency, rows in listed.items()
    )


def findings(report: CostReport) -> tuple[Finding, ...]:
    """Return what costs money and may not have to."""

    def finding(
        anchor: str, title: str, fine: str, found: VersionList | OrphanList | GhostList
    ) -> Finding:
        known = found.unknown is None
        return Finding(
            anchor=anchor,
            title=title,
            count=found.count if known else None,
            monthly=found.monthly if known else {},
            fine=fine,
        )

    gaps = "none found, and some could not be compared"
    has_gaps = bool(report.azure_notes)
    in_azure, on_books = "all in Azure are on our books", "all on our books are in Azure"
    return (
        finding("unused", "Used by nobody", "none is known to be unused", report.unused),
        finding("superseded", "Superseded", "none has a newer version", report.superseded),
        finding("orphans", "Orphans", gaps if has_gaps else in_azure, report.orphans),
        finding("ghosts", "Ghosts", gaps if has_gaps else on_books, report.ghosts),
    )


def budget_states(budgets: Iterable[BudgetUse]) -> dict[str, int]:
    """Count the budgets by their state: over, will_be_over and within."""
    found = Counter(one.state for one in budgets)
    return {state.name.lower(): found[state] for state in BudgetState}


def _cut(groups: GroupList) -> GroupList:
    shown, rest = groups.items[:MOST_ROWS], groups.items[MOST_ROWS:]
    return GroupList(
        items=shown,
        left_out=groups.left_out + len(rest),
        left_out_money=add_up((*groups.left_out_money.values(), *(one.money for one in rest))),
    )


def _by_currency[Item](
    items: Iterable[Item], currency_of: Callable[[Item], str]
) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for one in items:
        found.setdefault(currency_of(one), []).append(one)
    return found
