"""Lines of the ledger and of the bill, and how the two are brought to the same closeness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from costs.bill.model import BillLine, LineKey
from costs.bill.text import Kind, Level, Resource


class Verdict(StrEnum):
    """What the comparison of a line says."""

    MATCHED = "matched"
    OVER = "over"
    UNDER = "under"
    UNEXPLAINED = "unexplained"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """What the ledger has about one thing in the days that the bill covers.

    `gb` are GB-months of all replicas for storage, GB for a transfer; None where no size is known.
    `cost` is None where rows have no price, for the reason `unpriced`. `gb_limit` is the
    provisioned size where nothing better than that was known, else None. `versions` are their
    ids as they are spelled.
    """

    key: LineKey
    cost: Decimal | None
    gb: Decimal | None
    replica_days: int
    days_in_month: int
    first_day: date
    last_day: date
    rows: int
    versions: tuple[str, ...]
    confidence: str
    gb_limit: Decimal | None = None
    first_price: Decimal | None = None
    last_price: Decimal | None = None
    provisional_rows: int = 0
    unpriced: str | None = None

    @property
    def replica_months(self) -> Decimal:
        """How many replicas stood there for the whole month, parts of them added up."""
        return Decimal(self.replica_days) / self.days_in_month


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One compared line; `gb` and `ledger_gb` are GB-months, or GB for a transfer."""

    key: LineKey
    verdict: Verdict
    bill: Decimal | None
    ledger: Decimal | None
    gb: Decimal | None
    ledger_gb: Decimal | None
    replica_days: int
    bill_rows: int
    ledger_rows: int
    causes: tuple[str, ...]

    @property
    def difference(self) -> Decimal | None:
        """The bill less the ledger, None where one of them has no amount."""
        return None if self.bill is None or self.ledger is None else self.bill - self.ledger


type Pair = tuple[BillLine | None, LedgerLine | None]


def pair(bill: Iterable[BillLine], ledger: Iterable[LedgerLine]) -> dict[LineKey, Pair]:
    """Put the lines about the same thing together.

    Where the bill names a definition or a gallery, the lines of its versions are added up to
    that, on both sides: what is on the bill once must not be compared twice.
    """
    bill, ledger = list(bill), list(ledger)
    levels = _levels(one.key for one in bill)
    bills: dict[LineKey, BillLine] = {}
    for one in bill:
        key = _at(one.key, levels)
        known = bills.get(key)
        bills[key] = replace(one, key=key) if known is None else _add_bills(known, one)
    ledgers: dict[LineKey, LedgerLine] = {}
    for line in ledger:
        key = _at(line.key, levels)
        seen = ledgers.get(key)
        ledgers[key] = replace(line, key=key) if seen is None else _add_ledgers(seen, line)
    keys = sorted({*bills, *ledgers})
    return {key: (bills.get(key), ledgers.get(key)) for key in keys}


type _Place = tuple[Kind, str, str]


def _levels(keys: Iterable[LineKey]) -> Mapping[_Place, Level]:
    """Return of which galleries and definitions the bill speaks as a whole."""
    found: dict[_Place, Level] = {}
    for key in keys:
        if key.resource.level is not Level.VERSION:
            found[key.kind, key.month, key.resource.id] = key.resource.level
    return found


def _at(key: LineKey, levels: Mapping[_Place, Level]) -> LineKey:
    for wider in (key.resource.gallery, key.resource.definition):
        level = levels.get((key.kind, key.month, wider))
        if level is not None:
            return replace(key, resource=Resource(wider, level))
    return key


def _add_bills(one: BillLine, other: BillLine) -> BillLine:
    first, last = sorted((one, other), key=lambda line: line.first_day)
    return replace(
        one,
        cost=one.cost + other.cost,
        gb=one.gb + other.gb,
        gb_in_blocks=one.gb_in_blocks + other.gb_in_blocks,
        rows=one.rows + other.rows,
        first_day=first.first_day,
        last_day=max(one.last_day, other.last_day),
        first_price=first.first_price or last.first_price,
        last_price=last.last_price or first.last_price,
        last_price_since=last.last_price_since or first.last_price_since,
        refund_rows=one.refund_rows + other.refund_rows,
        refunds=one.refunds + other.refunds,
        equal_rows=one.equal_rows + other.equal_rows,
        equal_cost=one.equal_cost + other.equal_cost,
        revised=one.revised or other.revised,
        meters=tuple(sorted({*one.meters, *other.meters})),
    )


_CONFIDENCE = ("none", "low", "medium", "high")


def _add_ledgers(one: LedgerLine, other: LedgerLine) -> LedgerLine:
    first, last = sorted((one, other), key=lambda line: line.first_day)
    limits = (one.gb_limit, other.gb_limit)
    return replace(
        one,
        cost=_sum(one.cost, other.cost),
        gb=_sum(one.gb, other.gb),
        replica_days=one.replica_days + other.replica_days,
        first_day=first.first_day,
        last_day=max(one.last_day, other.last_day),
        rows=one.rows + other.rows,
        versions=tuple(sorted({*one.versions, *other.versions})),
        confidence=min(one.confidence, other.confidence, key=_CONFIDENCE.index),
        gb_limit=None if None in limits else max(limit for limit in limits if limit is not None),
        first_price=first.first_price or last.first_price,
        last_price=last.last_price or first.last_price,
        provisional_rows=one.provisional_rows + other.provisional_rows,
        unpriced=one.unpriced or other.unpriced,
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
