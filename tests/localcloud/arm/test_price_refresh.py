"""The product's reading of the price list, against the simulator's."""

from decimal import Decimal
from typing import Any

import pytest

from costs.azure.retail_prices import RetailPrices
from costs.prices import ALL_METERS
from costs.retail import meter_filter
from replication.errors import PermanentError
from tests.costs.prices import STANDARD, row
from tests.localcloud.arm.http import Arm

PATH = "/api/retail/prices"
STANDARD_FILTER = meter_filter(STANDARD)


def prices_of(arm: Arm) -> RetailPrices:
    return RetailPrices(f"{arm.url}{PATH}")


def test_every_meter_has_a_row_for_every_region_of_the_simulator(arm: Arm) -> None:
    retail = prices_of(arm)
    regions = {
        meter.name: {one["armRegionName"] for one in retail.rows(meter_filter(meter), "USD")}
        for meter in ALL_METERS
    }
    assert {"westeurope", "westus2", "brazilsouth"} <= set.intersection(*regions.values())


def test_the_recorded_price_comes_as_it_was_recorded(arm: Arm) -> None:
    (west,) = [
        one
        for one in prices_of(arm).rows(STANDARD_FILTER, "USD")
        if one["armRegionName"] == "westeurope"
    ]
    assert west["retailPrice"] == Decimal("0.05")
    assert west["meterId"] == row()["meterId"]


def test_the_pages_of_the_list_are_followed(arm: Arm) -> None:
    whole = list(prices_of(arm).rows(STANDARD_FILTER, "USD"))
    arm.control("PUT", "behaviour", {"price_page_size": 20})
    arm.control("DELETE", "requests")
    assert list(prices_of(arm).rows(STANDARD_FILTER, "USD")) == whole
    assert len(arm.control("GET", "requests")) == -(-len(whole) // 20)


def test_prices_come_in_the_currency_asked_for(arm: Arm) -> None:
    rows = list(prices_of(arm).rows(STANDARD_FILTER, "EUR"))
    assert {one["currencyCode"] for one in rows} == {"EUR"}
    with pytest.raises(PermanentError, match=r"answered 400: .*XTS"):
        list(prices_of(arm).rows(STANDARD_FILTER, "XTS"))


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 500},
        {"status": 429, "retry_after_s": 1},
        {"drop_connection": True},
    ],
)
def test_a_blip_is_retried(arm: Arm, fault: dict[str, Any]) -> None:
    rules = [{"match": {"path": PATH}, "fault": fault, "times": 1}]
    arm.control("PUT", "faults", {"rules": rules})
    assert len(list(prices_of(arm).rows(STANDARD_FILTER, "USD"))) > 40
