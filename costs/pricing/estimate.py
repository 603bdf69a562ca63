"""The estimate of what the replicas of an image version cost, before any bill shows it.

Microsoft has published two formulas, and they disagree. The snapshot formula (billing page of
Azure Compute Gallery) charges occupied GB at the rate of snapshots, and the transfer to each
further region once. The Lab Services formula (administrator guide of 2020) charges every replica
like a managed disk of the provisioned size, and leaves the transfer out. The estimate follows the
first, which the bill follows; the second is printed beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from costs.pricing.prices import HOW_TO_REFRESH, MissingPrice, Price, PriceBook
from costs.pricing.sizes import SizeRange

SNAPSHOT_FORMULA = "snapshot formula: occupied GB x replicas x snapshot rate of the region"
LAB_SERVICES_FORMULA = (
    "Lab Services formula: images x versions x replicas x price of the managed disk's tier"
)
SIZE_UNKNOWN = "the size of the version is not known before its creation has ended"
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalReplicas:
    """How many replicas one region is to hold, and on which storage."""

    region: str
    replica_count: int = 1
    storage_account_type: str = "Standard_LRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An amount of money between two bounds, in cents: the figure to count with is `likely`."""

    low: Decimal
    likely: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """A region without a price, and why."""

    region: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEstimate:
    """What regions cost a month, and the transfer to them once.

    An amount is None while the size is not known, or as long as one region has no price: a sum
    that leaves a region out would pass for the whole. `priced_monthly` is that sum, under its own
    name. `lab_services_monthly` is the figure of the other formula, None without its prices.
    `confidence` is high, medium, low or none. `unpriced` are the regions whose storage has no
    price, `unpriced_transfer` those to which the transfer has none.
    """

    monthly_range: Amount | None
    egress_range: Amount | None
    priced_monthly: Decimal | None
    lab_services_monthly: Decimal | None
    currency: str
    basis: str
    confidence: str
    unpriced: tuple[Unpriced, ...] = ()
    unpriced_transfer: tuple[Unpriced, ...] = ()

    @property
    def monthly(self) -> Decimal | None:
        """The figure to count with for a month of storage."""
        return None if self.monthly_range is None else self.monthly_range.likely

    @property
    def egress_once(self) -> Decimal | None:
        """The figure to count with for the transfer."""
        return None if self.egress_range is None else self.egress_range.likely


def snapshot_monthly(gb: Decimal, replicas: Iterable[tuple[int, Decimal]]) -> Decimal:
    """Return the snapshot formula's storage a month: for each region its replicas and rate."""
    return sum((gb * count * rate for count, rate in replicas), start=Decimal(0))


def transfer_once(gb: Decimal, rates: Iterable[Decimal]) -> Decimal:
    """Return the snapshot formula's transfer: once for each added region, not for each replica."""
    return sum((gb * rate for rate in rates), start=Decimal(0))


def lab_services_monthly(
    *, images: int, versions: int, replicas: int, disk_price: Decimal
) -> Decimal:
    """Return the Lab Services formula's storage a month at one price of a disk."""
    return images * versions * replicas * disk_price


def estimate_cost(
    size: SizeRange | None,
    added: Iterable[RegionalReplicas],
    *,
    home_region: str,
    provisioned_gb: int | None,
    book: PriceBook,
    on: date,
) -> CostEstimate:
    """Estimate regions that are added: storage a month, and the transfer from the home region.

    The home region itself may be among them; nothing is transferred to it.
    """
    regions = tuple(added)
    if size is None:
        return unknown_cost(SIZE_UNKNOWN, currency=book.currency)
    storage = [book.storage(one.region, one.storage_account_type, on=on) for one in regions]
    away = [one.region for one in regions if one.region != home_region]
    transfer = [book.transfer(home_region, region, on=on) for region in away]
    priced = [
        (one.replica_count, price.unit_price)
        for one, price in zip(regions, storage, strict=True)
        if isinstance(price, Price)
    ]
    rates = [price.unit_price for price in transfer if isinstance(price, Price)]
    monthly_complete, egress_complete = len(priced) == len(regions), len(rates) == len(away)
    names = [one.region for one in regions]
    used = [price for price in (*storage, *transfer) if isinstance(price, Price)]
    partial = _cents(snapshot_monthly(size.gb, priced))
    lab_monthly, lab_basis = _lab_services(regions, provisioned_gb, book, on)
    return CostEstimate(
        monthly_range=_range(size, priced) if monthly_complete else None,
        egress_range=_egress_range(size, rates) if egress_complete else None,
        priced_monthly=partial,
        lab_services_monthly=lab_monthly,
        currency=book.currency,
        basis="; ".join(
            [
                *_gaps(names, storage, priced=len(priced), partial=partial, book=book),
                *_egress_gaps(away, transfer),
                SNAPSHOT_FORMULA,
                size.basis,
                _source_of(used, book),
                lab_basis,
                "a GB is counted as a GiB",
                *_remedy(*storage, *transfer),
            ]
        ),
        confidence=_confidence(size, used, complete=monthly_complete and egress_complete),
        unpriced=tuple(_unpriced(names, storage)),
        unpriced_transfer=tuple(_unpriced(away, transfer)),
    )


