"""What a report reads from the ledger: sums by every dimension, and never across currencies."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costs.report.facts import Group, amount
from costs.report.query import Dimension, ReportQuery
from tests.support.builders import SUBSCRIPTION, version_id
from tests.support.costs.ledgers import DAY, facts_of, ledger_row

ONE = Decimal(1)


def grouped(
    folder: Path, rows: list[dict[str, Any]], *words: str, query: ReportQuery | None = None
) -> list[Group]:
    with facts_of(folder, rows, query) as facts:
        return list(facts.groups([Dimension(word) for word in words]).items)


def figures(groups: list[Group], key: str) -> dict[str | None, tuple[str | None, int]]:
    return {one.keys[key]: (amount(one.money.total), one.money.rows) for one in groups}


ROWS = [
    ledger_row(monthly="30", egress="2", lab="biology", cost_center="42"),
    ledger_row(monthly="60", region="eastus", lab="biology", cost_center="42"),
    ledger_row(
        monthly="90", gallery="other", region="northeurope", geography="Europe", lab="maths"
    ),
    ledger_row(monthly="30", version="1.1.0", storage_account_type="Premium_LRS"),
]


BY: list[tuple[str, str, dict[str | None, tuple[str, int]]]] = [
    ("subscription", "subscription", {SUBSCRIPTION: ("9.00", 4)}),
    ("definition", "gallery", {"labgallery": ("6.00", 3), "other": ("3.00", 1)}),
    ("gallery", "gallery", {"labgallery": ("6.00", 3), "other": ("3.00", 1)}),
    (
        "region",
        "region",
        {"westus": ("4.00", 2), "eastus": ("2.00", 1), "northeurope": ("3.00", 1)},
    ),
    ("geography", "geography", {"United States": ("6.00", 3), "Europe": ("3.00", 1)}),
    ("rule", "rule", {"geography": ("7.00", 3), "home": ("2.00", 1)}),
    ("lab", "lab", {"biology": ("5.00", 2), "maths": ("3.00", 1), None: ("1.00", 1)}),
    ("cost_center", "cost_center", {"42": ("5.00", 2), None: ("4.00", 2)}),
    ("storage_type", "storage_type", {"Standard_LRS": ("8.00", 3), "Premium_LRS": ("1.00", 1)}),
    ("month", "month", {"2026-11": ("9.00", 4)}),
    ("day", "day", {"2026-11-20": ("9.00", 4)}),
]


def test_every_dimension_has_its_figures() -> None:
    by_name = {Dimension.VERSION}  # in the test below
    assert {word for word, _, _ in BY} == set(Dimension) - by_name


@pytest.mark.parametrize(("word", "key", "expected"), BY)
def test_costs_are_grouped_by_every_dimension(
    tmp_path: Path, word: str, key: str, expected: dict[str | None, tuple[str, int]]
) -> None:
    assert figures(grouped(tmp_path, ROWS, word), key) == expected


def test_a_version_is_told_by_all_names_that_lead_to_it(tmp_path: Path) -> None:
    first = grouped(tmp_path, ROWS, "version")[0]
    assert dict(first.keys) == {
        "subscription": SUBSCRIPTION,
        "resource_group": "labs-rg",
        "gallery": "labgallery",
        "definition": "maths",
        "version": "1.0.0",
    }
    money = first.money
    assert [amount(one) for one in (money.storage, money.egress, money.total)] == [
        "3.00",
        "2.00",
        "5.00",
    ]


def test_names_in_other_letters_are_the_same_gallery(tmp_path: Path) -> None:
    shouted = ledger_row(monthly="30", version="2.0.0")
    shouted["image_version_id"] = shouted["image_version_id"].replace("labgallery", "LABGALLERY")
    shouted["gallery"] = "LABGALLERY"
    rows = [ledger_row(monthly="30"), shouted]
    assert figures(grouped(tmp_path, rows, "gallery"), "gallery") == {"labgallery": ("2.00", 2)}
    mixed = grouped(tmp_path, rows, "gallery", "rule")
    assert figures(mixed, "gallery") == {"labgallery": ("2.00", 2)}


def test_two_dimensions_make_a_group_of_each_pair_in_the_order_of_time(tmp_path: Path) -> None:
    december = ledger_row(day=date(2026, 12, 2), monthly="31")
    query = ReportQuery(from_day=date(2026, 11, 1), to_day=date(2026, 12, 31))
    found = grouped(tmp_path, [*ROWS, december], "gallery", "month", query=query)
    assert [(one.keys["month"], one.keys["gallery"], amount(one.money.total)) for one in found] == [
        ("2026-11", "labgallery", "6.00"),
        ("2026-11", "other", "3.00"),
        ("2026-12", "labgallery", "1.00"),
    ]


def test_currencies_are_never_added_up(tmp_path: Path) -> None:
    rows = [ledger_row(monthly="30"), ledger_row(monthly="60", region="eastus", currency="EUR")]
    found = grouped(tmp_path, rows, "gallery")
    assert [(one.money.currency, amount(one.money.total)) for one in found] == [
        ("EUR", "2.00"),
        ("USD", "1.00"),
    ]


def test_one_currency_can_be_asked_for(tmp_path: Path) -> None:
    rows = [ledger_row(monthly="30"), ledger_row(monthly="60", region="eastus", currency="EUR")]
    query = ReportQuery(from_day=DAY, to_day=DAY, currency="EUR")
    for words in (["gallery"], ["region"]):
        found = grouped(tmp_path, rows, *words, query=query)
        assert [(one.money.currency, amount(one.money.total)) for one in found] == [("EUR", "2.00")]


def test_what_has_no_price_is_unknown_and_not_zero(tmp_path: Path) -> None:
    rows = [
        ledger_row(monthly=None, region="mars"),
        ledger_row(monthly="30"),
        ledger_row(monthly="30", region="eastus", unpriced="no price for the transfer"),
    ]
    found = {one.keys["region"]: one.money for one in grouped(tmp_path, rows, "region")}
    mars, west, east = found["mars"], found["westus"], found["eastus"]
    assert (mars.storage, mars.egress, mars.total, mars.unpriced_rows) == (None, None, None, 1)
    assert (amount(west.storage), amount(west.egress)) == ("1.00", "0.00")
    assert (west.unpriced_rows, west.incomplete_rows) == (0, 0)
    assert (amount(east.total), east.egress, east.incomplete_rows) == ("1.00", None, 1)


def test_a_month_of_days_adds_up_to_the_monthly_price(tmp_path: Path) -> None:
    first = date(2026, 11, 1)
    rows = [ledger_row(day=first + timedelta(days=number), monthly="1.00") for number in range(30)]
    (group,) = grouped(tmp_path, rows, "month")
    assert group.money.total is not None
    assert abs(group.money.total - ONE) < Decimal("1e-9")


def test_days_outside_of_the_query_are_not_counted(tmp_path: Path) -> None:
    rows = [ledger_row(), ledger_row(day=DAY + timedelta(days=1))]
    query = ReportQuery(from_day=DAY, to_day=DAY)
    for word in ("gallery", "region"):
        (group,) = grouped(tmp_path, rows, word, query=query)
        assert group.money.rows == 1
    with facts_of(tmp_path, rows, query) as facts:
        assert [one.day for one in facts.days] == [DAY]


def test_an_empty_ledger_has_no_groups(tmp_path: Path) -> None:
    with facts_of(tmp_path, []) as facts:
        assert facts.groups([Dimension.VERSION]).items == ()
        assert (facts.days, facts.unpriced(), facts.versions_on(DAY)) == ((), (), ())
        assert facts.books(DAY).regions == {}


def test_the_versions_of_a_day_show_their_month_and_what_they_cost_so_far(tmp_path: Path) -> None:
    rows = [
        ledger_row(monthly="30", egress="2"),
        ledger_row(monthly="60", region="eastus", replicas=2),
        ledger_row(day=DAY - timedelta(days=1), monthly="30"),
        ledger_row(version="1.1.0", monthly=None),
    ]
    with facts_of(tmp_path, rows) as facts:
        dear, unpriced = facts.versions_on(DAY)
    assert dear.image_version_id == str(version_id())
    assert (amount(dear.monthly), amount(dear.in_period)) == ("90.00", "6.00")
    assert (dear.replicas, dear.regions, amount(dear.gb), dear.unpriced_rows) == (3, 2, "90.00", 0)
    assert (unpriced.monthly, unpriced.in_period, unpriced.unpriced_rows) == (None, None, 1)


def test_the_books_hold_every_region_and_leave_out_unreadable_records(tmp_path: Path) -> None:
    broken = ledger_row(region="unknown", monthly=None, version_key="k")
    broken["image_version_id"] = "unreadable record k"
    rows = [ledger_row(), ledger_row(region="eastus"), broken]
    with facts_of(tmp_path, rows) as facts:
        books = facts.books(DAY)
        shown = {one.keys["gallery"] for one in facts.groups([Dimension.GALLERY]).items}
    assert books.regions == {version_id().key: (version_id(), frozenset({"westus", "eastus"}))}
    assert books.unreadable == 1
    assert shown == {"labgallery", None}


def test_the_regions_of_some_versions_are_found(tmp_path: Path) -> None:
    rows = [ledger_row(monthly="30"), ledger_row(version="2.0.0")]
    with facts_of(tmp_path, rows) as facts:
        (found,) = facts.regions_of([version_id().key], DAY)
    assert (found.region, found.currency, amount(found.monthly)) == ("westus", "USD", "30.00")
