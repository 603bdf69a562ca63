"""The product's reading of the price list, against the simulator's."""

from decimal import Decimal
from typing import Any

import pytest

from costs.azure.retail_prices import RetailPrices
from costs.pricing.estimate import CostEstimate, RegionalReplicas
from costs.pricing.estimator import Estimates
from costs.pricing.price_book import PriceBooks, shipped_book
from costs.pricing.prices import ALL_METERS
from costs.pricing.retail import Refreshed, meter_filter, refresh_prices
from replication.domain.errors import PermanentError
from tests.support.builders import US_NEIGHBOURS, version_id
from tests.support.clock import FakeClock
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import STANDARD, row
from tests.support.localcloud.arm import Arm

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


def refreshed(arm: Arm, books: PriceBooks, currency: str = "USD") -> Refreshed:
    return refresh_prices(prices_of(arm), books, currency=currency, clock=FakeClock())


def test_after_a_refresh_every_region_of_a_plan_is_priced(arm: Arm) -> None:
    books = PriceBooks(MemoryBlobs(), FakeClock())
    estimates = Estimates(clock=FakeClock(), book=books.current)
    added = [
        RegionalReplicas(region=region, storage_account_type=kept)
        for region in (*US_NEIGHBOURS, "westeurope", "brazilsouth", "japaneast")
        for kept in ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
    ]

    def estimate() -> CostEstimate:
        return estimates.of(version_id(), added, home_region="eastus", provisioned_gb=127)

    assert estimate().monthly is None
    done = refreshed(arm, books)
    assert (done.meters_without_a_price, dict(done.set_aside)) == ((), {})
    assert done.rows_read == done.kept == len(done.book.prices)
    cost = estimate()
    assert cost.unpriced == cost.unpriced_transfer == ()
    assert cost.monthly is not None
    assert cost.lab_services_monthly is not None


def test_the_worked_example_of_the_simulator_can_be_checked_by_hand(arm: Arm) -> None:
    books = PriceBooks(MemoryBlobs(), FakeClock())
    book = refreshed(arm, books).book
    estimates = Estimates(clock=FakeClock(), book=lambda _: book)
    added = [RegionalReplicas(region=region) for region in US_NEIGHBOURS]
    cost = estimates.of(version_id(), added, home_region="eastus", provisioned_gb=127)
    # 127 GB in 8 regions: 127 * 8 * 0.05 a month, 127 * 8 * 0.02 once; 8 disks of tier S10 at 5.89.
    assert (cost.monthly, cost.egress_once, cost.lab_services_monthly) == (
        Decimal("50.80"),
        Decimal("20.32"),
        Decimal("47.12"),
    )


def test_a_refresh_in_another_currency_fills_a_book_of_its_own(arm: Arm) -> None:
    books = PriceBooks(MemoryBlobs(), FakeClock())
    book = refreshed(arm, books, "EUR").book
    assert {one.currency for one in book.prices} == {"EUR"}
    assert books.current("USD") == shipped_book("USD")


def test_a_second_refresh_changes_nothing_but_the_day(arm: Arm) -> None:
    books = PriceBooks(MemoryBlobs(), FakeClock())
    first, second = refreshed(arm, books).book, refreshed(arm, books).book
    assert first == second


def test_a_refresh_that_is_refused_keeps_nothing(arm: Arm) -> None:
    blobs = MemoryBlobs()
    fault = {"match": {"path": PATH}, "fault": {"status": 400}}
    arm.control("PUT", "faults", {"rules": [fault]})
    with pytest.raises(PermanentError, match="answered 400"):
        refreshed(arm, PriceBooks(blobs, FakeClock()))
    assert blobs.blobs == {}
