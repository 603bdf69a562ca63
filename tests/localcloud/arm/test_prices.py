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
    first = asked("serviceName eq 'Storage'", size=2)
    assert first["Count"] == 2
    assert first["NextPageLink"].startswith("http://arm.test/api/retail/prices?")
    second = asked("serviceName eq 'Storage'", size=2, **{"$skip": "2"})
    assert (second["Count"], second["NextPageLink"]) == (1, None)


@pytest.mark.parametrize(
    "text",
    ["retailPrice gt 1", "a eq", "a eq 'x' or b eq 'y'", "a eq 'x' and", "a eq 'x", "and", "('"],
)
def test_a_filter_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ArmError) as refusal:
        asked(text)
    assert (refusal.value.status, refusal.value.target) == (400, "$filter")


def test_a_currency_that_was_not_recorded_is_refused() -> None:
    assert asked(HDD, currencycode="'USD'")["BillingCurrency"] == "USD"
    with pytest.raises(ArmError, match="EUR"):
        asked(HDD, currencycode="EUR")
