"""What follows from a report's facts: growth, forecast, budgets, what newer versions replace."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from costs.report.facts import DayFact, Group, VersionFact, add_up, readable_id, sum_two
from costs.report.query import days_in_month, month_text
from replication.domain.image_version import ImageVersionId
from replication.domain.policy import Budget, ReplicationPolicy

# A line through fewer days than two weeks says more about the week than about the trend.
LEAST_TREND_DAYS = 14
TREND_DAYS = 30
_MICRO = Decimal("0.00000001")
_PERCENT = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthGrowth:
    """One month in one currency; `storage_per_day` is what makes months of any length comparable.

    It leaves out days on which nothing had a price. `change` and `change_percent` compare it with
    the month before, None where there is none. `ledger_days` of `days` are in the ledger.
    """

    month: str
    currency: str
    storage: Decimal | None
    egress: Decimal | None
    total: Decimal | None
    storage_per_day: Decimal | None
    change: Decimal | None
    change_percent: Decimal | None
    ledger_days: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a currency's running month and the next will cost, if all stays as on the last day.

    `trend_next_month` follows the line through the last days instead, None where they are few.
    """

    currency: str
    month: str
    so_far: Decimal
    month_total: Decimal
    next_month: Decimal
    trend_next_month: Decimal | None
    basis: str


class BudgetState(StrEnum):
    """What becomes of a budget in its month; the words stand in reports and answers."""

    OVER = "over"
    WILL_BE_OVER = "will be over"
    WITHIN = "within"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """A budget, or its part for one gallery, against what a month costs.

    `unpriced_rows` of the ledger have no price and are in neither figure.
    """

    budget: str
    gallery: str | None
    month: str
    currency: str
    limit: Decimal
    actual: Decimal
    expected: Decimal
    percent: Decimal | None
    unpriced_rows: int
    state: BudgetState


def growth(days: Iterable[DayFact], ledger_days: Collection[date]) -> tuple[MonthGrowth, ...]:
    """Sum the days up by month and currency, and compare each month with the one before.

    A day of the ledger without rows in a currency has no replicas in it, and counts with nothing.
    """
    by_month: dict[tuple[str, str], list[DayFact]] = defaultdict(list)
    for one in days:
        by_month[one.money.currency, month_text(one.day)].append(one)
    length = Counter(month_text(day) for day in ledger_days)
    found: list[MonthGrowth] = []
    for (currency, month), facts in sorted(by_month.items()):
        money = add_up(one.money for one in facts)[currency]
        unknown = sum(one.money.storage is None for one in facts)
        per_day = None if money.storage is None else money.storage / (length[month] - unknown)
        before = found[-1] if found and found[-1].currency == currency else None
        earlier = before.storage_per_day if before and _follows(before.month, month) else None
        change = per_day - earlier if per_day is not None and earlier is not None else None
        found.append(
            MonthGrowth(
                month=month,
                currency=currency,
                storage=money.storage,
                egress=money.egress,
                total=money.total,
                storage_per_day=_fine(per_day),
                change=_fine(change),
                change_percent=percent(change, earlier),
                ledger_days=length[month],
                days=days_in_month(facts[0].day),
            )
        )
    return tuple(found)


def forecasts(days: Sequence[DayFact], ledger_days: Collection[date]) -> tuple[Forecast, ...]:
    """Forecast each currency by the ledger's last day.

    As in `growth`, a day of the ledger without rows in a currency has no replicas in it.
    """
    last = max(ledger_days, default=None)
    if last is None:
        return ()
    month, rest = month_text(last), days_in_month(last) - last.day
    found = []
    for currency in sorted({one.money.currency for one in days}):
        own = [one for one in days if one.money.currency == currency]
        today = next((one.money for one in own if one.day == last), None)
        storage = Decimal(0) if today is None else today.storage
        if storage is None:
            continue
        so_far = add_up(one.money for one in own if month_text(one.day) == month).get(currency)
        spent = (so_far.total if so_far else None) or Decimal(0)
        basis = f"{rest} more days at the storage of {last}, no further transfer"
        if today is not None and today.unpriced_rows:
            basis += f"; {today.unpriced_rows} replica regions without a price are left out"
        found.append(
            Forecast(
                currency=currency,
                month=month,
                so_far=spent,
                month_total=(spent + storage * rest).quantize(_MICRO),
                next_month=(storage * days_in_month(last)).quantize(_MICRO),
                trend_next_month=_trend(own, ledger_days, last),
                basis=basis,
            )
        )
    return tuple(found)


@dataclass(slots=True)
class _Spent:
    actual: Decimal = Decimal(0)
    expected: Decimal = Decimal(0)
    unpriced_rows: int = 0

    def add(self, actual: Decimal, rest: Decimal, unpriced_rows: int) -> None:
        self.actual += actual
        self.expected += actual + rest
        self.unpriced_rows += unpriced_rows


