"""Growth, forecast, budgets and superseded versions, from facts alone."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from costs.report.facts import DayFact, Group, Money, VersionFact, add_up, amount
from costs.report.maths import (
    MonthGrowth,
    budget_uses,
    forecasts,
    growth,
    percent,
    sum_known,
    superseded,
)
from replication.domain.policy import Budget, ReplicationPolicy
from tests.support.builders import SUBSCRIPTION, version_id

LAST = date(2026, 11, 20)


def money(
    storage: str | None = "1", egress: str | None = "0", *, currency: str = "USD", unpriced: int = 0
) -> Money:
    return Money(
        currency=currency,
        storage=None if storage is None else Decimal(storage),
        egress=None if egress is None else Decimal(egress),
        replica_days=1,
        rows=1,
        unpriced_rows=unpriced,
        incomplete_rows=unpriced,
    )


def day(when: date, amount_of: Money) -> DayFact:
    return DayFact(day=when, money=amount_of, provisional_rows=0)


def grown(days: list[DayFact]) -> tuple[MonthGrowth, ...]:
    """Return the growth of a ledger that has just these days."""
    return growth(days, {one.day for one in days})


def days_before(last: date, *storage: str) -> list[DayFact]:
    """Return one day after the other, the last of them on `last`."""
    first = last - timedelta(days=len(storage) - 1)
    return [day(first + timedelta(days=n), money(text)) for n, text in enumerate(storage)]


def test_amounts_are_added_up_by_currency_and_what_is_unknown_stays_so() -> None:
    sums = add_up([money("1"), money(None), money("2", currency="EUR"), money("3", "4")])
    assert [(name, amount(one.total), one.rows) for name, one in sums.items()] == [
        ("EUR", "2.00", 1),
        ("USD", "8.00", 3),
    ]
    assert add_up([money(None, None)])["USD"].total is None
    known = sum_known([("USD", None), ("USD", Decimal(1)), ("EUR", None)])
    assert known == {"EUR": None, "USD": Decimal(1)}


def test_a_month_is_compared_with_the_one_before_by_its_cost_a_day() -> None:
    october = [day(date(2026, 10, 30 + n), money("2")) for n in range(2)]
    november = [day(date(2026, 11, 1 + n), money("3", "5")) for n in range(4)]
    first, second = grown([*october, *november])
    assert (first.month, amount(first.storage), first.change) == ("2026-10", "4.00", None)
    assert (second.month, amount(second.total)) == ("2026-11", "32.00")
    assert (amount(second.storage_per_day), amount(second.change)) == ("3.00", "1.00")
    assert (second.change_percent, second.ledger_days, second.days) == (Decimal("50.0"), 4, 30)


def test_a_month_after_a_gap_or_in_another_currency_has_nothing_to_be_compared_with() -> None:
    facts = [
        day(date(2026, 9, 30), money("2")),
        day(date(2026, 11, 1), money("3")),
        day(date(2026, 10, 1), money("3", currency="EUR")),
    ]
    assert [(one.currency, one.month, one.change) for one in grown(facts)] == [
        ("EUR", "2026-10", None),
        ("USD", "2026-09", None),
        ("USD", "2026-11", None),
    ]


def test_the_rest_of_the_month_costs_what_the_last_day_cost() -> None:
    (one,) = forecasts(days_before(LAST, "1", "1", "2"), {LAST})
    assert (amount(one.so_far), amount(one.month_total)) == ("4.00", "24.00")
    assert (amount(one.next_month), one.trend_next_month) == ("60.00", None)
    assert one.basis == "10 more days at the storage of 2026-11-20, no further transfer"


def test_a_trend_needs_two_weeks_and_follows_the_line_through_them() -> None:
    # The storage of a day n days ago costs 30 - n a month, so next month's middle is 25.5 ahead.
    rising = [f"{Decimal(30 - ago) / 30}" for ago in range(14, -1, -1)]
    (one,) = forecasts(days_before(LAST, *rising), {LAST})
    assert one.trend_next_month is not None
    assert abs(one.trend_next_month - Decimal(56)) < Decimal("0.000001")
    (few,) = forecasts(days_before(LAST, *rising[:13]), {LAST})
    assert few.trend_next_month is None


def test_a_falling_trend_ends_at_zero() -> None:
    falling = [str(15 - n) for n in range(15)]
    (one,) = forecasts(days_before(LAST, *falling), {LAST})
    assert amount(one.trend_next_month) == "0.00"


def test_a_day_of_the_ledger_without_rows_counts_with_nothing_in_growth_and_trend_alike() -> None:
    """Replicas that stood on two weeks and on none of the days before came from nothing."""
    days = days_before(LAST, *(["3"] * 7))
    ledger = {LAST - timedelta(days=ago) for ago in range(14)}
    (grew,) = growth(days, ledger)
    assert amount(grew.storage_per_day) == "1.50"
    (one,) = forecasts(days, ledger)
    assert one.trend_next_month is not None
    assert one.trend_next_month > one.next_month
    (unknown,) = forecasts([*days, day(min(ledger), money(None))], ledger)
    assert unknown.trend_next_month is None


def test_a_currency_without_rows_on_the_last_day_has_no_replicas_there() -> None:
    (one,) = forecasts([day(LAST - timedelta(days=1), money("5"))], {LAST})
    assert (amount(one.month_total), amount(one.next_month)) == ("5.00", "0.00")
    assert forecasts([], ()) == ()


def test_without_any_price_there_is_no_forecast_and_a_part_is_named() -> None:
    assert forecasts([day(LAST, money(None, None, unpriced=1))], {LAST}) == ()
    (one,) = forecasts([day(LAST, money("5", unpriced=2))], {LAST})
    assert one.basis.endswith("; 2 replica regions without a price are left out")


def gallery_day(name: str, when: date, of: Money) -> Group:
    keys = {"subscription": SUBSCRIPTION, "resource_group": "labs-rg", "gallery": name}
    return Group(keys={**keys, "day": when.isoformat()}, money=of)


def test_budgets_are_held_against_the_month_and_what_is_expected_of_it() -> None:
    policy = ReplicationPolicy(
        budgets=(
            Budget(name="all", monthly=Decimal(40)),
            Budget(name="each", monthly=Decimal(15), each_gallery=True, galleries=("lab*",)),
            Budget(name="none", monthly=Decimal(5), galleries=("nobody",)),
        )
    )
    groups = [
        gallery_day("laba", LAST, money("1", "10", unpriced=3)),
        gallery_day("labb", LAST - timedelta(days=1), money("16")),
        gallery_day("other", LAST, money("1")),
        gallery_day("laba", date(2026, 10, 31), money("1000")),
        gallery_day("laba", LAST, money("1000", currency="EUR")),
    ]
    found = [
        (one.budget, one.gallery, amount(one.actual), amount(one.expected), one.state)
        for one in budget_uses(policy, groups, LAST)
    ]
    assert found == [
        ("all", None, "28.00", "48.00", "will be over"),
        ("each", "laba", "11.00", "21.00", "will be over"),
        ("each", "labb", "16.00", "16.00", "over"),
        ("none", None, "0.00", "0.00", "within"),
    ]
    whole = budget_uses(policy, groups, LAST)[0]
    assert (whole.percent, whole.unpriced_rows) == (Decimal("70.0"), 3)


def version(text: str, *, image: str = "maths", gallery: str = "labgallery") -> VersionFact:
    return VersionFact(
        image_version_id=str(version_id(gallery=gallery, image=image, version=text)),
        lab=None,
        cost_center=None,
        currency="USD",
        monthly=Decimal(1),
        in_period=Decimal(1),
        replicas=1,
        regions=1,
        gb=Decimal(1),
        unpriced_rows=0,
    )


def test_a_version_is_superseded_by_a_higher_number_of_its_own_definition() -> None:
    old, newest = version("1.9.0"), version("1.10.0")
    others = [version("1.0.0", image="physics"), version("0.9.0", gallery="other")]
    assert superseded([old, newest, *others]) == (old,)


def test_letter_case_makes_no_other_definition() -> None:
    old = version("1.0.0", image="MATHS")
    assert superseded([old, version("2.0.0")]) == (old,)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [("1", "3", "33.3"), ("-1", "2", "-50.0"), (None, "3", None), ("1", "0", None)],
)
def test_a_share_of_nothing_means_nothing(
    part: str | None, whole: str, expected: str | None
) -> None:
    found = percent(None if part is None else Decimal(part), Decimal(whole))
    assert (None if found is None else str(found)) == expected
