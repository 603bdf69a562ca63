"""The Retail Prices API, over the few prices that were recorded."""

import json
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from aiohttp import web

from localcloud.arm.errors import bad_request

_CLAUSE = re.compile(r"\s*(\w+)\s+eq\s+(?:'((?:[^']|'')*)'|(true|false|[\d.]+))\s*")


@dataclass(slots=True)
class Prices:
    """Answers `$filter` of `eq` joined by `and`, case-exact as the real one."""

    items: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        raw = resources.files("localcloud.arm.data").joinpath("prices.json").read_text("utf-8")
        self.items = json.loads(raw)["Items"]

    def answer(self, request: web.Request) -> dict[str, Any]:
        """Return the page of items that a request asks for."""
        wanted = _conditions(request.query.get("$filter", ""))
        found = [
            item
            for item in self.items
            if all(_plain(item.get(name)) == value for name, value in wanted)
        ]
        return {
            "BillingCurrency": request.query.get("currencyCode", "USD").strip("'"),
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": found,
            "NextPageLink": None,
            "Count": len(found),
        }


def _conditions(text: str) -> list[tuple[str, str]]:
    if not text.strip():
        return []
    conditions = []
    for clause in re.split(r"\s+and\s+", text.strip()):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise bad_request(f"the filter {clause[:80]!r} is not understood here")
        value = match[2].replace("''", "'") if match[2] is not None else match[3]
        conditions.append((match[1], _plain(_number(value) if match[3] else value)))
    return conditions


def _number(text: str) -> object:
    return text == "true" if text in ("true", "false") else float(text)


def _plain(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{float(value):g}"
    return str(value)