def budget_uses(
    policy: ReplicationPolicy, galleries: Iterable[Group], last: date
) -> tuple[BudgetUse, ...]:
    """Compare the policy's budgets with what galleries cost in the month of the last day.

    `galleries` are the groups by gallery and day of that month; the last day is what the rest of
    the month is taken to cost. Only what is in the policy's currency counts.
    """
    month = month_text(last)
    rest = days_in_month(last) - last.day
    spent: dict[tuple[str, str, str], _Spent] = defaultdict(_Spent)
    for one in galleries:
        keys, money = one.keys, one.money
        if money.currency != policy.currency or not str(keys["day"]).startswith(month):
            continue
        if keys["gallery"] is None:  # a record that cannot be read is of no gallery
            continue
        place = (str(keys["subscription"]), str(keys["resource_group"]), str(keys["gallery"]))
        is_last = keys["day"] == last.isoformat()
        ahead = (money.storage or Decimal(0)) * rest if is_last else Decimal(0)
        spent[place].add(money.total or Decimal(0), ahead, money.unpriced_rows)
    found: list[BudgetUse] = []
    for budget in policy.budgets:
        whole = _Spent()
        for place in sorted(spent):
            if budget not in policy.budgets_of(_any_of(place)):
                continue
            own = spent[place]
            whole.add(own.actual, own.expected - own.actual, own.unpriced_rows)
            if budget.each_gallery:
                found.append(_use(policy, budget, place[2], month, own))
        if not budget.each_gallery:
            found.append(_use(policy, budget, None, month, whole))
    return tuple(found)


def superseded(versions: Iterable[VersionFact]) -> tuple[VersionFact, ...]:
    """Return the versions of which the same definition has a newer one, in the order given.

    The ledger does not tell which versions are excluded from "latest".
    """
    readable = ((one, readable_id(one.image_version_id)) for one in versions)
    listed = [(one, version_id) for one, version_id in readable if version_id is not None]
    newest: dict[str, tuple[int, ...]] = {}
    for _, version_id in listed:
        definition = definition_of(version_id)
        newest[definition] = max(newest.get(definition, ()), version_parts(version_id))
    return tuple(
        one
        for one, version_id in listed
        if version_parts(version_id) < newest[definition_of(version_id)]
    )


def definition_of(version_id: ImageVersionId) -> str:
    """Return the id of a version's definition in small letters."""
    return str(version_id).lower().rsplit("/versions/", 1)[0]


def version_parts(version_id: ImageVersionId) -> tuple[int, ...]:
    """Return the numbers of a version: 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version_id.version.split("."))


def sum_known(amounts: Iterable[tuple[str, Decimal | None]]) -> dict[str, Decimal | None]:
    """Add amounts up by currency; None where none of a currency is known."""
    sums: dict[str, Decimal | None] = {}
    for currency, amount in amounts:
        sums[currency] = sum_two(sums.get(currency), amount)
    return dict(sorted(sums.items()))


def percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """Return what a part is of a whole, to a tenth of a percent; None where that means nothing."""
    if part is None or not whole:
        return None
    return (part * 100 / whole).quantize(_PERCENT, rounding=ROUND_HALF_EVEN)


def _use(
    policy: ReplicationPolicy, budget: Budget, gallery: str | None, month: str, spent: _Spent
) -> BudgetUse:
    if spent.actual > budget.monthly:
        state = BudgetState.OVER
    elif spent.expected > budget.monthly:
        state = BudgetState.WILL_BE_OVER
    else:
        state = BudgetState.WITHIN
    return BudgetUse(
        budget=budget.name,
        gallery=gallery,
        month=month,
        currency=policy.currency,
        limit=budget.monthly,
        actual=spent.actual,
        expected=spent.expected.quantize(_MICRO),
        percent=percent(spent.actual, budget.monthly),
        unpriced_rows=spent.unpriced_rows,
        state=state,
    )


def _any_of(place: tuple[str, str, str]) -> ImageVersionId:
    """Return a version of a gallery: a budget's patterns look at the gallery alone."""
    subscription_id, resource_group, gallery = place
    return ImageVersionId(
        subscription_id=subscription_id,
        resource_group=resource_group,
        gallery=gallery,
        image="any",
        version="0.0.0",
    )


def _trend(days: Sequence[DayFact], ledger_days: Collection[date], last: date) -> Decimal | None:
    """Return next month's storage on the line of least squares through the last days."""
    spent: dict[date, Decimal | None] = dict.fromkeys(ledger_days, Decimal(0))
    spent |= {one.day: one.money.storage for one in days}
    points: Mapping[int, Decimal] = {
        (day - last).days: storage * days_in_month(day)
        for day, storage in spent.items()
        if storage is not None and (last - day).days < TREND_DAYS
    }
    count = len(points)
    if count < LEAST_TREND_DAYS:
        return None
    sum_x, sum_y = sum(points), sum(points.values(), Decimal(0))
    sum_xx = sum(x * x for x in points)
    sum_xy = sum((x * y for x, y in points.items()), Decimal(0))
    slope = (count * sum_xy - sum_x * sum_y) / (count * sum_xx - sum_x * sum_x)
    level = (sum_y - slope * sum_x) / count
    first = last.replace(day=1) + timedelta(days=days_in_month(last))
    middle = Decimal((first - last).days) + Decimal(days_in_month(first) - 1) / 2
    return max(Decimal(0), level + slope * middle).quantize(_MICRO)


def _follows(earlier: str, later: str) -> bool:
    first = date.fromisoformat(f"{earlier}-01")
    return month_text(first + timedelta(days=31)) == later


def _fine(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(_MICRO)
