"""The verdict on each line of a bill by the ledger, and the likely cause in words."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from costs.bill.model import BillLine, Covered, LineKey, counted
from costs.bill.text import Kind, per_gb
from costs.reconciliation.causes import (
    BY_PLACE,
    causes_of_difference,
    causes_of_missing,
    causes_of_unexplained,
)
from costs.reconciliation.lines import LedgerLine, Line, Pair, Verdict

# An invoice knows nothing smaller than a cent.
LEAST_DIFFERENCE = Decimal("0.01")
# A month may be metered as 730 hours or as its own 720 or 744: that alone makes 1.9 %.
SHARE = Decimal("0.02")
# Usage is on the bill within three days.
LATE = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the causes need to know beside a line's own figures.

    `aside` counts the rows that were set aside by resource and month; `transfers_elsewhere` the
    rows of transfers between regions that stand under other resources.
    """

    today: date
    months: Mapping[str, Covered]
    aside: Mapping[tuple[str, str], int] = field(default_factory=dict)
    transfers_elsewhere: int = 0


def tolerance(ledger: Decimal) -> Decimal:
    """Return how far a bill may be from the ledger and still match it."""
    return max(LEAST_DIFFERENCE, abs(ledger) * SHARE)


def agrees(bill: Decimal, ledger: Decimal) -> bool:
    """Tell whether two amounts are the same within the tolerance."""
    return abs(bill - ledger) <= tolerance(ledger)


def read_quantity(bill: BillLine, ledger: LedgerLine | None) -> Decimal:
    """Return the GB of a line.

    Cost Management's own quantity counts single units, whatever the unit's number; should an
    export count blocks of "100 GB/Month", its price a GB is nearer to the ledger's when read so.
    """
    book = ledger.last_price if ledger else None
    cost = bill.cost - bill.refunds
    single, blocks = (per_gb(cost, gb) for gb in (bill.gb, bill.gb_in_blocks))
    if single == blocks or not book or not single or not blocks:
        return bill.gb
    if _apart(blocks, book) < _apart(single, book):
        return bill.gb_in_blocks
    return bill.gb


def settle_quantities(pairs: Mapping[LineKey, Pair]) -> dict[LineKey, Pair]:
    """Return the lines with the quantity as `read_quantity` reads it."""
    settled: dict[LineKey, Pair] = {}
    for key, (bill, ledger) in pairs.items():
        gb = read_quantity(bill, ledger) if bill else None
        settled[key] = (replace(bill, gb=gb) if bill and gb is not None else bill, ledger)
    return settled


def judge(pairs: Mapping[LineKey, Pair], about: Circumstances) -> tuple[Line, ...]:
    """Return the verdict of every line; the quantities must be settled."""
    places = _places(pairs)
    any_bill = any(bill is not None for bill, _ in pairs.values())
    around = {key: places[_resource(key)] for key in pairs}
    lines = [
        *(_both(bill, ledger, about) for bill, ledger in pairs.values() if bill and ledger),
        *(
            _unexplained(bill, about, around[key])
            for key, (bill, ledger) in pairs.items()
            if bill and not ledger
        ),
        *(
            _missing(ledger, about, around[key], any_bill=any_bill)
            for key, (bill, ledger) in pairs.items()
            if ledger and not bill
        ),
    ]
    lines.sort(key=lambda line: line.key)
    return tuple(_with_sums(lines))


def _both(bill: BillLine, ledger: LedgerLine, about: Circumstances) -> Line:
    if ledger.cost is None:
        verdict = Verdict.UNEXPLAINED
        causes = [f"the ledger has it without a price: {ledger.unpriced or 'not said why'}"]
    elif agrees(bill.cost, ledger.cost):
        verdict, causes = Verdict.MATCHED, []
    else:
        verdict = Verdict.OVER if bill.cost > ledger.cost else Verdict.UNDER
        causes = [
            *_general(bill.key, about),
            *causes_of_difference(
                bill,
                ledger,
                ledger.cost,
                covered=about.months.get(bill.key.month),
                agrees=agrees,
            ),
        ]
        if not causes:
            causes = ["no cause shows in the figures: compare the rows of this resource"]
    return Line(
        key=bill.key,
        verdict=verdict,
        bill=bill.cost,
        ledger=ledger.cost,
        gb=bill.gb,
        ledger_gb=ledger.gb,
        replica_days=ledger.replica_days,
        bill_rows=bill.rows,
        ledger_rows=ledger.rows,
        causes=tuple(causes),
    )


