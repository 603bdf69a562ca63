"""The Retail Prices API, over the few prices that were recorded."""

import re
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
    """Return the recorded prices."""
    items: list[dict[str, Any]] = load_data("prices.json")["Items"]
    return items


def price_page(
    items: list[dict[str, Any]], query: Mapping[str, str], base_url: str, *, size: int = _PAGE
) -> dict[str, Any]:
    """Return the page of prices that a query asks for; raises ArmError 400.

    `$filter` is `eq` joined by `and`, and tells upper from lower case, as the real one does. Only
    US dollars were recorded.
    """
    currency = query.get("currencycode", "USD").strip("'").upper()
    if currency != "USD":
        raise invalid(f"No prices in {currency[:8]} were recorded; USD is there.")
    skip = query.get("$skip", "0")
    if not re.fullmatch(r"\d{1,6}", skip, re.ASCII):
        raise invalid("$skip is a number.")
    wanted = _conditions(query.get("$filter", ""))
    found = [item for item in items if all(item.get(name) == value for name, value in wanted)]
    start = int(skip)
    page = found[start : start + size]
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
