"""The Retail Prices API, over the few prices that were recorded and assumed ones for the rest."""

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from localcloud.arm.errors import invalid
from localcloud.arm.regions import load_data

PRICES_PATH = "/api/retail/prices"
_PAGE = 1000
_CLAUSE = re.compile(
    r"\s*(?P<name>\w+)\s+eq\s+(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>true|false|\d+(?:\.\d+)?))\s*",
    re.ASCII,
)
_AND = re.compile(r"and(?=\s)", re.IGNORECASE)


def price_items() -> list[dict[str, Any]]:
    """Return the recorded prices, and an assumed one where a region has none for a meter.

    What is assumed has "ASSUMED" for its product id.
    """
    data = load_data("prices.json")
    recorded: list[dict[str, Any]] = data["Items"]
    known = {_place(item) for item in recorded}
    assumed = [
        item
        for location in load_data("locations.json")["value"]
        if location["metadata"].get("regionType") == "Physical"
        for item in _assumed(location, data["assumed"])
    ]
    return recorded + [item for item in assumed if _place(item) not in known]


def price_page(
    items: list[dict[str, Any]], query: Mapping[str, str], base_url: str, *, size: int = _PAGE
) -> dict[str, Any]:
    """Return the page of prices that a query asks for; raises ArmError 400.

    `$filter` is `eq` joined by `and`, and tells upper from lower case, as the real one does. Only
    US dollars were recorded; a few other currencies are converted at an assumed rate.
    """
    currency = query.get("currencycode", "USD").strip("'").upper()
    rates = {"USD": 1.0, **load_data("prices.json")["assumed"]["currencies"]}
    if currency not in rates:
        raise invalid(f"No prices in {currency[:8]} are there, only in {', '.join(rates)}.")
    skip = query.get("$skip", "0")
    if not re.fullmatch(r"\d{1,6}", skip, re.ASCII):
        raise invalid("$skip is a number.")
    wanted = _conditions(query.get("$filter", ""))
    if query.get("meterregion", "").strip("'") == "primary":
        wanted.append(("isPrimaryMeterRegion", True))
    found = [item for item in items if all(item.get(name) == value for name, value in wanted)]
    start = int(skip)
    page = [_in(currency, rates[currency], item) for item in found[start : start + size]]
    link = None
    if start + size < len(found):
        link = f"{base_url}{PRICES_PATH}?" + urlencode({**query, "$skip": str(start + size)})
    return {
        "BillingCurrency": currency,
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Items": page,
        "NextPageLink": link,
        "Count": len(page),
    }


def _assumed(location: Mapping[str, Any], assumed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a meter for a region."""
    group = location["metadata"].get("geographyGroup")
    items = []
    for meter in assumed["meters"]:
        is_transfer = meter["serviceName"] == "Bandwidth"
        factors = assumed["transfer_factors" if is_transfer else "factors"]
        price = round(meter["retailPrice"] * factors.get(group, 1), 6)
        name = f"{meter['productName']}/{meter['meterName']}/{location['name']}"
        items.append(
            {
                "currencyCode": "USD",
                "tierMinimumUnits": 0.0,
                "armRegionName": location["name"],
                "location": location["displayName"],
                "effectiveStartDate": assumed["effectiveStartDate"],
                "meterId": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
                "productId": "ASSUMED",
                "skuId": "ASSUMED",
                "serviceId": "ASSUMED",
                "type": "Consumption",
                "isPrimaryMeterRegion": True,
                "armSkuName": "",
                **meter,
                "retailPrice": price,
                "unitPrice": price,
            }
        )
    return items


def _place(item: Mapping[str, Any]) -> tuple[str, str, str]:
    return (item["productName"], item["meterName"], item["armRegionName"])


def _in(currency: str, rate: float, item: dict[str, Any]) -> dict[str, Any]:
    if currency == item["currencyCode"]:
        return item
    price = round(item["retailPrice"] * rate, 6)
    return {**item, "currencyCode": currency, "retailPrice": price, "unitPrice": price}


def _conditions(text: str) -> list[tuple[str, object]]:
    conditions: list[tuple[str, object]] = []
    rest = text.strip()
    while rest:
        match = _CLAUSE.match(rest)
        if match is None:
            raise _not_understood(rest)
        conditions.append((match["name"], _value(match)))
        rest = rest[match.end() :]
        joint = _AND.match(rest)
        if rest and (joint is None or not rest[joint.end() :].strip()):
            raise _not_understood(rest)
        rest = rest[joint.end() :] if joint else rest
    return conditions


def _value(match: re.Match[str]) -> object:
    if match["bare"] is None:
        return match["text"].replace("''", "'")
    return match["bare"] == "true" if match["bare"] in ("true", "false") else float(match["bare"])


def _not_understood(rest: str) -> Exception:
    return invalid(
        f"Invalid OData parameters supplied: '{rest[:80]}' is not understood; only eq and and are.",
        target="$filter",
    )
