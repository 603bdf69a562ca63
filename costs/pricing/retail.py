"""The rows of the Retail Prices API, read to keep a price book up to date."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from costs.ports import SOURCE, RetailList
from costs.pricing.price_book import PriceBooks, check_currency
from costs.pricing.prices import ALL_METERS, MAX_PRICE, Meter, Price, PriceBook
from replication.domain.errors import MalformedError
from replication.domain.regions import InvalidRegionNameError, Region

_MAX_TEXT = 200
_MAX_PER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did: rows read, prices kept, and rows set aside by reason."""

    book: PriceBook
    rows_read: int
    kept: int
    set_aside: Mapping[str, int]
    regions: int
    meters_without_a_price: tuple[str, ...]


def refresh_prices(
    retail: RetailList,
    books: PriceBooks,
    *,
    currency: str,
    clock: Callable[[], datetime],
    meters: Iterable[Meter] = ALL_METERS,
) -> Refreshed:
    """Read the meters of replicas from the price list and keep them; the older prices stay.

    Raises MalformedError, TransientError or PermanentError; then nothing is kept.
    """
    check_currency(currency)
    read_on = clock().date()
    found: list[Price] = []
    aside: Counter[str] = Counter()
    rows_read = 0
    empty: list[str] = []
    for meter in meters:
        rows = list(retail.rows(meter_filter(meter), currency))
        rows_read += len(rows)
        prices, why = read_prices(
            rows, meter, currency=currency, read_on=read_on, source=retail.source
        )
        found += prices
        aside += why
        if not prices:
            empty.append(f"{meter.product}: {meter.name}")
    if not found:
        raise MalformedError(
            f"the price list gave no price in {currency} that can be used ({rows_read} rows read); "
            "the book stays as it is"
        )
    book = books.save(
        PriceBook(currency=currency, read_on=read_on, source=retail.source, prices=tuple(found))
    )
    return Refreshed(
        book=book,
        rows_read=rows_read,
        kept=len(found),
        set_aside=aside,
        regions=len({one.region for one in found}),
        meters_without_a_price=tuple(empty),
    )


def meter_filter(meter: Meter) -> str:
    """Return the OData filter of a meter in every region; the list compares case by case."""
    parts = {"serviceName": meter.service, "productName": meter.product, "skuName": meter.sku}
    parts["meterName"] = meter.name
    quoted = {name: value.replace("'", "''") for name, value in parts.items() if value is not None}
    return " and ".join(f"{name} eq '{value}'" for name, value in quoted.items())


def read_prices(
    rows: Iterable[Mapping[str, Any]],
    meter: Meter,
    *,
    currency: str,
    read_on: date,
    source: str = SOURCE,
) -> tuple[list[Price], Counter[str]]:
    """Return the prices of a meter, and how many rows were set aside for which reason.

    A meter with steps is taken at the first step that costs something, the dearest: a free amount
    a month belongs to the whole subscription. Raises MalformedError for a unit or a figure that
    cannot be understood, since to skip it would leave a region without a price in silence.
    """
    aside: Counter[str] = Counter()
    steps: dict[tuple[str, date], tuple[Decimal, Price]] = {}
    for row in rows:
        why = _why_not(row, meter, currency)
        if why is not None:
            aside[why] += 1
            continue
        price = _price(row, meter, currency=currency, read_on=read_on, source=source)
        if price.unit_price == 0:
            aside["the price is 0"] += 1
            continue
        step = _figure(row, "tierMinimumUnits")
        place = (price.region, price.effective_on)
        known = steps.get(place)
        if known is not None:
            aside["a further step or a second row of a meter"] += 1
        if known is None or step < known[0]:
            steps[place] = (step, price)
    return [price for _, price in steps.values()], aside


def price_unit(text: object) -> tuple[int, str]:
    """Split a unit of measure: "100 GB/Month" is (100, "GB/Month"); raises MalformedError."""
    words = text.split(" ", 1) if isinstance(text, str) else []
    if isinstance(text, str) and text in ("1/Month", "1 /Month"):
        return 1, "1/Month"
    count, unit = words if len(words) == 2 else ("", "")  # noqa: PLR2004 - a number and a word
    digits = count.isascii() and count.isdecimal() and len(count) <= len(str(_MAX_PER))
    if unit not in ("GB", "GB/Month") or not digits or int(count) == 0:
        raise MalformedError(
            f"the price list gives a price for {str(text)[:40]!r}; known are '1 GB/Month', '1 GB', "
            "the same with another number, and '1/Month'"
        )
    return int(count), unit


def _why_not(row: Mapping[str, Any], meter: Meter, currency: str) -> str | None:
    """Tell why a row is not about the pay-as-you-go price of the meter in a region."""
    names = {
        "serviceName": meter.service,
        "productName": meter.product,
        "skuName": meter.sku,
        "meterName": meter.name,
    }
    if any(value is not None and row.get(name) != value for name, value in names.items()):
        return "another meter than asked for"
    if row.get("currencyCode") != currency:
        raise MalformedError(
            f"the price list answered in {str(row.get('currencyCode'))[:8]!r}, not in {currency}"
        )
    if row.get("type") != "Consumption":
        return "no pay-as-you-go price"
    if row.get("isPrimaryMeterRegion") is not True:
        return "not the region's own meter"
    try:
        Region.parse(row.get("armRegionName"))
    except InvalidRegionNameError:
        return "no region"
    return None


def _price(
    row: Mapping[str, Any], meter: Meter, *, currency: str, read_on: date, source: str
) -> Price:
    per, unit = price_unit(row.get("unitOfMeasure"))
    if unit != meter.unit:
        raise MalformedError(
            f"the price list gives {meter.name} by {unit!r}, where {meter.unit!r} was expected"
        )
    return Price(
        unit_price=_figure(row, "retailPrice") / per,
        currency=currency,
        unit=unit,
        region=Region.parse(row.get("armRegionName")).name,
        meter_id=_text(row, "meterId"),
        meter_name=meter.name,
        product_name=meter.product,
        sku_name=_text(row, "skuName"),
        effective_on=_day(row),
        read_on=read_on,
        source=source,
    )


def _figure(row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise MalformedError(f"the price list: {name} is {str(value)[:40]!r}, not a number")
    figure = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not figure.is_finite() or not 0 <= figure <= MAX_PRICE:
        raise MalformedError(
            f"the price list: {name} is {str(figure)[:40]!r}; it is from 0 to {MAX_PRICE}"
        )
    return figure


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise MalformedError(f"the price list: {name} is {str(value)[:40]!r}, not a short text")
    return value


def _day(row: Mapping[str, Any]) -> date:
    value = row.get("effectiveStartDate")
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else _no_day(value)
    except ValueError:
        return _no_day(value)


def _no_day(value: object) -> date:
    raise MalformedError(f"the price list: effectiveStartDate is {str(value)[:40]!r}, not a time")
