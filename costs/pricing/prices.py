"""Unit prices: which meter a replica is charged on, and what the price list said for a day."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter

# Decimal's twelve digits before the point are far above any price list.
MAX_PRICE = Decimal(1_000_000)
# How the source of such a price begins.
SECOND_HAND = "second-hand"
HOW_TO_REFRESH = "read the price list with: gallery-replicator costs refresh-prices"


class StorageKind(StrEnum):
    """How a replica is kept, as far as its price goes."""

    STANDARD = "standard"
    ZONE_REDUNDANT = "zone_redundant"
    PREMIUM = "premium"


_KINDS = {
    "standard_lrs": StorageKind.STANDARD,
    "standard_zrs": StorageKind.ZONE_REDUNDANT,
    "premium_lrs": StorageKind.PREMIUM,
}


def storage_kind(storage_account_type: str) -> StorageKind | None:
    """Return the kind, or None for a type whose meter nobody has seen (PremiumV2_LRS)."""
    return _KINDS.get(storage_account_type.strip().casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter by the names in the price list, which tells upper from lower case.

    `sku` is None where the list has one meter of that name a product. `unit` is what one unit of
    the price is: the list may give the price for a hundred.
    """

    service: str
    product: str
    sku: str | None
    name: str
    unit: str


def _snapshots(product: str, redundancy: str) -> Meter:
    return Meter(
        service="Storage",
        product=product,
        sku=f"Snapshots {redundancy}",
        name=f"{redundancy} Snapshots",
        unit="GB/Month",
    )


# Replicas are charged as snapshots. The same name stands under two products at two prices, so
# the product decides.
STORAGE_METERS: Mapping[StorageKind, Meter] = {
    StorageKind.STANDARD: _snapshots("Standard HDD Managed Disks", "LRS"),
    StorageKind.ZONE_REDUNDANT: _snapshots("Standard HDD Managed Disks", "ZRS"),
    StorageKind.PREMIUM: _snapshots("Premium SSD Managed Disks", "LRS"),
}
# The list gives it for the source region; the invoice names the continent instead.
TRANSFER_METER = Meter(
    service="Bandwidth",
    product="Rtn Preference: MGN",
    sku=None,
    name="Standard Inter-Region Data Transfer",
    unit="GB",
)
# Standard HDD sizes: a disk is charged as the smallest tier that holds it. GiB, tier.
DISK_TIERS: tuple[tuple[int, str], ...] = (
    (32, "S4"),
    (64, "S6"),
    (128, "S10"),
    (256, "S15"),
    (512, "S20"),
    (1024, "S30"),
    (2048, "S40"),
    (4096, "S50"),
    (8192, "S60"),
    (16384, "S70"),
    (32767, "S80"),
)


def disk_meter(tier: str) -> Meter:
    """Return the meter of a Standard HDD tier such as "S10"."""
    return Meter(
        service="Storage",
        product="Standard HDD Managed Disks",
        sku=f"{tier} LRS",
        name=f"{tier} LRS Disk",
        unit="1/Month",
    )


def disk_tier(provisioned_gb: int) -> str | None:
    """Return the smallest tier that holds a disk, None for one larger than any."""
    return next((tier for size_gb, tier in DISK_TIERS if provisioned_gb <= size_gb), None)


ALL_METERS: tuple[Meter, ...] = (
    *STORAGE_METERS.values(),
    TRANSFER_METER,
    *(disk_meter(tier) for _, tier in DISK_TIERS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one `unit` of a meter costs in a region since `effective_on`.

    `read_on` is the day on which the list was read, `source` says by whom and where.
    """

    unit_price: Decimal
    currency: str
    unit: str
    region: str
    meter_id: str
    meter_name: str
    product_name: str
    sku_name: str
    effective_on: date
    read_on: date
    source: str

    @property
    def second_hand(self) -> bool:
        """Whether nobody has seen the answer of the price list that it stands for."""
        return self.source.startswith(SECOND_HAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPrice:
    """There is no price, and why; never to be taken for zero."""

    reason: str


type _Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Prices in one currency; of a meter whose price changed it keeps each with its first day.

    `source` says where the book comes from, `read_on` the day of its newest reading (None for a
    book in which nothing was ever read).
    """

    currency: str
    read_on: date | None
    source: str
    prices: tuple[Price, ...]
    _index: Mapping[_Place, Sequence[Price]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[_Place, list[Price]] = {}
        for price in sorted(self.prices, key=attrgetter("effective_on", "read_on")):
            if price.currency != self.currency:
                raise ValueError(f"a price in {price.currency} in a book of {self.currency}")
            index.setdefault(_place(price), []).append(price)
        object.__setattr__(self, "_index", index)

    def storage(
        self, region: str, storage_account_type: str, *, on: date | None = None
    ) -> Price | MissingPrice:
        """Return the price of a GB a month in a region, as it held on a day (None: the newest)."""
        kind = storage_kind(storage_account_type)
        if kind is None:
            return MissingPrice(
                reason=f"no meter is known for storage of the type {storage_account_type[:40]}"
            )
        return self._price(
            STORAGE_METERS[kind], region, f"{storage_account_type} storage in {region}", on
        )

    def transfer(self, source: str, target: str, *, on: date | None = None) -> Price | MissingPrice:
        """Return the price of a GB from one region to another.

        The price list knows it by the source alone; a book has no price within a region, where
        nothing is transferred.
        """
        if source == target:
            return MissingPrice(reason=f"nothing is transferred within {source}")
        return self._price(TRANSFER_METER, source, f"transfer from {source}", on)

    def disk(
        self, region: str, provisioned_gb: int, *, on: date | None = None
    ) -> Price | MissingPrice:
        """Return the price a month of the Standard HDD tier that holds a disk."""
        tier = disk_tier(provisioned_gb)
        if tier is None:
            return MissingPrice(reason=f"no disk tier holds {provisioned_gb} GB")
        return self._price(disk_meter(tier), region, f"a disk of tier {tier} in {region}", on)

    def _price(self, meter: Meter, region: str, what: str, on: date | None) -> Price | MissingPrice:
        known = self._index.get((meter.product, meter.name, region), ())
        if not known:
            return MissingPrice(reason=f"no price in {self.currency} for {what}")
        if on is None:
            return known[-1]
        held = bisect_right(known, on, key=attrgetter("effective_on"))
        if held == 0:
            return MissingPrice(
                reason=f"the first known price in {self.currency} for {what} holds "
                f"from {known[0].effective_on}, after {on}"
            )
        return known[held - 1]


def merge_prices(older: Sequence[Price], newer: Sequence[Price]) -> tuple[Price, ...]:
    """Put what was read newly over what was known; a price that changed stays as history."""
    merged = {(_place(one), one.effective_on): one for one in (*older, *newer)}
    return tuple(merged[key] for key in sorted(merged))


def _place(price: Price) -> _Place:
    return (price.product_name, price.meter_name, price.region)
