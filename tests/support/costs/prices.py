"""Builders of prices and price books."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from costs.pricing.prices import (
    STORAGE_METERS,
    TRANSFER_METER,
    Meter,
    Price,
    PriceBook,
    StorageKind,
    disk_meter,
)

STANDARD = STORAGE_METERS[StorageKind.STANDARD]
PREMIUM = STORAGE_METERS[StorageKind.PREMIUM]
ZONE_REDUNDANT = STORAGE_METERS[StorageKind.ZONE_REDUNDANT]
READ_ON = date(2026, 11, 1)
SINCE = date(2024, 1, 1)


def price(
    amount: str = "0.05",
    *,
    region: str = "westus2",
    meter: Meter = STANDARD,
    since: date = SINCE,
    read_on: date = READ_ON,
    currency: str = "USD",
    source: str = "a test",
) -> Price:
    return Price(
        unit_price=Decimal(amount),
        currency=currency,
        unit=meter.unit,
        region=region,
        meter_id=f"{meter.name}/{region}",
        meter_name=meter.name,
        product_name=meter.product,
        sku_name=meter.sku or "Standard",
        effective_on=since,
        read_on=read_on,
        source=source,
    )


def book(*prices: Price, currency: str = "USD") -> PriceBook:
    return PriceBook(currency=currency, read_on=READ_ON, source="a test's book", prices=prices)


def full_book(regions: Iterable[str], *, currency: str = "USD") -> PriceBook:
    """Return a book with one price a GB for every storage, transfer and disk in these regions."""
    amounts: Mapping[Meter, str] = {
        STANDARD: "0.05",
        PREMIUM: "0.145",
        ZONE_REDUNDANT: "0.05",
        TRANSFER_METER: "0.02",
        disk_meter("S4"): "1.54",
        disk_meter("S10"): "5.89",
    }
    return book(
        *(
            price(amount, region=region, meter=meter, currency=currency)
            for region in regions
            for meter, amount in amounts.items()
        ),
        currency=currency,
    )


def row(**changes: Any) -> dict[str, Any]:
    """Return a row of the price list as it was recorded for Standard storage in West Europe."""
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": 0.05,
        "unitPrice": 0.05,
        "armRegionName": "westeurope",
        "location": "EU West",
        "effectiveStartDate": "2018-02-01T00:00:00Z",
        "meterId": "78dd126f-f855-4670-8038-fd66cf0f43b9",
        "meterName": "LRS Snapshots",
        "productId": "DZH318Z0BP0L",
        "skuId": "DZH318Z0BP0L/01DK",
        "productName": "Standard HDD Managed Disks",
        "skuName": "Snapshots LRS",
        "serviceName": "Storage",
        "serviceId": "DZH317F1HKN0",
        "serviceFamily": "Storage",
        "unitOfMeasure": "1 GB/Month",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "",
    } | changes
