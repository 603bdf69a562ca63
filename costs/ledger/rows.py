"""What the replicas of a version cost on one day, from its record, the prices and the sizes."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from costs.ledger.columns import FORMAT_VERSION
from costs.pricing.estimate import SIZE_UNKNOWN
from costs.pricing.prices import MissingPrice, Price, PriceBook
from costs.pricing.sizes import KnownSizes, SizeRange, size_range
from replication.domain.job import HomeReplicas, Phase, Replica, ReplicaState, ReplicationJob
from replication.domain.regions import Region
from replication.ports import UnreadableRow

# Twelve digits: a month of days adds up to the monthly price within a billionth of a cent.
_COST = Decimal("0.000000000001")
_NEVER_LISTED = (ReplicaState.PLANNED, ReplicaState.REMOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPrices:
    """What a day's rows are priced with; `extra_regions` are those that the policy adds."""

    book: PriceBook
    sizes: KnownSizes = field(default_factory=lambda: KnownSizes(()))
    extra_regions: frozenset[Region] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """One region's replicas while they stand in Azure's list, and why they do."""

    region: str
    listed_on: date
    gone_on: date | None
    is_home: bool
    managed: bool
    state: str
    storage_account_type: str
    replicas: int
    rule: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRows:
    """The rows of a version: what they share, and what each has of its own."""

    shared: dict[str, Any]
    regions: tuple[dict[str, Any], ...]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield whole rows."""
        return (self.shared | one for one in self.regions)


def ledger_rows(
    job: ReplicationJob, day: date, prices: DayPrices, *, provisional: bool = False
) -> VersionRows:
    """Return the rows of a version for a day in UTC: one for each region listed on it.

    A region counts from the day on which it came into Azure's list until the day before it was
    seen gone. Its transfer is booked on its first day, where this app added it.
    """
    standing = [one for one in _all_standing(job, prices) if _counts(one, day)]
    if not standing:
        return VersionRows(shared={}, regions=())
    size = size_range(job.size_gb, job.image_version_id, prices.sizes)
    return VersionRows(
        shared=_head(job, day, provisional=provisional),
        regions=tuple(_body(one, job, day, size, prices) for one in standing),
    )


def unreadable_row(
    record: UnreadableRow, day: date, currency: str, *, provisional: bool = False
) -> VersionRows:
    """Return the row that stands for a record that cannot be read: without a cost, and why."""
    row = {
        "format": FORMAT_VERSION,
        "day": day,
        "image_version_id": f"unreadable record {record.key}",
        "version_key": record.key,
        "subscription_id": "unknown",
        "resource_group": "unknown",
        "gallery": "unknown",
        "definition": "unknown",
        "version": "unknown",
        "region": "unknown",
        "home_region": "unknown",
        "is_home": False,
        "managed": False,
        "state": "unknown",
        "storage_account_type": "unknown",
        "replicas": 0,
        "gb_basis": SIZE_UNKNOWN,
        "gb_confidence": "none",
        "currency": currency,
        "days_in_month": _days_in_month(day.year, day.month),
        "unpriced": f"the record cannot be read: {record.reason}",
        "rule": "unknown",
        "trigger": "unknown",
        "why": "its record cannot be read",
        "job_id": "unknown",
        "policy_fingerprint": "unknown",
        "listed_on": day,
        "provisional": provisional,
    }
    return VersionRows(shared=row, regions=(row,))


def first_day(job: ReplicationJob) -> date:
    """Return the first day on which a version may have cost something."""
    days = [job.started_at, *(one.listed_at for one in job.replicas if one.listed_at)]
    return _day(min(days))


@lru_cache(maxsize=65_536)
def storage_cost(gb: Decimal, replicas: int, unit_price: Decimal, days_in_month: int) -> Decimal:
    """Return the cost of one day: a month's price, divided evenly among its days."""
    cost = gb * replicas * unit_price / days_in_month
    return cost.quantize(_COST, rounding=ROUND_HALF_EVEN)


def egress_cost(gb: Decimal, unit_price: Decimal) -> Decimal:
    """Return the cost of one transfer."""
    return (gb * unit_price).quantize(_COST, rounding=ROUND_HALF_EVEN)


def _all_standing(job: ReplicationJob, prices: DayPrices) -> Iterator[_Standing]:
    yield _home(job)
    for replica in job.replicas:
        listed_at = replica.listed_at or _listed_before(replica)
        if listed_at is not None and replica.region != job.home_region:
            yield _away(job, replica, listed_at, prices)