def _unexplained(bill: BillLine, about: Circumstances, around: "_Around") -> Line:
    causes = causes_of_unexplained(
        bill,
        covered=bill.key.month in about.months,
        currencies=sorted(around.ledger_currencies - {bill.key.currency}),
        regions=sorted(around.ledger_regions),
    )
    return Line(
        key=bill.key,
        verdict=Verdict.UNEXPLAINED,
        bill=bill.cost,
        ledger=None,
        gb=bill.gb,
        ledger_gb=None,
        replica_days=0,
        bill_rows=bill.rows,
        ledger_rows=0,
        causes=(*_aside(bill.key, about), *causes),
    )


def _missing(
    ledger: LedgerLine, about: Circumstances, around: "_Around", *, any_bill: bool
) -> Line:
    covered = about.months.get(ledger.key.month)
    late = (
        covered is not None
        and ledger.first_day > covered.last - LATE
        and not _has_settled(covered, about)
    )
    causes = causes_of_missing(
        ledger,
        any_bill=any_bill,
        transfers_elsewhere=about.transfers_elsewhere,
        currencies=sorted(around.bill_currencies - {ledger.key.currency}),
        regions=sorted(around.bill_regions - {""}),
        late=late,
    )
    return Line(
        key=ledger.key,
        verdict=Verdict.MISSING,
        bill=None,
        ledger=ledger.cost,
        gb=None,
        ledger_gb=ledger.gb,
        replica_days=ledger.replica_days,
        bill_rows=0,
        ledger_rows=ledger.rows,
        causes=(*_general(ledger.key, about), *causes),
    )


def is_whole(month: str, about: Circumstances) -> bool:
    """Tell whether the bill has a month to its end, and late usage had its time."""
    covered = about.months.get(month)
    if covered is None:
        return False
    ends = (covered.last + timedelta(days=1)).day == 1
    return ends and _has_settled(covered, about)


def _has_settled(covered: Covered, about: Circumstances) -> bool:
    return about.today > covered.last + LATE


def _general(key: LineKey, about: Circumstances) -> Iterator[str]:
    yield from _aside(key, about)
    covered = about.months.get(key.month)
    if covered is not None and not _has_settled(covered, about):
        yield (
            f"the bill reaches to {covered.last}, and its last days may still grow: usage comes "
            "up to three days late"
        )


def _aside(key: LineKey, about: Circumstances) -> Iterator[str]:
    count = about.aside.get((key.resource.id, key.month), 0)
    if count:
        yield f"{counted(count, 'row')} about it set aside, for the reasons at the end"


@dataclass(slots=True)
class _Around:
    """Where else, and in which currencies, a resource is on either side in a month."""

    bill_regions: set[str] = field(default_factory=set)
    ledger_regions: set[str] = field(default_factory=set)
    bill_currencies: set[str] = field(default_factory=set)
    ledger_currencies: set[str] = field(default_factory=set)


type _Of = tuple[Kind, str, str]


def _resource(key: LineKey) -> _Of:
    return (key.kind, key.resource.id, key.month)


def _places(pairs: Mapping[LineKey, Pair]) -> Mapping[_Of, _Around]:
    found: dict[_Of, _Around] = defaultdict(_Around)
    for key, (bill, ledger) in pairs.items():
        around = found[_resource(key)]
        if bill is not None:
            around.bill_regions.add(key.region)
            around.bill_currencies.add(key.currency)
        if ledger is not None:
            around.ledger_regions.add(key.region)
            around.ledger_currencies.add(key.currency)
    return found


def _with_sums(lines: list[Line]) -> Iterator[Line]:
    """Say so where only the regions differ, and all of them together agree."""
    groups: dict[tuple[_Of, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[_resource(line.key), line.key.currency].append(line)
    for line in lines:
        own = groups[_resource(line.key), line.key.currency]
        on_bill = [one.bill for one in own if one.bill is not None]
        priced = [one.ledger for one in own if one.ledger is not None]
        wrong = {one.verdict for one in own} & {Verdict.UNEXPLAINED, Verdict.MISSING}
        known = all(one.ledger is not None for one in own if one.verdict is not Verdict.UNEXPLAINED)
        alike = bool(on_bill and priced) and agrees(
            sum(on_bill, Decimal(0)), sum(priced, Decimal(0))
        )
        if line.verdict is Verdict.MATCHED or not wrong or not known or not alike:
            yield line
        else:
            yield replace(line, causes=(BY_PLACE, *line.causes))


def _apart(one: Decimal, other: Decimal) -> Decimal:
    """Return how many times the greater of two prices the lesser is."""
    return max(one / other, other / one)
