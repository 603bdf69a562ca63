"""What the price list said, for which meter, region and day."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.pricing.prices import (
    TRANSFER_METER,
    MissingPrice,
    Price,
    StorageKind,
    disk_meter,
    disk_tier,
    merge_prices,
    storage_kind,
)
from tests.support.costs.prices import PREMIUM, SINCE, ZONE_REDUNDANT, book, price

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
AMOUNTS = st.decimals("0.0001", 10, places=4, allow_nan=False)


def amount(found: Price | MissingPrice) -> str:
    return str(found.unit_price) if isinstance(found, Price) else found.reason


@pytest.mark.parametrize(
    ("storage_account_type", "kind"),
    [
        ("Standard_LRS", StorageKind.STANDARD),
        ("standard_zrs", StorageKind.ZONE_REDUNDANT),
        ("Premium_LRS ", StorageKind.PREMIUM),
        ("PremiumV2_LRS", None),
        ("", None),
    ],
)
def test_a_storage_type_has_a_kind_or_no_known_meter(
    storage_account_type: str, kind: StorageKind | None
) -> None:
    assert storage_kind(storage_account_type) is kind


def test_each_kind_of_storage_has_its_own_price() -> None:
    prices = book(price("0.05"), price("0.06", meter=ZONE_REDUNDANT), price("0.145", meter=PREMIUM))
    assert [
        amount(prices.storage("westus2", one))
        for one in ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
    ] == ["0.05", "0.06", "0.145"]


def test_a_region_without_a_price_says_so_and_is_never_zero() -> None:
    assert amount(book(price()).storage("eastus", "Standard_LRS")) == (
        "no price in USD for Standard_LRS storage in eastus"
    )


def test_storage_of_an_unknown_type_says_so() -> None:
    assert amount(book(price()).storage("westus2", "PremiumV2_LRS")) == (
        "no meter is known for storage of the type PremiumV2_LRS"
    )


def test_a_transfer_is_priced_by_its_source() -> None:
    prices = book(
        price("0.02", meter=TRANSFER_METER),
        price("0.16", meter=TRANSFER_METER, region="brazilsouth"),
    )
    assert amount(prices.transfer("westus2", "brazilsouth")) == "0.02"
    assert amount(prices.transfer("brazilsouth", "westus2")) == "0.16"
    assert "no price in USD for transfer from eastus" in amount(
        prices.transfer("eastus", "westus2")
    )


def test_nothing_is_transferred_within_a_region() -> None:
    prices = book(price("0.02", meter=TRANSFER_METER))
    assert amount(prices.transfer("westus2", "westus2")) == "nothing is transferred within westus2"


@pytest.mark.parametrize(
    ("provisioned_gb", "tier"),
    [(1, "S4"), (32, "S4"), (33, "S6"), (127, "S10"), (128, "S10"), (32767, "S80"), (32768, None)],
)
def test_a_disk_is_charged_as_the_smallest_tier_that_holds_it(
    provisioned_gb: int, tier: str | None
) -> None:
    assert disk_tier(provisioned_gb) == tier


def test_a_disk_has_the_price_of_its_tier() -> None:
    prices = book(price("5.89", meter=disk_meter("S10")))
    assert amount(prices.disk("westus2", 127)) == "5.89"
    assert amount(prices.disk("westus2", 40_000)) == "no disk tier holds 40000 GB"


def test_a_price_that_changed_in_the_middle_of_a_month_holds_from_its_day_on() -> None:
    prices = book(price("0.05"), price("0.07", since=date(2026, 10, 15)))
    held = {
        day: amount(prices.storage("westus2", "Standard_LRS", on=date(2026, 10, day)))
        for day in (14, 15, 16)
    }
    assert held == {14: "0.05", 15: "0.07", 16: "0.07"}
    assert amount(prices.storage("westus2", "Standard_LRS")) == "0.07"


def test_a_day_before_the_first_known_price_has_none() -> None:
    prices = book(price(since=date(2026, 10, 15)))
    assert amount(prices.storage("westus2", "Standard_LRS", on=date(2026, 10, 14))) == (
        "the first known price in USD for Standard_LRS storage in westus2 holds from 2026-10-15, "
        "after 2026-10-14"
    )


def test_a_book_holds_one_currency() -> None:
    with pytest.raises(ValueError, match="a price in EUR in a book of USD"):
        book(price(currency="EUR"))


def test_a_second_reading_of_a_price_replaces_the_first_and_a_change_adds_to_it() -> None:
    first = price("0.05", read_on=date(2026, 11, 1))
    again = price("0.05", read_on=date(2026, 12, 1))
    changed = price("0.07", since=date(2026, 12, 1), read_on=date(2026, 12, 2))
    assert merge_prices([first], [again]) == (again,)
    assert merge_prices([first], [changed]) == (first, changed)


@given(st.dictionaries(DAYS, AMOUNTS, min_size=1, max_size=6), DAYS)
def test_the_newest_price_that_has_begun_holds(changes: dict[date, Decimal], on: date) -> None:
    prices = book(*(price(str(one), since=day) for day, one in changes.items()))
    begun = [day for day in changes if day <= on]
    found = prices.storage("westus2", "Standard_LRS", on=on)
    if begun:
        assert isinstance(found, Price)
        assert (found.effective_on, found.unit_price) == (max(begun), changes[max(begun)])
    else:
        assert isinstance(found, MissingPrice)


@given(
    st.lists(st.tuples(DAYS, AMOUNTS), max_size=5), st.lists(st.tuples(DAYS, AMOUNTS), max_size=5)
)
def test_merging_loses_no_day_and_twice_is_once(
    older: list[tuple[date, Decimal]], newer: list[tuple[date, Decimal]]
) -> None:
    old = [price(str(one), since=day) for day, one in older]
    new = [price(str(one), since=day) for day, one in newer]
    merged = merge_prices(old, new)
    assert {one.effective_on for one in merged} == {one.effective_on for one in (*old, *new)}
    assert merge_prices(merged, new) == merged


def test_a_second_hand_price_is_told_by_its_source() -> None:
    assert price(source="second-hand: a script").second_hand
    assert not price(since=SINCE + timedelta(days=1)).second_hand
