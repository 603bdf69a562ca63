"""What a bill says about galleries, summed up by resource, region, month and currency."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costs.bill.text import Kind, Resource

ZERO = Decimal(0)


def counted(count: int, one: str, many: str = "") -> str:
    """Return "1 row" or "2 rows"; `many` is told where it is not `one` with an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LineKey:
    """What a line is about; `region` is "" where the bill names none, `month` is "2026-10"."""

    kind: Kind
    resource: Resource
    region: str
    month: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """The rows of the bill about one thing.

    `gb` is the quantity (GB-months for storage) if the quantity counts single GB, `gb_in_blocks`
    if it counts blocks of the unit; they differ for a unit like "100 GB/Month" alone. Refunds are
    in the cost and not in the quantity. `equal_rows` are further copies of a row in one file,
    which are counted; `revised` tells that two files have different rows of one day.
    """

    key: LineKey
    cost: Decimal
    gb: Decimal
    gb_in_blocks: Decimal
    rows: int
    first_day: date
    last_day: date
    first_price: Decimal | None = None
    last_price: Decimal | None = None
    last_price_since: date | None = None
    refund_rows: int = 0
    refunds: Decimal = ZERO
    equal_rows: int = 0
    equal_cost: Decimal = ZERO
    revised: bool = False
    meters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Rows that are not compared, why, and what they come to by currency where that is known."""

    reason: str
    rows: int
    amounts: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """The days of a month of which the bill has usage."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """A file of the bill."""

    name: str
    layout: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A bill that was read: every row is in a line, out of scope, or set aside with a reason.

    `aside_by_place` counts those set aside by resource and month, `transfers_elsewhere` those of
    transfers between regions under other resources.
    """

    files: tuple[FileRead, ...]
    lines: tuple[BillLine, ...]
    months: Mapping[str, Covered]
    out_of_scope: tuple[Aside, ...]
    set_aside: tuple[Aside, ...]
    notes: tuple[str, ...]
    aside_by_place: Mapping[tuple[str, str], int] = field(default_factory=dict)
    transfers_elsewhere: int = 0

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return sum(one.rows for one in self.files)

    @property
    def used(self) -> int:
        """How many rows are in the lines."""
        return sum(one.rows for one in self.lines)
