"""Builders of what an audit report is made of."""

from decimal import Decimal

from costs.pricing.estimate import Amount, CostEstimate, RegionalReplicas, Unpriced
from costs.report.facts import Group, Money, VersionFact
from costs.report.maths import BudgetState, BudgetUse, MonthGrowth
from costs.report.orphans import Orphan
from costs.report.report import (
    PricedOrphan,
)
from tests.support.builders import SUBSCRIPTION, version_id


def spent(
    storage: str | None,
    egress: str | None = "0",
    *,
    currency: str = "USD",
    days: int = 300,
    unpriced: int = 0,
) -> Money:
    return Money(
        currency=currency,
        storage=None if storage is None else Decimal(storage),
        egress=None if egress is None else Decimal(egress),
        replica_days=days,
        rows=days,
        unpriced_rows=unpriced,
        incomplete_rows=unpriced,
    )


def gallery(name: str, money: Money) -> Group:
    keys = {"subscription": SUBSCRIPTION, "resource_group": "labs-rg", "gallery": name}
    return Group(keys=keys, money=money)


def version(name: str, money: Money) -> Group:
    place, definition, number = name.split("/")
    keys = {**gallery(place, money).keys, "definition": definition, "version": number}
    return Group(keys=keys, money=money)


def lab(name: str | None, money: Money) -> Group:
    return Group(keys={"lab": name}, money=money)


def month(
    name: str,
    storage: str | None,
    egress: str | None,
    *,
    per_day: str | None,
    change: str | None = None,
    percent: str | None = None,
    ledger_days: int = 30,
    currency: str = "USD",
) -> MonthGrowth:
    money = spent(storage, egress, currency=currency)
    days = {"2026-10": 31}.get(name, 30)
    return MonthGrowth(
        month=name,
        currency=currency,
        storage=money.storage,
        egress=money.egress,
        total=money.total,
        storage_per_day=None if per_day is None else Decimal(per_day),
        change=None if change is None else Decimal(change),
        change_percent=None if percent is None else Decimal(percent),
        ledger_days=min(ledger_days, days),
        days=days,
    )


def budget(
    name: str,
    limit: str,
    actual: str,
    expected: str,
    *,
    gallery: str | None = None,
    unpriced: int = 0,
) -> BudgetUse:
    most, now, later = Decimal(limit), Decimal(actual), Decimal(expected)
    state = BudgetState.WILL_BE_OVER if later > most else BudgetState.WITHIN
    return BudgetUse(
        budget=name,
        gallery=gallery,
        month="2026-11",
        currency="USD",
        limit=most,
        actual=now,
        expected=later,
        percent=(now * 100 / most).quantize(Decimal("0.1")) if most else None,
        unpriced_rows=unpriced,
        state=BudgetState.OVER if now > most else state,
    )


def fact(
    image: str,
    number: str,
    monthly: str | None,
    *,
    place: str = "biology-gallery",
    of_lab: str | None = "genomics",
    currency: str = "USD",
    regions: int = 9,
) -> VersionFact:
    return VersionFact(
        image_version_id=str(version_id(gallery=place, image=image, version=number)),
        lab=of_lab,
        cost_center=None,
        currency=currency,
        monthly=None if monthly is None else Decimal(monthly),
        in_period=None if monthly is None else Decimal(monthly) * 2,
        replicas=regions,
        regions=regions,
        gb=Decimal(64),
        unpriced_rows=0 if monthly else 2,
    )


def orphan(image: str, number: str, estimate: CostEstimate, *regions: str) -> PricedOrphan:
    return PricedOrphan(
        orphan=Orphan(
            version_id=version_id(gallery="physics-gallery", image=image, version=number),
            home_region="eastus",
            provisioned_gb=127,
            replicas=tuple(RegionalReplicas(region=one) for one in regions),
            reason="added by someone else since the last look at the version",
        ),
        estimate=estimate,
    )


def known_estimate(low: str, likely: str, high: str) -> CostEstimate:
    return CostEstimate(
        monthly_range=Amount(low=Decimal(low), likely=Decimal(likely), high=Decimal(high)),
        egress_range=None,
        priced_monthly=Decimal(likely),
        lab_services_monthly=None,
        currency="USD",
        basis="snapshot formula: occupied GB x replicas x snapshot rate of the region; the disk's "
        "size, 127 GB, is the upper bound; list prices in USD read on 2026-11-02",
        confidence="low",
        unpriced=(),
        unpriced_transfer=(Unpriced(region="westus", reason="no price for the route"),),
    )