def unknown_cost(reason: str, *, currency: str) -> CostEstimate:
    """Return an estimate without figures, with the reason as its basis."""
    return CostEstimate(
        monthly_range=None,
        egress_range=None,
        priced_monthly=None,
        lab_services_monthly=None,
        currency=currency,
        basis=reason,
        confidence="none",
    )


def _range(size: SizeRange, priced: Sequence[tuple[int, Decimal]]) -> Amount:
    low, likely, high = (
        _cents(snapshot_monthly(gb, priced)) for gb in (size.low_gb, size.gb, size.high_gb)
    )
    return Amount(low=low, likely=likely, high=high)


def _egress_range(size: SizeRange, rates: Sequence[Decimal]) -> Amount:
    low, likely, high = (
        _cents(transfer_once(gb, rates)) for gb in (size.low_gb, size.gb, size.high_gb)
    )
    return Amount(low=low, likely=likely, high=high)


def _lab_services(
    regions: Sequence[RegionalReplicas], provisioned_gb: int | None, book: PriceBook, on: date
) -> tuple[Decimal | None, str]:
    """Return the other formula's figure for these replicas, each at its own region's price."""
    if provisioned_gb is None:
        return None, f"{LAB_SERVICES_FORMULA}: no provisioned size yet"
    total = Decimal(0)
    for one in regions:
        price = book.disk(one.region, provisioned_gb, on=on)
        if isinstance(price, MissingPrice):
            return None, f"{LAB_SERVICES_FORMULA}: {price.reason}"
        total += lab_services_monthly(
            images=1, versions=1, replicas=one.replica_count, disk_price=price.unit_price
        )
    monthly = _cents(total)
    return monthly, f"{LAB_SERVICES_FORMULA}: {monthly} {book.currency} a month"


def _unpriced(regions: Sequence[str], prices: Sequence[Price | MissingPrice]) -> list[Unpriced]:
    return [
        Unpriced(region=region, reason=price.reason)
        for region, price in zip(regions, prices, strict=True)
        if isinstance(price, MissingPrice)
    ]


def _gaps(
    regions: Sequence[str],
    prices: Sequence[Price | MissingPrice],
    *,
    priced: int,
    partial: Decimal,
    book: PriceBook,
) -> list[str]:
    missing = _unpriced(regions, prices)
    if not missing:
        return []
    where = ", ".join(one.region for one in missing)
    some = (
        f", the {priced} with a price come to {partial} {book.currency} a month" if priced else ""
    )
    return [f"no sum, since storage has no price in {where}{some} ({missing[0].reason})"]


def _egress_gaps(regions: Sequence[str], prices: Sequence[Price | MissingPrice]) -> list[str]:
    missing = _unpriced(regions, prices)
    if not missing:
        return []
    return [f"the transfer has no price for {len(missing)} regions ({missing[0].reason})"]


def _remedy(*prices: Price | MissingPrice) -> list[str]:
    return [HOW_TO_REFRESH] if any(isinstance(one, MissingPrice) for one in prices) else []


def _source_of(used: Sequence[Price], book: PriceBook) -> str:
    if not used:
        return f"prices: {book.source}"
    days = sorted({one.read_on for one in used})
    read = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    second_hand = ", some of them second-hand" if any(one.second_hand for one in used) else ""
    return f"list prices in {book.currency} read on {read} ({book.source}){second_hand}"


def _confidence(size: SizeRange, used: Sequence[Price], *, complete: bool) -> str:
    if not complete:
        return "none"
    return "low" if any(one.second_hand for one in used) else size.confidence


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, rounding=ROUND_HALF_EVEN)
