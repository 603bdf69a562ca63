"""What a report knows of the ledger: sums, days, versions and replicas, each with its currency."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError

_PLACES = Decimal("0.000001")
_CENTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What rows of one currency cost; None where nothing had a price, which is not zero.

    `unpriced_rows` have no price for their storage, `incomplete_rows` for that or for a transfer.
    """

    currency: str
    storage: Decimal | None
    egress: Decimal | None
    replica_days: int
    rows: int
    unpriced_rows: int
    incomplete_rows: int

    @property
    def total(self) -> Decimal | None:
        """Storage and transfer, as far as they have a price."""
        if self.storage is None and not self.egress:
            return None
        return (self.storage or Decimal(0)) + (self.egress or Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group: its keys in order, and what it costs."""

    keys: Mapping[str, str | None]
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupList:
    """Groups, and how many more there are with what those cost."""

    items: tuple[Group, ...]
    left_out: int = 0
    left_out_money: Mapping[str, Money] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFact:
    """One day in one currency."""

    day: date
    money: Money
    provisional_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedFact:
    """Why rows have no price: for their `storage`, else for a transfer alone."""

    reason: str
    storage: bool
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFact:
    """One version on the ledger's last day: what it costs a month at that day's rate.

    `gb` is what all its replicas hold, None where no size is known.
    """

    image_version_id: str
    lab: str | None
    cost_center: str | None
    currency: str
    monthly: Decimal | None
    in_period: Decimal | None
    replicas: int
    regions: int
    gb: Decimal | None
    unpriced_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaRow:
    """One region of a version on a day; without a size or a price its cost is not known."""

    image_version_id: str
    region: str
    home_region: str
    is_home: bool
    storage_account_type: str
    replicas: int
    gb: Decimal | None
    unit_price: Decimal | None
    currency: str
    unpriced: str | None

    @property
    def monthly(self) -> Decimal | None:
        """What it costs a month."""
        if self.gb is None or self.unit_price is None:
            return None
        return self.gb * self.replicas * self.unit_price


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFact:
    """One region of a version on a day."""

    version_key: str
    region: str
    currency: str
    monthly: Decimal | None


def readable_id(image_version_id: str) -> ImageVersionId | None:
    """Return the id in a row, None for the row of a record that cannot be read."""
    try:
        return ImageVersionId.parse(image_version_id)
    except MalformedImageVersionIdError:
        return None


def monthly_rate(day_cost: Decimal | None, days: int) -> Decimal | None:
    """Return a whole month at one day's cost; twelve places of a day are good for eight."""
    return None if day_cost is None else (day_cost * days).quantize(Decimal("0.00000001"))


def add_up(amounts: Iterable[Money]) -> dict[str, Money]:
    """Add amounts up, each currency by itself; what has no price stays unknown."""
    sums: dict[str, Money] = {}
    for one in amounts:
        before = sums.get(one.currency)
        sums[one.currency] = one if before is None else _plus(before, one)
    return dict(sorted(sums.items()))


def sum_two(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Add two amounts of one currency; one that is not known leaves the other."""
    return one if other is None else other if one is None else one + other


def _plus(one: Money, other: Money) -> Money:
    return Money(
        currency=one.currency,
        storage=sum_two(one.storage, other.storage),
        egress=sum_two(one.egress, other.egress),
        replica_days=one.replica_days + other.replica_days,
        rows=one.rows + other.rows,
        unpriced_rows=one.unpriced_rows + other.unpriced_rows,
        incomplete_rows=one.incomplete_rows + other.incomplete_rows,
    )


def amount(value: Decimal | None) -> str | None:
    """Return an amount to a millionth, with two places at least; None stays None."""
    if value is None:
        return None
    whole, _, places = f"{value.quantize(_PLACES, rounding=ROUND_HALF_EVEN):f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(_CENTS, '0')}"
