"""The figures and names of the HTML report."""

from decimal import Decimal

import pytest

from costs.report.html.words import (
    Label,
    by_currency,
    common_place,
    counted,
    galleries_need_places,
    group_labels,
    in_currency,
    money,
    sentence,
    signed_money,
    version_label,
)
from costs.report.query import Dimension
from tests.support.builders import SUBSCRIPTION, version_id

PLACE = {"subscription": "s", "resource_group": "rg"}


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("1234567.891", "1,234,567.89"),
        ("0", "0.00"),
        ("0E-12", "0.00"),
        ("0.005", "< 0.01"),
        ("0.0050001", "0.01"),
        ("0.000000000001", "< 0.01"),
        ("-0.004", "> -0.01"),
        ("-12.345", "-12.34"),
        ("1E+3", "1,000.00"),
        (None, "no price"),
    ],
)
def test_an_amount_has_two_places_and_a_tiny_one_is_not_nothing(
    amount: str | None, expected: str
) -> None:
    assert money(None if amount is None else Decimal(amount)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [("4.89", "+4.89"), ("-4.89", "-4.89"), ("0", "0.00"), ("0.001", "< 0.01")],
)
def test_a_change_has_a_sign(change: str, expected: str) -> None:
    assert signed_money(Decimal(change)) == expected


def test_currencies_stand_beside_each_other() -> None:
    amounts = {"EUR": Decimal(1), "JPY": None, "USD": Decimal("1200.5")}
    assert by_currency(amounts) == "1.00 EUR and no price in JPY and 1,200.50 USD"
    assert in_currency(Decimal("0.001"), "USD") == "< 0.01 USD"


def test_words_are_counted_and_made_sentences() -> None:
    assert [counted(1, "row"), counted(0, "row"), counted(1200, "row has", "rows have")] == [
        "1 row",
        "0 rows",
        "1,200 rows have",
    ]
    assert [sentence(one) for one in ("azure was not asked", "Ends.", "why?", "")] == [
        "Azure was not asked.",
        "Ends.",
        "Why?",
        ".",
    ]


def test_a_group_has_one_label_for_each_dimension() -> None:
    keys = {**PLACE, "gallery": "g", "definition": "d", "lab": None}
    wanted = (Dimension.DEFINITION, Dimension.LAB)
    assert group_labels(keys, wanted, with_place=False) == (
        Label(text="g/d"),
        Label(text="(no lab)"),
    )
    assert group_labels(keys, wanted, with_place=True)[0] == Label(text="g/d", place="s/rg")
    unreadable: dict[str, str | None] = dict.fromkeys(("subscription", "resource_group", "gallery"))
    assert group_labels(unreadable, (Dimension.GALLERY,), with_place=True) == (
        Label(text="(no gallery)"),
    )
    half = {**PLACE, "gallery": None, "definition": "d"}
    assert group_labels(half, (Dimension.DEFINITION,), with_place=False)[0].text == "?/d"
    assert group_labels({"storage_type": None}, (Dimension.STORAGE_TYPE,), with_place=False) == (
        Label(text="(no storage type)"),
    )


def test_places_are_told_where_two_galleries_have_one_name() -> None:
    one, other = {**PLACE, "gallery": "g"}, {**PLACE, "gallery": "h"}
    assert not galleries_need_places([one, other, one])
    assert galleries_need_places([one, {**one, "resource_group": "another"}])
    assert not galleries_need_places([{"lab": "a"}, {"lab": "b"}])


def test_a_version_is_called_by_its_short_name() -> None:
    label = version_label(str(version_id()))
    assert label == Label(text="labgallery/maths/1.0.0", place=f"{SUBSCRIPTION}/labs-rg")
    assert version_label("unreadable record k") == Label(text="unreadable record k")


def test_one_place_of_all_is_told_once() -> None:
    here, there = Label(text="a", place="here"), Label(text="b", place="there")
    assert common_place([here, Label(text="c", place="here")]) == "here"
    assert common_place([here, there]) == common_place([]) == ""
