"""Rows of the price list: which are used, which are set aside, and which stop the reading."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.pricing.prices import ALL_METERS, TRANSFER_METER, Price
from costs.pricing.retail import meter_filter, price_unit, read_prices
from replication.domain.errors import MalformedError
from tests.support.costs.prices import STANDARD, row

TODAY = date(2026, 11, 23)


def read(*rows: Mapping[str, Any]) -> tuple[list[Price], dict[str, int]]:
    prices, aside = read_prices(rows, STANDARD, currency="USD", read_on=TODAY)
    return prices, dict(aside)


def test_a_recorded_row_becomes_a_price_with_its_date_and_source() -> None:
    (price,), aside = read(row())
    assert aside == {}
    assert (price.unit_price, price.currency, price.unit, price.region) == (
        Decimal("0.05"),
        "USD",
        "GB/Month",
        "westeurope",
    )
    assert (price.effective_on, price.read_on) == (date(2018, 2, 1), TODAY)
    assert price.meter_id == "78dd126f-f855-4670-8038-fd66cf0f43b9"
    assert (price.meter_name, price.product_name, price.sku_name, price.source) == (
        "LRS Snapshots",
        "Standard HDD Managed Disks",
        "Snapshots LRS",
        "Azure Retail Prices API",
    )


def test_a_price_for_a_hundred_gb_is_divided() -> None:
    (price,), _ = read(row(retailPrice=5.0, unitOfMeasure="100 GB/Month"))
    assert (price.unit_price, price.unit) == (Decimal("0.05"), "GB/Month")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1 GB/Month", (1, "GB/Month")),
        ("100 GB/Month", (100, "GB/Month")),
        ("10 GB", (10, "GB")),
        ("1/Month", (1, "1/Month")),
        ("1 /Month", (1, "1/Month")),
    ],
)
def test_a_unit_is_split_into_a_number_and_what_it_counts(text: str, unit: tuple[int, str]) -> None:
    assert price_unit(text) == unit


@pytest.mark.parametrize(
    "text", ["1 GiB/Month", "1 TB/Month", "GB/Month", "0 GB", "-1 GB", "1  GB", "½ GB", "", None, 1]
)
def test_an_unknown_unit_is_refused_by_name(text: object) -> None:
    with pytest.raises(MalformedError, match="gives a price for"):
        price_unit(text)


@given(st.text(max_size=20))
def test_any_unit_is_understood_or_refused(text: str) -> None:
    try:
        count, unit = price_unit(text)
    except MalformedError:
        return
    assert count >= 1
    assert unit in ("GB", "GB/Month", "1/Month")


def test_a_storage_price_by_another_unit_is_refused() -> None:
    with pytest.raises(MalformedError, match="LRS Snapshots by 'GB', where 'GB/Month'"):
        read(row(unitOfMeasure="1 GB"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"productName": "Premium SSD Managed Disks"}, "another meter than asked for"),
        ({"meterName": "lrs snapshots"}, "another meter than asked for"),
        ({"type": "Reservation"}, "no pay-as-you-go price"),
        ({"isPrimaryMeterRegion": False}, "not the region's own meter"),
        ({"armRegionName": ""}, "no region"),
        ({"retailPrice": 0.0}, "the price is 0"),
    ],
)
def test_a_row_that_is_no_price_of_a_region_is_counted_as_set_aside(
    changes: dict[str, Any], why: str
) -> None:
    assert read(row(**changes)) == ([], {why: 1})


def test_of_a_meter_with_steps_the_first_that_costs_counts() -> None:
    free = row(retailPrice=0.0)
    first = row(retailPrice=0.05, tierMinimumUnits=100.0)
    second = row(retailPrice=0.04, tierMinimumUnits=10_000.0)
    prices, aside = read(second, free, first)
    assert [one.unit_price for one in prices] == [Decimal("0.05")]
    assert aside == {"the price is 0": 1, "a further step or a second row of a meter": 1}


def test_prices_of_two_days_are_both_kept() -> None:
    prices, _ = read(row(), row(retailPrice=0.06, effectiveStartDate="2026-12-01T00:00:00Z"))
    assert [(str(one.unit_price), one.effective_on.year) for one in prices] == [
        ("0.05", 2018),
        ("0.06", 2026),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"currencyCode": "EUR"}, "answered in 'EUR', not in USD"),
        ({"retailPrice": "0.05"}, "retailPrice is '0.05', not a number"),
        ({"retailPrice": True}, "retailPrice is 'True', not a number"),
        ({"retailPrice": -0.05}, "it is from 0 to"),
        ({"retailPrice": float("nan")}, "it is from 0 to"),
        ({"retailPrice": 1e300}, "it is from 0 to"),
        ({"retailPrice": 10**5000}, "it is from 0 to"),
        ({"effectiveStartDate": "soon"}, "effectiveStartDate is 'soon'"),
        ({"effectiveStartDate": None}, "effectiveStartDate is 'None'"),
        ({"meterId": None}, "meterId is 'None', not a short text"),
        ({"meterId": "\x00"}, "meterId"),
        ({"tierMinimumUnits": None}, "tierMinimumUnits is 'None'"),
    ],
)
def test_a_row_that_cannot_be_understood_stops_the_reading(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(MalformedError, match=words):
        read(row(**changes))


@given(
    st.dictionaries(
        st.sampled_from(sorted(row())),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
        max_size=3,
    )
)
def test_any_row_is_used_set_aside_or_refused(changes: dict[str, Any]) -> None:
    try:
        prices, aside = read(row(**changes))
    except MalformedError:
        return
    assert len(prices) + sum(aside.values()) == 1
    assert all(one.unit_price > 0 for one in prices)


def test_a_filter_names_service_product_sku_and_meter_in_their_own_letters() -> None:
    assert meter_filter(STANDARD) == (
        "serviceName eq 'Storage' and productName eq 'Standard HDD Managed Disks' and "
        "skuName eq 'Snapshots LRS' and meterName eq 'LRS Snapshots'"
    )
    assert meter_filter(TRANSFER_METER) == (
        "serviceName eq 'Bandwidth' and productName eq 'Rtn Preference: MGN' and "
        "meterName eq 'Standard Inter-Region Data Transfer'"
    )
    assert len({meter_filter(meter) for meter in ALL_METERS}) == len(ALL_METERS)
