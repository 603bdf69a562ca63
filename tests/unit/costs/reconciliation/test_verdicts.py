"""A bill is judged line by line, and every difference comes with its likely cause."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from costs.bill.model import BillLine
from costs.bill.text import Kind
from costs.reconciliation.lines import LedgerLine, Verdict
from costs.reconciliation.verdicts import (
    Circumstances,
    agrees,
    tolerance,
)
from tests.support.costs.verdicts import (
    ABOUT,
    FIRST,
    OTHER,
    VERSION,
    billed,
    booked,
    compare,
    key,
    only,
)


@pytest.mark.parametrize(
    ("cost", "verdict"),
    [
        ("3.00", Verdict.MATCHED),
        ("3.06", Verdict.MATCHED),
        ("2.94", Verdict.MATCHED),
        ("3.07", Verdict.OVER),
        ("2.93", Verdict.UNDER),
    ],
)
def test_two_percent_is_the_same(cost: str, verdict: Verdict) -> None:
    assert only(billed(cost), booked()).verdict is verdict


def test_a_cent_is_the_least_that_differs() -> None:
    assert only(billed("0.012"), booked("0.004")).verdict is Verdict.MATCHED
    assert tolerance(Decimal(-100)) == 2
    assert agrees(Decimal(-99), Decimal(-100))


def test_what_matches_needs_no_cause_and_tells_both_sides() -> None:
    line = only(billed("3.01"), booked())
    assert (line.causes, line.difference) == ((), Decimal("0.01"))
    assert (line.gb, line.ledger_gb) == (Decimal(30), Decimal(30))
    assert (line.bill_rows, line.ledger_rows) == (31, 31)


@pytest.mark.parametrize(
    ("bill", "ledger", "cause"),
    [
        (
            billed("1.20", "12"),
            booked(),
            (
                "the size was an estimate (low confidence): the bill says 12 GB occupied a replica "
                "instead of 30"
            ),
        ),
        (
            billed("6.00", "60"),
            booked(),
            (
                "the bill says 60 GB a replica instead of 30, more than the 30 GB that are "
                "provisioned: a replica that somebody else added, or one that stood longer"
            ),
        ),
        (
            billed("6.00", "60"),
            booked(confidence="high", gb_limit=None),
            (
                "the bill says 60 GB a replica instead of 30, which an earlier bill had: a replica "
                "that somebody else added, or one that stood longer"
            ),
        ),
        (
            billed("2.00", "20"),
            booked(confidence="high", gb_limit=None),
            "the bill says 20 GB a replica instead of 30, which an earlier bill had",
        ),
        (
            billed("2.10", "21", last_day=date(2026, 10, 22)),
            booked(),
            (
                "the bill has it until 2026-10-22, the ledger until 2026-10-31: deleted in the "
                "middle of the month, and noticed later"
            ),
        ),
        (
            billed("2.40"),
            booked(),
            (
                "the price is 0.08 a GB on the bill and 0.1 in the book, 20 % less: a discount "
                "or an agreed price"
            ),
        ),
        (
            billed("4.50"),
            booked(),
            (
                "the price is 0.15 a GB on the bill and 0.1 in the book, 50 % more: an old book, "
                "or another meter (the bill's: LRS Snapshots)"
            ),
        ),
        (
            billed(
                "3.30",
                first_price=Decimal("0.1"),
                last_price=Decimal("0.12"),
                last_price_since=date(2026, 10, 17),
            ),
            booked(),
            (
                "the price changed within the month: 0.1 a GB at first on the bill, 0.12 since "
                "2026-10-17"
            ),
        ),
        (
            billed("3.60"),
            booked("3.30", last_price=Decimal("0.11")),
            (
                "the ledger's price changed within the month, from 0.1 a GB to 0.11, the bill's is "
                "0.12"
            ),
        ),
        (
            billed("6.00", "60", equal_rows=31, equal_cost=Decimal(3)),
            booked(),
            (
                "31 exact copies of other rows in the file; counted once the line matches: was "
                "the export put together twice?"
            ),
        ),
        (
            billed("6.00", "60", revised=True),
            booked(),
            (
                "two files have different rows of the same day: one may be a later export of the "
                "other, so give the newest alone"
            ),
        ),
        (
            billed("2.00", refund_rows=1, refunds=Decimal(-1)),
            booked(),
            "1 refund or correction of -1.00; without them it matches",
        ),
        (
            billed("1.00", refund_rows=1, refunds=Decimal(-1)),
            booked(),
            "1 refund or correction of -1.00",
        ),
        (
            billed("2.50"),
            booked(provisional_rows=4),
            "4 provisional rows of the ledger",
        ),
        (
            billed("0.95", "9.5", first_day=date(2026, 10, 22)),
            booked("1.00", "10", first_day=date(2026, 10, 22), replica_days=10),
            (
                "it came or went within the month: the ledger counts such a day as a whole one, "
                "the bill by the hour"
            ),
        ),
    ],
)
def test_a_difference_has_a_cause(bill: BillLine, ledger: LedgerLine, cause: str) -> None:
    line = only(bill, ledger)
    assert line.verdict in (Verdict.OVER, Verdict.UNDER)
    assert cause in line.causes


def test_a_difference_without_a_cause_says_so() -> None:
    line = only(billed("3.50", "0"), booked())
    assert line.causes == ("no cause shows in the figures: compare the rows of this resource",)


def test_a_bill_of_one_row_a_month_is_not_taken_for_a_replica_of_one_day() -> None:
    line = only(billed("1.20", "12", rows=1, last_day=FIRST), booked())
    assert line.causes[0].startswith("the size was an estimate")


def test_a_transfer_has_its_own_words() -> None:
    at = key(kind=Kind.TRANSFER)
    line = only(billed("0.20", "10", at), booked("0.60", "30", at, first_price=None))
    assert (
        "the size was an estimate: the bill says 10 GB were transferred instead of 30"
        in line.causes
    )


def test_a_replica_without_a_price_is_unexplained_for_that_reason() -> None:
    line = only(billed(), booked(None, unpriced="no price in USD for westus"))
    assert line.verdict is Verdict.UNEXPLAINED
    assert line.causes == ("the ledger has it without a price: no price in USD for westus",)
    assert line.difference is None


def test_a_month_that_has_just_ended_may_still_grow() -> None:
    soon = replace(ABOUT, today=date(2026, 11, 2))
    for line in (only(billed("1"), booked(), soon), only(None, booked(), soon)):
        assert line.causes[0] == (
            "the bill reaches to 2026-10-31, and its last days may still grow: usage comes up to "
            "three days late"
        )


def test_a_replica_of_the_last_days_may_be_late() -> None:
    new = booked(first_day=date(2026, 10, 30), replica_days=2)
    late = "it is there since the last days of the bill, and usage comes up to three days late"
    assert late in only(None, new, replace(ABOUT, today=date(2026, 11, 2))).causes
    assert late not in only(None, new).causes
    beside = [billed(at=key(resource=OTHER))]
    missing = next(
        line
        for line in compare(beside, [new], replace(ABOUT, today=date(2026, 11, 2)))
        if line.verdict is Verdict.MISSING
    )
    assert missing.causes[1:] == (late,)


def test_rows_that_were_set_aside_are_told_where_they_miss() -> None:
    about = replace(ABOUT, aside={(VERSION.id, "2026-10"): 3})
    told = "3 rows about it set aside, for the reasons at the end"
    assert only(None, booked(), about).causes[0] == told
    assert only(billed("1"), booked(), about).causes[0] == told
    assert only(billed(), None, about).causes[0] == told


@pytest.mark.parametrize(
    ("bill", "cause"),
    [
        (billed(), "the ledger has nothing of it in these days: a gallery that this app does not"),
        (billed(refund_rows=31), "these are refunds or corrections only"),
        (
            billed(at=key(month="2026-09")),
            "the bill covers no usage of 2026-09: this corrects an earlier month",
        ),
        (billed(at=key(region="")), "the bill names no region"),
        (billed(at=key(kind=Kind.TRANSFER)), "the ledger books a transfer on the day on which"),
    ],
)
def test_what_is_on_the_bill_alone_is_unexplained(bill: BillLine, cause: str) -> None:
    line = only(bill, None)
    assert (line.verdict, line.ledger, line.ledger_rows) == (Verdict.UNEXPLAINED, None, 0)
    assert any(one.startswith(cause) for one in line.causes)


def test_a_replica_somebody_else_added_is_told_by_where_the_others_are() -> None:
    unexplained, matched = compare([billed(), billed(at=key(region="eastus"))], [booked()])
    assert matched.verdict is Verdict.MATCHED
    assert unexplained.causes[0].startswith("the ledger has it in westus and not here: a replica")
    six = [booked(at=key(region=f"region{number}")) for number in range(6)]
    (line, *_) = compare([billed(at=key(region="a"))], six)
    assert "region0, region1, region2, region3, region4 and 1 more" in line.causes[0]


@pytest.mark.parametrize(
    ("ledger", "about", "cause"),
    [
        (booked(), ABOUT, "the bill has no gallery at all: it is of another subscription, or"),
        (
            booked(at=key(kind=Kind.TRANSFER)),
            replace(ABOUT, transfers_elsewhere=9),
            "the bill has 9 rows of transfers between regions under other resources",
        ),
        (booked(provisional_rows=2), ABOUT, "2 provisional rows of the ledger"),
    ],
)
def test_what_is_on_the_ledger_alone_is_missing(
    ledger: LedgerLine, about: Circumstances, cause: str
) -> None:
    line = only(None, ledger, about)
    assert (line.verdict, line.bill, line.bill_rows) == (Verdict.MISSING, None, 0)
    assert any(one.startswith(cause) for one in line.causes)


def test_a_missing_one_beside_others_may_be_a_ghost() -> None:
    lines = compare([billed(at=key(resource=OTHER))], [booked()])
    missing = next(one for one in lines if one.verdict is Verdict.MISSING)
    assert missing.causes[0].startswith("Azure may not have it any more: gallery-replicator costs")


def test_two_currencies_are_not_compared_and_said_so() -> None:
    euro, dollar = compare([billed(at=key(currency="EUR"))], [booked()])
    assert (euro.verdict, dollar.verdict) == (Verdict.UNEXPLAINED, Verdict.MISSING)
    assert euro.causes[0].startswith("the ledger has it in USD, and amounts in two currencies")
    assert dollar.causes[0].startswith("the bill has it in EUR, and amounts in two currencies")


def test_regions_that_agree_together_are_told() -> None:
    lines = compare([billed("6.00", "60")], [booked(), booked(at=key(region="eastus"))])
    assert {line.verdict for line in lines} == {Verdict.OVER, Verdict.MISSING}
    for line in lines:
        assert line.causes[0].startswith("all regions together agree")
    unpriced = compare([billed("6.00", "60")], [booked(), booked(None, at=key(region="eastus"))])
    assert not any("together agree" in cause for line in unpriced for cause in line.causes)
