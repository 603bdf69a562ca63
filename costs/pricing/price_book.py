"""The price book as JSON, and where it is kept: the app's own, else the one that ships."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Any

from costs.ports import LedgerBlobs
from costs.pricing.prices import MAX_PRICE, Price, PriceBook, merge_prices
from replication.domain.errors import MalformedError, NewerFormatError, RecordChangedError

FORMAT_VERSION = 1
_SNAPSHOT = "prices-2026-08-14.json"
_KEPT = timedelta(hours=1)
# Short, since another process may be reading the price list for the first time.
_KEPT_WITHOUT_A_BOOK = timedelta(seconds=10)
_TRIES = 5
_CURRENCY = re.compile(r"[A-Z]{3}")
_TEXTS = (
    "unit",
    "region",
    "meter_id",
    "meter_name",
    "product_name",
    "sku_name",
    "source",
)
_DATES = ("effective_on", "read_on")
_MAX_TEXT = 400


def check_currency(currency: str) -> None:
    """Raise MalformedError for what is no currency code of ISO 4217 in capitals."""
    if not _CURRENCY.fullmatch(currency):
        raise MalformedError(
            f"{currency[:20]!r} is not a currency; it is three capital letters, such as USD"
        )


def encode_book(book: PriceBook) -> bytes:
    """Return the book as JSON; money is a string, so that no digit is lost."""
    document = {
        "v": FORMAT_VERSION,
        "currency": book.currency,
        "read_on": None if book.read_on is None else book.read_on.isoformat(),
        "source": book.source,
        "prices": [
            {"unit_price": f"{one.unit_price:f}"}
            | {name: getattr(one, name) for name in _TEXTS}
            | {name: getattr(one, name).isoformat() for name in _DATES}
            for one in book.prices
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def decode_book(content: bytes) -> PriceBook:
    """Read a book; raises MalformedError that names the part, NewerFormatError for a newer one."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"the price book is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise MalformedError("the price book is not a JSON object")
    version = document.get("v")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise NewerFormatError(f"the price book has format {version}, of a newer release")
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise MalformedError(f"the price book: v is {version!r}, not {FORMAT_VERSION}")
    currency = _text(document, "currency", "the price book")
    check_currency(currency)
    rows = document.get("prices")
    if not isinstance(rows, list):
        raise MalformedError("the price book: prices is not a list")
    read_on = None if document.get("read_on") is None else _date(document, "read_on", "the book")
    return PriceBook(
        currency=currency,
        read_on=read_on,
        source=_text(document, "source", "the price book"),
        prices=tuple(_decode_price(row, index, currency) for index, row in enumerate(rows)),
    )


@cache
def shipped_book(currency: str) -> PriceBook:
    """Return the dated prices that come with the project, an empty book in any other currency.

    They are the few that were recorded: what is not in it has no price.
    """
    shipped = decode_book(resources.files("costs.data").joinpath(_SNAPSHOT).read_bytes())
    if currency == shipped.currency:
        return shipped
    return PriceBook(
        currency=currency,
        read_on=None,
        source=f"no price list in {currency} was read yet",
        prices=(),
    )


@dataclass(slots=True)
class PriceBooks:
    """Keeps one book a currency, as a blob; a process reads it once an hour."""

    blobs: LedgerBlobs
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _cached: dict[str, tuple[datetime, PriceBook]] = field(default_factory=dict)

    def current(self, currency: str) -> PriceBook:
        """Return the book that was saved last, else the shipped one.

        Raises MalformedError for a book that cannot be read, and what the blobs raise.
        """
        check_currency(currency)
        with self._lock:
            now = self.clock()
            cached = self._cached.get(currency)
            if cached is not None and now < cached[0]:
                return cached[1]
            found = self.blobs.read(_name(currency))
            if found is None:
                book, kept = shipped_book(currency), _KEPT_WITHOUT_A_BOOK
            else:
                book, kept = _of(found[0], currency), _KEPT
            self._cached[currency] = (now + kept, book)
            return book

    def save(self, book: PriceBook) -> PriceBook:
        """Put new prices over the saved ones and return the whole; former prices are kept.

        The shipped book is not carried over: some of its figures are second-hand.
        """
        check_currency(book.currency)
        name = _name(book.currency)
        for _ in range(_TRIES):
            found = self.blobs.read(name)
            older = _of(found[0], book.currency).prices if found else ()
            whole = replace(book, prices=merge_prices(older, book.prices))
            try:
                self.blobs.replace(name, encode_book(whole), etag=found[1] if found else None)
            except RecordChangedError:
                continue
            with self._lock:
                self._cached[book.currency] = (self.clock() + _KEPT, whole)
            return whole
        raise RecordChangedError(f"{name} was written by others {_TRIES} times; try again")


def _name(currency: str) -> str:
    return f"prices/{currency}.json"


def _of(content: bytes, currency: str) -> PriceBook:
    book = decode_book(content)
    if book.currency != currency:
        raise MalformedError(f"{_name(currency)} holds prices in {book.currency}")
    return book


def _decode_price(row: object, index: int, currency: str) -> Price:
    where = f"price {index} of the book"
    if not isinstance(row, dict):
        raise MalformedError(f"{where} is not a JSON object")
    unknown = sorted(set(row) - {"unit_price", *_TEXTS, *_DATES})
    if unknown:
        raise MalformedError(f"{where}: {unknown[0][:40]!r} is not known")
    texts = {name: _text(row, name, where) for name in _TEXTS}
    return Price(
        unit_price=_money(row, where),
        currency=currency,
        effective_on=_date(row, "effective_on", where),
        read_on=_date(row, "read_on", where),
        **texts,
    )


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise MalformedError(f"{where}: {name} is {str(value)[:40]!r}, not a short text")
    return value


def _date(row: Mapping[str, Any], name: str, where: str) -> date:
    value = row.get(name)
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise MalformedError(f"{where}: {name} is {str(value)[:40]!r}, not a date") from error


def _money(row: Mapping[str, Any], where: str) -> Decimal:
    value = row.get("unit_price")
    try:
        price = Decimal(value) if isinstance(value, str) else Decimal("NaN")
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or not 0 < price <= MAX_PRICE:
        raise MalformedError(
            f"{where}: unit_price is {str(value)[:40]!r}, not a string with an amount over 0"
        )
    return price
