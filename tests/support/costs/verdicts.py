"""A bill, a ledger, and the judgement of their lines."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from costs.bill.model import BillLine, Covered, LineKey
from costs.bill.text import Kind, Level, Resource
from costs.reconciliation.lines import LedgerLine, Line, pair
from costs.reconciliation.verdicts import (
    Circumstances,
    judge,
    settle_quantities,
)
from tests.support.builders import version_id

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
VERSION = Resource(str(version_id()).lower(), Level.VERSION)
DEFINITION = Resource(VERSION.definition, Level.DEFINITION)
GALLERY = Resource(VERSION.gallery, Level.GALLERY)
OTHER = Resource(str(version_id(version="1.1.0")).lower(), Level.VERSION)
OCTOBER = {"2026-10": Covered(first=FIRST, last=LAST)}
ABOUT = Circumstances(today=date(2026, 11, 23), months=OCTOBER)


def key(**changes: Any) -> LineKey:
    one = LineKey(
        kind=Kind.STORAGE, resource=VERSION, region="westus", month="2026-10", currency="USD"
    )
    return replace(one, **changes)


def billed(
    cost: str = "3.00", gb: str = "30", at: LineKey | None = None, **changes: Any
) -> BillLine:
    one = BillLine(
        key=at or key(),
        cost=Decimal(cost),
        gb=Decimal(gb),
        gb_in_blocks=Decimal(gb),
        rows=31,
        first_day=FIRST,
        last_day=LAST,
        meters=("LRS Snapshots",),
    )
    return replace(one, **changes)


def booked(
    cost: str | None = "3.00", gb: str | None = "30", at: LineKey | None = None, **changes: Any
) -> LedgerLine:
    one = LedgerLine(
        key=at or key(),
        cost=None if cost is None else Decimal(cost),
        gb=None if gb is None else Decimal(gb),
        replica_days=31,
        days_in_month=31,
        first_day=FIRST,
        last_day=LAST,
        rows=31,
        versions=(str(version_id()),),
        confidence="low",
        gb_limit=Decimal(30),
        first_price=Decimal("0.1"),
        last_price=Decimal("0.1"),
    )
    return replace(one, **changes)


def compare(
    bill: list[BillLine], ledger: list[LedgerLine], about: Circumstances = ABOUT
) -> tuple[Line, ...]:
    return judge(settle_quantities(pair(bill, ledger)), about)


def only(bill: BillLine | None, ledger: LedgerLine | None, about: Circumstances = ABOUT) -> Line:
    (line,) = compare([bill] if bill else [], [ledger] if ledger else [], about)
    return line
