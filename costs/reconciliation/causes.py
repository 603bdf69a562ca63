"""The likely cause of a difference, in words that tell what to look at."""

from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from costs.bill.model import BillLine, Covered, counted
from costs.bill.text import Kind, per_gb
from costs.reconciliation.lines import LedgerLine

BY_PLACE = (
    "all regions together agree: the bill names other regions than those that hold the replicas"
)
_NOTICEABLE = Decimal("0.02")
_TWICE = Decimal("1.5")
_PLACES = Decimal("0.0001")
_GB_PLACES = Decimal("0.01")
_SHOWN_REGIONS = 5

type Agrees = Callable[[Decimal, Decimal], bool]


def causes_of_difference(
    bill: BillLine,
    ledger: LedgerLine,
    amount: Decimal,
    *,
    covered: Covered | None,
    agrees: Agrees,
) -> Iterator[str]:
    """Yield why a bill differs from the ledger's amount, the surest first."""
    if bill.equal_rows and agrees(bill.cost - bill.equal_cost, amount):
        yield (
            f"{counted(bill.equal_rows, 'exact copy', 'exact copies')} of other rows in the file; "
            "counted once the "
            "line matches: was the export put together twice?"
        )
    if bill.revised:
        yield (
            "two files have different rows of the same day: one may be a later export of the "
            "other, so give the newest alone"
        )
    if bill.refund_rows:
        sentence = counted(bill.refund_rows, "refund or correction", "refunds or corrections")
        sentence += f" of {_figure(bill.refunds)}"
        if agrees(bill.cost - bill.refunds, amount):
            sentence += "; without them it matches"
        yield sentence
    if ledger.provisional_rows:
        yield f"{counted(ledger.provisional_rows, 'provisional row')} of the ledger"
    yield from _price(bill, ledger)
    yield from _size(bill, ledger)
    yield from _edges(bill, ledger, amount, covered)


def causes_of_unexplained(
    bill: BillLine, *, covered: bool, currencies: Sequence[str], regions: Sequence[str]
) -> Iterator[str]:
    """Yield why something may be on the bill alone."""
    if bill.refund_rows == bill.rows:
        yield "these are refunds or corrections only"
    if not covered:
        yield f"the bill covers no usage of {bill.key.month}: this corrects an earlier month"
    elif currencies:
        yield (
            f"the ledger has it in {' and '.join(currencies)}, and amounts in two currencies are "
            "not compared; costs.currency in the policy says in which the ledger counts"
        )
    elif not bill.key.region:
        yield "the bill names no region"
    elif regions:
        yield (
            f"the ledger has it in {_listed(regions)} and not here: a replica that somebody else "
            "added and no look at the gallery has seen yet, or one that is being removed"
        )
    elif bill.key.kind is Kind.TRANSFER:
        yield (
            "the ledger books a transfer on the day on which this app adds a region: this is "
            "one that somebody else started, or traffic of another kind"
        )
    else:
        yield (
            "the ledger has nothing of it in these days: a gallery that this app does not watch, "
            "or a version from before it did"
        )


def causes_of_missing(
    ledger: LedgerLine,
    *,
    any_bill: bool,
    transfers_elsewhere: int,
    currencies: Sequence[str],
    regions: Sequence[str],
    late: bool,
) -> Iterator[str]:
    """Yield why something may be on the ledger alone."""
    if ledger.provisional_rows:
        yield f"{counted(ledger.provisional_rows, 'provisional row')} of the ledger"
    if late:
        yield "it is there since the last days of the bill, and usage comes up to three days late"
    if currencies:
        yield (
            f"the bill has it in {' and '.join(currencies)}, and amounts in two currencies are "
            "not compared"
        )
    elif ledger.key.kind is Kind.TRANSFER and transfers_elsewhere:
        yield (
            f"the bill has {counted(transfers_elsewhere, 'row')} of transfers between regions "
            "under other resources, and nobody can tell which of them are the gallery's"
        )
    elif not any_bill:
        yield (
            "the bill has no gallery at all: it is of another subscription, or Azure bills "
            "replicas under other resources there"
        )
    elif regions:
        yield f"the bill has it in {_listed(regions)} and not here"
    elif not late:
        yield (
            "Azure may not have it any more: gallery-replicator costs names what is on the books "
            "and not in Azure"
        )


