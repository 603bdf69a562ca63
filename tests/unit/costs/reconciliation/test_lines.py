"""Lines of bill and ledger are brought together without losing an amount or counting one twice."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.bill.model import Covered
from costs.bill.text import Resource
from costs.reconciliation.lines import Verdict, pair
from costs.reconciliation.verdicts import is_whole, read_quantity
from tests.support.builders import version_id
from tests.support.costs.verdicts import (
    ABOUT,
    DEFINITION,
    FIRST,
    GALLERY,
    OTHER,
    VERSION,
    billed,
    booked,
    compare,
    key,
)


@pytest.mark.parametrize("wider", [DEFINITION, GALLERY])
def test_versions_are_added_up_where_the_bill_names_more_than_one(wider: Resource) -> None:
    other = str(version_id(version="1.1.0"))
    ledger = [
        booked(provisional_rows=1),
        booked(
            at=key(resource=OTHER),
            versions=(other,),
            confidence="high",
            gb_limit=None,
            first_day=date(2026, 10, 5),
        ),
    ]
    bill = [billed("5.00", "50", key(resource=wider)), billed("1.00", "10", refund_rows=0)]
    (line,) = compare(bill, ledger)
    assert (line.key.resource, line.verdict) == (wider, Verdict.MATCHED)
    assert (line.bill, line.ledger, line.ledger_gb) == (Decimal(6), Decimal(6), Decimal(60))
    assert line.replica_days == 62
    ((_, found),) = pair(bill, ledger).values()
    assert found is not None
    assert (found.versions, found.confidence, found.gb_limit) == (
        (str(version_id()), other),
        "low",
        None,
    )


def test_a_version_without_a_size_or_a_price_leaves_the_sum_unknown() -> None:
    both = [booked(), booked(None, None, at=key(resource=OTHER), unpriced="why")]
    (line,) = compare([billed(at=key(resource=DEFINITION))], both)
    assert (line.ledger, line.ledger_gb) == (None, None)
    assert line.causes == ("the ledger has it without a price: why",)


@pytest.mark.parametrize(
    ("cost", "gb", "blocks", "book", "expected"),
    [
        ("3.00", "30", "3000", "0.1", "30"),
        ("3.00", "0.3", "30", "0.1", "30"),
        ("2.10", "0.3", "30", "0.1", "30"),
        ("3.00", "30", "30", "0.1", "30"),
        ("3.00", "0.3", "30", None, "0.3"),
        ("0.00", "0.3", "30", "0.1", "0.3"),
        ("3.00", "0", "0", "0.1", "0"),
    ],
)
def test_a_unit_of_a_hundred_is_read_as_the_price_says(
    cost: str, gb: str, blocks: str, book: str | None, expected: str
) -> None:
    bill = billed(cost, gb, gb_in_blocks=Decimal(blocks))
    ledger = booked(last_price=Decimal(book)) if book else None
    assert read_quantity(bill, ledger) == Decimal(expected)


def test_a_month_is_whole_when_its_end_is_on_the_bill_and_late_usage_had_its_time() -> None:
    assert is_whole("2026-10", ABOUT)
    assert not is_whole("2026-09", ABOUT)
    assert not is_whole("2026-10", replace(ABOUT, today=date(2026, 11, 3)))
    short = {"2026-10": Covered(first=FIRST, last=date(2026, 10, 30))}
    assert not is_whole("2026-10", replace(ABOUT, months=short))


AMOUNTS = st.decimals(0, 1000, places=2)
PLACES = st.sampled_from(["westus", "eastus", ""])
LEVELS = st.sampled_from([VERSION, OTHER, DEFINITION, GALLERY])


@given(
    bills=st.lists(st.tuples(AMOUNTS, PLACES, LEVELS), max_size=6),
    ledgers=st.lists(st.tuples(AMOUNTS, PLACES, st.sampled_from([VERSION, OTHER])), max_size=6),
)
def test_no_amount_is_lost_or_counted_twice(
    bills: list[tuple[Decimal, str, Resource]], ledgers: list[tuple[Decimal, str, Resource]]
) -> None:
    lines = compare(
        [billed(str(cost), at=key(region=at, resource=of)) for cost, at, of in bills],
        [booked(str(cost), at=key(region=at, resource=of)) for cost, at, of in ledgers],
    )
    assert sum(one.bill or 0 for one in lines) == sum(cost for cost, _, _ in bills)
    assert sum(one.ledger or 0 for one in lines) == sum(cost for cost, _, _ in ledgers)
    for line in lines:
        assert bool(line.causes) == (line.verdict is not Verdict.MATCHED)