def _home(job: ReplicationJob) -> _Standing:
    kept = job.home or HomeReplicas()
    why = "the image version was written here"
    if job.home is None:
        why += "; how it is kept was not seen yet, one replica on Standard_LRS is assumed"
    gone = job.finished_at if job.phase is Phase.SUPERSEDED else None
    return _Standing(
        region=job.home_region.name,
        listed_on=_day(job.started_at),
        gone_on=None if gone is None else _day(gone),
        is_home=True,
        managed=False,
        state=ReplicaState.COMPLETED.value,
        storage_account_type=kept.storage_account_type,
        replicas=kept.replica_count,
        rule="home",
        why=why,
    )


def _away(
    job: ReplicationJob, replica: Replica, listed_at: datetime, prices: DayPrices
) -> _Standing:
    if not replica.managed:
        rule, why = "listed by someone else", "it was in Azure's list, and not by this app"
    elif replica.region in prices.extra_regions:
        rule, why = "extra region", "this app added it: the policy names it as an extra region"
    else:
        rule = "geography"
        why = f"this app added it: the policy wants every region of {job.geography}"
    if replica.listed_at is None:
        why += "; since when it is listed was not recorded, the day it was asked for is taken"
    return _Standing(
        region=replica.region.name,
        listed_on=_day(listed_at),
        gone_on=None if replica.removed_at is None else _day(replica.removed_at),
        is_home=False,
        managed=replica.managed,
        state=replica.state.value,
        storage_account_type=replica.storage_account_type or "Standard_LRS",
        replicas=replica.replica_count or 1,
        rule=rule,
        why=why,
    )


def _listed_before(replica: Replica) -> datetime | None:
    """Return since when a replica is listed for a record from before that was written down."""
    if replica.state in _NEVER_LISTED:
        return None
    return replica.requested_at or replica.completed_at or replica.planned_at


def _counts(one: _Standing, day: date) -> bool:
    return one.listed_on <= day and (one.gone_on is None or day < one.gone_on)


def _head(job: ReplicationJob, day: date, *, provisional: bool) -> dict[str, Any]:
    version = job.image_version_id
    return {
        "format": FORMAT_VERSION,
        "day": day,
        "image_version_id": str(version),
        "version_key": job.key,
        "subscription_id": version.subscription_id.lower(),
        "resource_group": version.resource_group.lower(),
        "gallery": version.gallery,
        "definition": version.image,
        "version": version.version,
        "geography": job.geography,
        "home_region": job.home_region.name,
        "days_in_month": _days_in_month(day.year, day.month),
        "lab": job.owner_tags.get("lab"),
        "cost_center": job.owner_tags.get("cost_center"),
        "job_id": job.job_id,
        "policy_fingerprint": job.policy_fingerprint,
        "trigger": job.trigger,
        "provisional": provisional,
    }


def _body(
    one: _Standing, job: ReplicationJob, day: date, size: SizeRange | None, prices: DayPrices
) -> dict[str, Any]:
    price = prices.book.storage(one.region, one.storage_account_type, on=day)
    unpriced = [] if size is not None else [SIZE_UNKNOWN]
    row: dict[str, Any] = {
        "region": one.region,
        "is_home": one.is_home,
        "managed": one.managed,
        "state": one.state,
        "storage_account_type": one.storage_account_type,
        "replicas": one.replicas,
        "gb": size.gb if size else None,
        "gb_low": size.low_gb if size else None,
        "gb_high": size.high_gb if size else None,
        "gb_basis": size.basis if size else SIZE_UNKNOWN,
        "gb_confidence": size.confidence if size else "none",
        "currency": prices.book.currency,
        "rule": one.rule,
        "why": one.why,
        "listed_on": one.listed_on,
    }
    if isinstance(price, MissingPrice):
        unpriced.append(price.reason)
    else:
        row |= _priced(price)
        if size is not None:
            in_month = _days_in_month(day.year, day.month)
            row["storage_cost"] = storage_cost(size.gb, one.replicas, price.unit_price, in_month)
    if one.managed and one.listed_on == day:
        transfer = prices.book.transfer(job.home_region.name, one.region, on=day)
        row["egress_gb"] = size.gb if size else None
        if isinstance(transfer, MissingPrice):
            unpriced.append(transfer.reason)
        else:
            row |= _transferred(transfer)
            if size is not None:
                row["egress_cost"] = egress_cost(size.gb, transfer.unit_price)
    row["unpriced"] = "; ".join(unpriced) or None
    return row


def _priced(price: Price) -> dict[str, Any]:
    return {
        "unit_price": price.unit_price,
        "unit_price_on": price.read_on,
        "unit_price_source": price.source,
        "meter_id": price.meter_id,
    }


def _transferred(price: Price) -> dict[str, Any]:
    return {
        "egress_unit_price": price.unit_price,
        "egress_price_on": price.read_on,
        "egress_price_source": price.source,
        "egress_meter_id": price.meter_id,
    }


@lru_cache(maxsize=64)
def _days_in_month(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