def _price(bill: BillLine, ledger: LedgerLine) -> Iterator[str]:
    book, implied = ledger.last_price, per_gb(bill.cost - bill.refunds, bill.gb)
    if not book or not implied or not _differ(implied, book):
        return
    if bill.first_price and bill.last_price and _differ(bill.first_price, bill.last_price):
        yield (
            f"the price changed within the month: {_price_text(bill.first_price)} a GB at first on "
            f"the bill, {_price_text(bill.last_price)} since {bill.last_price_since}"
        )
        return
    if ledger.first_price and _differ(ledger.first_price, book):
        yield (
            f"the ledger's price changed within the month, from {_price_text(ledger.first_price)} "
            f"a GB to {_price_text(book)}, the bill's is {_price_text(implied)}"
        )
        return
    sentence = (
        f"the price is {_price_text(implied)} a GB on the bill and {_price_text(book)} in the book"
    )
    percent = abs(implied / book - 1) * 100
    if implied < book:
        yield f"{sentence}, {percent:.0f} % less: a discount or an agreed price"
    else:
        meters = ", ".join(bill.meters) or "none"
        why = f"an old book, or another meter (the bill's: {meters})"
        yield f"{sentence}, {percent:.0f} % more: {why}"


def _size(bill: BillLine, ledger: LedgerLine) -> Iterator[str]:
    if not ledger.gb or bill.gb <= 0 or not _differ(bill.gb, ledger.gb):
        return
    if ledger.key.kind is Kind.TRANSFER:
        yield (
            f"the size was an estimate: the bill says {_gb(bill.gb)} GB were transferred instead "
            f"of {_gb(ledger.gb)}"
        )
        return
    more = bill.gb > ledger.gb
    shorter = bill.last_day < ledger.last_day and bill.first_day < bill.last_day
    if shorter and not more:
        yield (
            f"the bill has it until {bill.last_day}, the ledger until {ledger.last_day}: deleted "
            "in the middle of the month, and noticed later"
        )
        return
    billed = bill.gb / ledger.replica_months
    booked = ledger.gb / ledger.replica_months
    figures = f"the bill says {_gb(billed)} GB a replica instead of {_gb(booked)}"
    if ledger.gb_limit is not None and billed > ledger.gb_limit * (1 + _NOTICEABLE):
        yield (
            f"{figures}, more than the {_gb(ledger.gb_limit)} GB that are provisioned: a replica "
            "that somebody else added, or one that stood longer"
        )
    elif ledger.confidence == "high" and billed > booked * _TWICE:
        yield (
            f"{figures}, which an earlier bill had: a replica that somebody else added, or one "
            "that stood longer"
        )
    elif ledger.confidence == "high":
        yield f"{figures}, which an earlier bill had"
    else:
        yield (
            f"the size was an estimate ({ledger.confidence} confidence): the bill says "
            f"{_gb(billed)} GB occupied a replica instead of {_gb(booked)}"
        )


def _edges(
    bill: BillLine, ledger: LedgerLine, amount: Decimal, covered: Covered | None
) -> Iterator[str]:
    """Yield where the difference is not more than the days on which it came and went."""
    if ledger.key.kind is Kind.TRANSFER or covered is None:
        return
    edges = (ledger.first_day > covered.first) + (ledger.last_day < covered.last)
    days = (ledger.last_day - ledger.first_day).days + 1
    if edges and abs(bill.cost - amount) <= edges * amount / days:
        yield (
            "it came or went within the month: the ledger counts such a day as a whole one, the "
            "bill by the hour"
        )


def _differ(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) > abs(other) * _NOTICEABLE


def _figure(value: Decimal) -> str:
    return f"{value.quantize(_GB_PLACES, rounding=ROUND_HALF_EVEN):f}"


def _price_text(value: Decimal) -> str:
    plain = value.quantize(_PLACES, rounding=ROUND_HALF_EVEN).normalize()
    return f"{plain:f}"


def _gb(value: Decimal) -> str:
    return f"{value.quantize(_GB_PLACES, rounding=ROUND_HALF_EVEN).normalize():f}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN_REGIONS])
    return (
        shown if len(names) <= _SHOWN_REGIONS else f"{shown} and {len(names) - _SHOWN_REGIONS} more"
    )
