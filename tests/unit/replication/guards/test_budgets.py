"""Budgets: what is counted, what is added up, and what no longer fits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.policy import Budget
from replication.guards.budget_guard import SPENDINGS
from replication.guards.budgets import (
    Commitment,
    PlanCost,
    Spending,
    committed,
    month_of,
    must_count,
    recounted,
    spending_key,
    uncommitted,
    why_over,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GALLERY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/galleries/labs"
BUDGET = Budget(name="labs", monthly=Decimal(100), each_gallery=True)
AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=4, allow_nan=False, allow_infinity=False)
COMMITMENTS = st.lists(
    st.builds(
        Commitment,
        key=st.text(alphabet="abcdef0123456789", min_size=1, max_size=32),
        at=st.datetimes(min_value=datetime(2026, 1, 1), timezones=st.just(UTC)).filter(  # noqa: DTZ001 - the zone is the strategy's
            lambda at: at.year < 3000
        ),
        amount=AMOUNTS,
    ),
    max_size=5,
).map(tuple)


def spending(counted: str = "0", **changes: object) -> Spending:
    fields: dict[str, object] = {
        "budget": "labs",
        "gallery_id": GALLERY,
        "month": "2026-11",
        "currency": "USD",
        "counted_at": NOW,
        "counted": Decimal(counted),
    }
    return Spending(**(fields | changes))  # type: ignore[arg-type] # a test's shorthand


def cost(monthly: str | None = "10", egress: str | None = "2") -> PlanCost:
    return PlanCost(
        monthly=None if monthly is None else Decimal(monthly),
        egress_once=None if egress is None else Decimal(egress),
        currency="USD",
        basis="upper bound",
    )


def test_a_plan_that_fits_to_the_cent_fits() -> None:
    assert why_over(spending("88"), BUDGET, "k", cost()) is None


def test_a_plan_over_the_ceiling_is_told_with_every_figure() -> None:
    assert why_over(spending("88.01", unpriced=3), BUDGET, "k", cost()) == (
        "over budget labs of labs: 88.01 USD in 2026-11 (without 3 replicas of unknown cost), "
        "10.00 USD a month and 2.00 USD once for this plan, and the ceiling is 100.00 USD; "
        "upper bound"
    )


@pytest.mark.parametrize(("monthly", "egress"), [(None, "1"), ("1", None), (None, None)])
def test_a_plan_whose_cost_nobody_can_tell_does_not_fit(
    monthly: str | None, egress: str | None
) -> None:
    over = why_over(spending(gallery_id=None), BUDGET, "k", cost(monthly, egress))
    assert over == (
        "budget labs of all its galleries is 100.00 USD a month, and what the plan costs cannot "
        "be told: upper bound"
    )


def test_the_same_plan_asked_again_is_not_counted_twice() -> None:
    once = committed(spending("80"), Commitment(key="k", at=NOW, amount=Decimal(12)))
    assert why_over(once, BUDGET, "k", cost()) is None
    again = committed(once, Commitment(key="k", at=NOW, amount=Decimal(12)))
    assert again.total(without="") == Decimal(92)
    assert why_over(again, BUDGET, "another", cost()) is not None
    assert uncommitted(again, "k").total(without="") == Decimal(80)


def test_more_commitments_than_a_row_holds_are_summed_up() -> None:
    row = spending()
    for number in range(250):
        row = committed(row, Commitment(key=str(number), at=NOW, amount=Decimal(1)))
    assert len(row.commitments) == 200
    assert row.total(without="") == Decimal(250)


@pytest.mark.parametrize(
    ("row", "currency", "expected"),
    [
        (None, "USD", True),
        (spending(), "USD", False),
        (spending(), "EUR", True),
        (spending(month="2026-10"), "USD", True),
        (spending(counted_at=NOW - timedelta(hours=24)), "USD", True),
    ],
)
def test_a_scope_is_counted_once_a_day_a_month_and_a_currency(
    row: Spending | None, currency: str, *, expected: bool
) -> None:
    assert must_count(row, currency=currency, now=NOW) is expected


def test_a_new_count_keeps_the_plans_that_it_may_not_have_seen() -> None:
    early = Commitment(key="early", at=NOW - timedelta(hours=3), amount=Decimal(5))
    late = Commitment(key="late", at=NOW - timedelta(minutes=3), amount=Decimal(7))
    before = spending("1", commitments=(early, late), folded=Decimal(9))
    after = recounted(spending("20"), before)
    assert after.commitments == (late,)
    assert after.total(without="") == Decimal(27)
    assert recounted(spending("20"), None) == spending("20")
    assert recounted(spending("20"), spending(month="2026-10", commitments=(late,))) == (
        spending("20")
    )


def test_scopes_have_rows_of_their_own_and_letter_case_does_not_matter() -> None:
    assert spending_key("labs", GALLERY) == spending_key("labs", GALLERY.upper())
    assert len({spending_key("labs", GALLERY), spending_key("labs", None)}) == 2
    assert month_of(NOW) == "2026-11"


@given(counted=AMOUNTS, folded=AMOUNTS, commitments=COMMITMENTS)
def test_a_row_comes_back_as_it_was_written(
    counted: Decimal, folded: Decimal, commitments: tuple[Commitment, ...]
) -> None:
    row = spending(counted=str(counted), folded=folded, commitments=commitments)
    assert SPENDINGS.read(SPENDINGS.write(row)) == row
