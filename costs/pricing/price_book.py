"""The price book as JSON, and where it is kept: the app's own, else the one that ships."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from importlib import resources

from costs.ports import LedgerBlobs
from costs.pricing.prices import MAX_PRICE, Price, PriceBook, merge_prices
from replication.codec import (
    Codec,
    Form,
    amount_over_0,
    check_version,
    parse_json,
    read_text,
    short_text,
)
from replication.domain.errors import MalformedError, RecordChangedError

FORMAT_VERSION = 1
_SNAPSHOT = "prices-2026-08-14.json"
_KEPT = timedelta(hours=1)
# Short, since another process may be reading the price list for the first time.
_KEPT_WITHOUT_A_BOOK = timedelta(seconds=10)
_TRIES = 5
_CURRENCY = re.compile(r"[A-Z]{3}")
_SHORT = short_text(400)
_WHAT = "the price book"


def check_currency(currency: str) -> None:
    """Raise MalformedError for what is no currency code of ISO 4217 in capitals."""
    if not _CURRENCY.fullmatch(currency):
        raise MalformedError(
            f"{currency[:20]!r} is not a currency; it is three capital letters, such as USD"
        )


def _checked(currency: str) -> str:
    check_currency(read_text(currency))
    return currency


_BOOKS = Codec(
    shape=PriceBook,
    what=_WHAT,
    version=FORMAT_VERSION,
    forms={
        PriceBook: {"currency": Form(_checked), "source": _SHORT},
        Price: {
            "unit_price": amount_over_0(MAX_PRICE),
            **dict.fromkeys(("unit", "region", "meter_id", "meter_name"), _SHORT),
            **dict.fromkeys(("product_name", "sku_name", "source"), _SHORT),
        },
    },
)


def encode_book(book: PriceBook) -> bytes:
    """Return the book as JSON, in which its currency stands once."""
    document = _BOOKS.encode(book)
    for row in document["prices"]:
        del row["currency"]
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def decode_book(content: bytes) -> PriceBook:
    """Read a book; raises MalformedError that names the part, NewerFormatError for a newer one."""
    document = check_version(parse_json(content, what=_WHAT), what=_WHAT, reads=FORMAT_VERSION)
    currency, rows = document.get("currency"), document.get("prices")
    if isinstance(rows, list):
        rows = [{**row, "currency": currency} if isinstance(row, dict) else row for row in rows]
    return _BOOKS.decode({**document, "prices": rows})


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
