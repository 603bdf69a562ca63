"""The audit report: what replicas cost, where that goes, and what nobody needs.

Made of the ledger's days and of two looks at Azure: who uses which version, and what stands there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from costs.pricing.estimate import CostEstimate
from costs.report.facts import (
    DayFact,
    Group,
    GroupList,
    Money,
    RegionFact,
    UnpricedFact,
    VersionFact,
    add_up,
    readable_id,
)
from costs.report.ledger_facts import Facts
from costs.report.maths import (
    BudgetUse,
    Forecast,
    MonthGrowth,
    budget_uses,
    forecasts,
    growth,
    sum_known,
    superseded,
)
from costs.report.orphans import Comparison, Ghost, Orphan
from costs.report.query import Dimension, ReportQuery
from costs.report.usage import Usage, Use
from replication.domain.policy import ReplicationPolicy

TOP = 10
_SHOWN_REASONS = 20
# Azure's price list changes at any time; a month is how long a stale one goes unsaid.
OLD_PRICES_DAYS = 30
_ALL = 2**31

type Amounts = Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Azure:
    """What two looks at Azure showed; `comparison` is None, with a reason, where none was made."""

    usage: Usage
    comparison: Comparison | None = None
    not_compared: str = ""

    @classmethod
    def not_asked(cls, reason: str) -> "Azure":
        """Return a look that was not made."""
        return cls(usage=Usage(unknown=reason), not_compared=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionList:
    """Versions and what all of them cost a month; `unknown` says why there is no such list."""

    items: tuple[VersionFact, ...] = ()
    count: int = 0
    monthly: Amounts = field(default_factory=dict)
    note: str = ""
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedOrphan:
    """An orphan with the estimate of its cost."""

    orphan: Orphan
    estimate: CostEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanList:
    """Orphans and what they are estimated to cost a month; `unpriced` have no estimate."""

    items: tuple[PricedOrphan, ...] = ()
    count: int = 0
    monthly: Amounts = field(default_factory=dict)
    unpriced: int = 0
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedGhost:
    """A ghost with what the ledger charges a month for it, by currency."""

    ghost: Ghost
    monthly: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostList:
    """Ghosts and what the ledger charges a month for them."""

    items: tuple[PricedGhost, ...] = ()
    count: int = 0
    monthly: Amounts = field(default_factory=dict)
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCount:
    """Rows of the ledger: read, in the sums, and set aside with why; `notes` are of the days."""

    read: int
    used: int
    set_aside: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """Everything the audit tells; `last_day` is None for a ledger without rows."""

    query: ReportQuery
    made_at: datetime
    last_day: date | None
    totals: Mapping[str, Money]
    groups: GroupList
    months: tuple[MonthGrowth, ...]
    forecasts: tuple[Forecast, ...]
    top: tuple[Group, ...]
    labs: GroupList
    budgets: tuple[BudgetUse, ...]
    budget_note: str
    unused: VersionList
    superseded: VersionList
    orphans: OrphanList
    ghosts: GhostList
    azure_notes: tuple[str, ...]
    rows: RowCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Makes reports; `estimate` tells what an orphan costs."""

    policy: ReplicationPolicy
    estimate: Callable[[Orphan], CostEstimate]
    clock: Callable[[], datetime]
    price_notes: tuple[str, ...] = ()

    def report(
        self, facts: Facts, days: Collection[date], look: Callable[[Facts], Azure]
    ) -> CostReport:
        """Return the report of a ledger that has these days; `look` asks Azure."""
        query = facts.query
        own = facts.own_days
        totals = add_up(one.money for one in own)
        by_lab = (Dimension.LAB,)
        groups = facts.groups(query.group_by)
        last = max(days, default=None)
        versions = facts.versions_on(last) if last else ()
        budgets, budget_note = self._budgets(facts, last)
        azure = look(facts)
        comparison = azure.comparison
        return CostReport(
            query=query,
            made_at=self.clock(),
            last_day=last,
            totals=totals,
            groups=groups,
            months=growth(own, days),
            forecasts=forecasts(own, days),
            top=_dearest(facts, totals),
            labs=groups if query.group_by == by_lab else facts.groups(by_lab),
            budgets=budgets,
            budget_note=budget_note,
            unused=_unused(versions, azure.usage, query.limit),
            superseded=_versions(superseded(versions), query.limit),
            orphans=self._orphans(comparison, azure.not_compared, query.limit),
            ghosts=_ghosts(facts, last, comparison, azure.not_compared),
            azure_notes=comparison.gaps if comparison else (),
            rows=count_rows(
                query,
                facts.days,
                facts.unpriced(),
                (*missing_days(query, days), *self.price_notes),
            ),
        )

    def _budgets(self, facts: Facts, last: date | None) -> tuple[tuple[BudgetUse, ...], str]:
        if not self.policy.budgets:
            return (), "the policy sets no budgets"
        if last is None:
            return (), "the ledger has none of these days"
        first = last.replace(day=1)
        if facts.query.from_day > first:
            return (), f"budgets are by the month: ask from {first} for that of {last:%Y-%m}"
        currency = self.policy.currency
        if facts.query.currency not in (None, currency):
            return (), f"budgets are in {currency}, and the report is in {facts.query.currency}"
        spent = facts.groups(
            (Dimension.GALLERY, Dimension.DAY), limit=_ALL, since=first, currency=currency
        )
        return budget_uses(self.policy, spent.items, last), ""

    def _orphans(self, comparison: Comparison | None, not_compared: str, limit: int) -> OrphanList:
        if comparison is None:
            return OrphanList(unknown=not_compared)
        priced = tuple(
            PricedOrphan(orphan=one, estimate=self.estimate(one)) for one in comparison.orphans
        )
        known = [one.estimate for one in priced if one.estimate.monthly is not None]
        return OrphanList(
            items=priced[:limit],
            count=len(priced),
            monthly=sum_known((one.currency, one.monthly) for one in known),
            unpriced=len(priced) - len(known),
        )


