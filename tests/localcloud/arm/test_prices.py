"""The Retail Prices API."""

from typing import Any

import pytest

from localcloud.arm.errors import ArmError
from localcloud.arm.prices import price_items, price_page

HDD = (
    "serviceName eq 'Storage' and armRegionName eq 'westeurope' and skuName eq 'Snapshots LRS' and "
    "type eq 'Consumption' and productName eq 'Standard HDD Managed Disks' and meterName eq "
    "'LRS Snapshots' and isPrimaryMeterRegion eq true and tierMinimumUnits eq 0"
)


def asked(text: str, size: int = 1000, **query: str) -> dict[str, Any]:
    return price_page(price_items(), {"$filter": text, **query}, "http://arm.test", size=size)


def test_the_recorded_question_gets_the_recorded_answer() -> None:
    page = asked(HDD)
    assert list(page) == [
        "BillingCurrency",
        "CustomerEntityId",
        "CustomerEntityType",
        "Items",
        "NextPageLink",
        "Count",
    ]
    (item,) = page["Items"]
    assert (item["retailPrice"], item["unitOfMeasure"]) == (0.05, "1 GB/Month")
    assert (page["Count"], page["NextPageLink"]) == (1, None)


def test_the_filter_tells_upper_from_lower_case() -> None:
    assert asked("armRegionName eq 'WestEurope'")["Items"] == []


def test_a_value_may_hold_the_word_and() -> None:
    assert asked("productName eq 'this and that'")["Items"] == []


def test_pages_are_linked() -> None:
    snapshots = "armRegionName eq 'westeurope' and skuName eq 'Snapshots LRS'"
    first = asked(snapshots, size=2)
    assert first["Count"] == 2
    assert first["NextPageLink"].startswith("http://arm.test/api/retail/prices?")
    second = asked(snapshots, size=2, **{"$skip": "2"})
    assert (second["Count"], second["NextPageLink"]) == (1, None)


def test_a_region_without_a_recorded_price_has_an_assumed_one_that_says_so() -> None:
    (item,) = asked("armRegionName eq 'westus2' and meterName eq 'ZRS Snapshots'")["Items"]
    assert (item["productId"], item["unitOfMeasure"]) == ("ASSUMED", "1 GB/Month")


def test_every_region_has_one_row_a_meter() -> None:
    rows = [(one["productName"], one["meterName"], one["armRegionName"]) for one in price_items()]
    assert len(rows) == len(set(rows))
    standard = asked("skuName eq 'Snapshots LRS' and productName eq 'Standard HDD Managed Disks'")
    assert {"westeurope", "eastus", "brazilsouth", "qatarcentral"} <= {
        one["armRegionName"] for one in standard["Items"]
    }


def test_only_the_regions_own_meters_are_given_when_asked_for() -> None:
    foreign = {**price_items()[0], "isPrimaryMeterRegion": False}
    query = {"$filter": HDD.replace(" and isPrimaryMeterRegion eq true", ""), "meterregion": ""}
    whole = price_page([foreign], query, "http://arm.test")
    own = price_page([foreign], {**query, "meterregion": "'primary'"}, "http://arm.test")
    assert (whole["Count"], own["Count"]) == (1, 0)


@pytest.mark.parametrize(
    "text",
    ["retailPrice gt 1", "a eq", "a eq 'x' or b eq 'y'", "a eq 'x' and", "a eq 'x", "and", "('"],
)
def test_a_filter_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ArmError) as refusal:
        asked(text)
    assert (refusal.value.status, refusal.value.target) == (400, "$filter")


def test_another_currency_is_converted_at_an_assumed_rate() -> None:
    (item,) = asked(HDD, currencycode="'EUR'")["Items"]
    assert (item["currencyCode"], item["retailPrice"], item["unitPrice"]) == ("EUR", 0.046, 0.046)


def test_a_currency_that_is_not_there_is_refused() -> None:
    assert asked(HDD, currencycode="'USD'")["BillingCurrency"] == "USD"
    with pytest.raises(ArmError, match="XTS"):
        asked(HDD, currencycode="XTS")