def count_rows(
    query: ReportQuery,
    days: Sequence[DayFact],
    unpriced: Sequence[UnpricedFact],
    notes: Sequence[str] = (),
) -> RowCount:
    """Account for every row read: it is in the sums, or set aside for a reason."""
    read = sum(one.money.rows for one in days)
    aside: list[tuple[str, int]] = []
    others: dict[str, int] = {}
    for one in days:
        if query.currency not in (None, one.money.currency):
            others[one.money.currency] = others.get(one.money.currency, 0) + one.money.rows
    aside += [(f"in {other}, not in {query.currency}", rows) for other, rows in others.items()]
    without = [(f"no price: {one.reason}", one.rows) for one in unpriced if one.storage]
    aside += without[:_SHOWN_REASONS]
    if without[_SHOWN_REASONS:]:
        rest = without[_SHOWN_REASONS:]
        aside.append((f"no price, for {len(rest)} more reasons", sum(rows for _, rows in rest)))
    said = list(notes)
    provisional = sum(one.provisional_rows for one in days)
    if provisional:
        running = sorted({one.day for one in days if one.provisional_rows})
        said.append(
            f"{provisional} rows are provisional, computed from the record: "
            f"{shown_days(running)} {'is' if len(running) == 1 else 'are'} not on the books yet"
        )
    said += [
        f"{one.rows} rows are used without their transfer: {one.reason}"
        for one in unpriced
        if not one.storage
    ][:_SHOWN_REASONS]
    return RowCount(
        read=read,
        used=read - sum(rows for _, rows in aside),
        set_aside=tuple(aside),
        notes=tuple(said),
    )


def missing_days(query: ReportQuery, days: Collection[date]) -> tuple[str, ...]:
    """Tell in words which days of a query the ledger does not have."""
    if not days:
        return (f"the ledger has no day from {query.from_day} to {query.to_day}",)
    first, notes = min(days), []
    if first > query.from_day:
        notes.append(f"the ledger begins on {first}")
    span = (query.to_day - first).days + 1
    holes = [day for number in range(span) if (day := first + timedelta(days=number)) not in days]
    if holes:
        notes.append(
            f"the ledger has no file of {shown_days(holes)}; gallery-replicator costs audit "
            "writes it from the record"
        )
    return tuple(notes)


def price_age(currency: str, read_on: date | None, today: date) -> tuple[str, ...]:
    """Tell in words that prices were read long ago; `read_on` is None for an empty book."""
    if read_on is None or (age := (today - read_on).days) <= OLD_PRICES_DAYS:
        return ()
    sentence = (
        f"the prices in {currency} are {age} days old, of {read_on}; gallery-replicator costs "
        "refresh-prices reads those of today"
    )
    return (sentence,)


def shown_days(days: Sequence[date]) -> str:
    """Return days as text, runs of them as from … to …."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _dearest(facts: Facts, currencies: Iterable[str]) -> tuple[Group, ...]:
    """Return the dearest of each currency: amounts in different ones have no order."""
    return tuple(
        one
        for currency in currencies
        for one in facts.groups((Dimension.VERSION,), limit=TOP, currency=currency).items
        if one.money.total is not None
    )


def _versions(found: Sequence[VersionFact], limit: int, note: str = "") -> VersionList:
    return VersionList(
        items=tuple(found[:limit]),
        count=len(found),
        monthly=sum_known((one.currency, one.monthly) for one in found),
        note=note,
    )


def _unused(versions: Sequence[VersionFact], usage: Usage, limit: int) -> VersionList:
    if usage.unknown is not None:
        return VersionList(unknown=usage.unknown)
    by_use: dict[Use | None, list[VersionFact]] = {}
    for one in versions:
        if readable_id(one.image_version_id) is not None:
            by_use.setdefault(usage.of(one.image_version_id), []).append(one)
    note = (
        f"no machine, scale set or lab that this identity sees ({usage.looked_at} looked at) names "
        "them"
    )
    maybe = len(by_use.get(Use.MAYBE, ()))
    if maybe:
        note += f"; {maybe} more may be in use: something names their definition and no version"
    return _versions(by_use.get(Use.UNUSED, []), limit, note)


def _ghosts(
    facts: Facts, last: date | None, comparison: Comparison | None, not_compared: str
) -> GhostList:
    if comparison is None or last is None:
        return GhostList(unknown=not_compared)
    keys = [one.version_id.key for one in comparison.ghosts]
    charged: dict[tuple[str, str], list[RegionFact]] = {}
    for fact in facts.regions_of(keys, last) if keys else ():
        charged.setdefault((fact.version_key, fact.region), []).append(fact)
    priced = []
    for ghost in comparison.ghosts:
        own = [
            (fact.currency, fact.monthly)
            for region in ghost.regions
            for fact in charged.get((ghost.version_id.key, region), ())
        ]
        priced.append(PricedGhost(ghost=ghost, monthly=sum_known(own)))
    return GhostList(
        items=tuple(priced[: facts.query.limit]),
        count=len(priced),
        monthly=sum_known(amount for one in priced for amount in one.monthly.items()),
    )
