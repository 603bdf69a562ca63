"""The price book: as JSON, as it ships, and as it is kept."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.pricing.price_book import PriceBooks, decode_book, encode_book, shipped_book
from costs.pricing.prices import ALL_METERS, STORAGE_METERS, MissingPrice, Price, StorageKind
from costs.pricing.retail import meter_filter, refresh_prices
from costs.pricing.sizes import OccupiedSize, OccupiedSizes, encode_sizes
from replication.domain.errors import MalformedError, NewerFormatError, RecordChangedError
from tests.support.clock import FakeClock
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import book, full_book, price, row

HOUR_S = 3600
TYPES = ("Standard_LRS", "Standard_ZRS", "Premium_LRS")


def amount(found: Price | MissingPrice) -> str:
    return str(found.unit_price) if isinstance(found, Price) else found.reason


@given(
    st.lists(
        st.builds(
            price,
            st.decimals("0.0000001", 1000, places=7).filter(lambda one: one > 0).map(str),
            region=st.sampled_from(["westus2", "eastus"]),
            meter=st.sampled_from(ALL_METERS),
            since=st.dates(date(2015, 1, 1)),
            read_on=st.dates(date(2015, 1, 1)),
        ),
        max_size=5,
    )
)
def test_a_book_comes_back_from_json_as_it_went(prices: list[Price]) -> None:
    whole = book(*prices)
    assert decode_book(encode_book(whole)) == whole


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"v": 1', '"v": true', "no format version 'v'"),
        ('"v": 1', '"v": "1"', "no format version 'v'"),
        ('"currency": "USD"', '"currency": "usd"', "'usd' is not a currency"),
        ('"currency": "USD"', '"currency": 7', "currency: int is not a text"),
        (
            '"read_on": "2026-11-01",\n "source"',
            '"read_on": 1,\n "source"',
            "read_on: int is not a text",
        ),
        ('"unit_price": "0.05"', '"unit_price": 0.05', "prices.0.unit_price: float is not a text"),
        ('"unit_price": "0.05"', '"unit_price": "0"', "prices.0.unit_price: is no amount over 0"),
        ('"unit_price": "0.05"', '"unit_price": "-1"', "prices.0.unit_price: is no amount over 0"),
        ('"unit_price": "0.05"', '"unit_price": "NaN"', "prices.0.unit_price: is no amount over 0"),
        ('"unit_price": "0.05"', '"unit_price": "a"', "prices.0.unit_price: is no amount over 0"),
        (
            '"effective_on": "2024-01-01"',
            '"effective_on": "2024"',
            "prices.0.effective_on: Invalid isoformat",
        ),
        ('"region"', '"place"', "prices.0.region: Field required"),
        ('"region": "westus2"', '"region": null', "prices.0.region: NoneType is not a text"),
        ('"prices": [', '"prices": 1, "x": [', "prices: Input should be a valid tuple"),
        ('"prices": [', '"prices": [1, ', "prices.0: Input should be a dictionary"),
        ("{", "[", "is not JSON"),
    ],
)
def test_a_book_that_cannot_be_read_is_refused_by_name(old: str, new: str, words: str) -> None:
    text = encode_book(book(price())).decode()
    assert old in text
    with pytest.raises(MalformedError, match=words):
        decode_book(text.replace(old, new, 1).encode())


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(["v", "currency", "read_on", "source", "prices"]), JSON_VALUES)
def test_any_value_in_a_book_is_read_or_refused(name: str, value: object) -> None:
    document = json.loads(encode_book(book(price()))) | {name: value}
    with suppress(MalformedError):
        decode_book(json.dumps(document).encode())


@given(st.sampled_from(sorted(json.loads(encode_book(book(price())))["prices"][0])), JSON_VALUES)
def test_any_value_in_a_price_is_read_or_refused(name: str, value: object) -> None:
    document = json.loads(encode_book(book(price())))
    document["prices"][0][name] = value
    try:
        (read,) = decode_book(json.dumps(document).encode()).prices
    except MalformedError:
        return
    assert read.unit_price > 0


def test_a_book_that_is_no_object_is_refused() -> None:
    with pytest.raises(MalformedError, match="not a JSON object"):
        decode_book(b"[]")


def test_a_book_of_a_newer_release_is_left_to_it() -> None:
    with pytest.raises(NewerFormatError, match="format 2"):
        decode_book(b'{"v": 2}')


def test_the_shipped_book_has_the_recorded_storage_prices_and_no_others() -> None:
    shipped = shipped_book("USD")
    assert [amount(shipped.storage("westeurope", one)) for one in TYPES] == [
        "0.05",
        "no price in USD for Standard_ZRS storage in westeurope",
        "0.145",
    ]
    names = {meter.name for meter in STORAGE_METERS.values()}
    assert {one.region for one in shipped.prices if one.meter_name in names} == {"westeurope"}


def test_the_shipped_transfer_prices_say_that_they_are_second_hand() -> None:
    shipped = shipped_book("USD")
    for source, expected in (("westeurope", "0.02"), ("brazilsouth", "0.16")):
        found = shipped.transfer(source, "eastus")
        assert isinstance(found, Price)
        assert (str(found.unit_price), found.second_hand) == (expected, True)
    assert amount(shipped.transfer("japaneast", "eastus")) == (
        "no price in USD for transfer from japaneast"
    )


def test_another_currency_ships_without_prices() -> None:
    shipped = shipped_book("EUR")
    assert (shipped.currency, shipped.prices, shipped.read_on) == ("EUR", (), None)


def test_a_saved_book_takes_the_place_of_the_shipped_one() -> None:
    books = PriceBooks(MemoryBlobs(), FakeClock())
    assert books.current("USD") == shipped_book("USD")
    saved = books.save(full_book(["westus2"]))
    assert books.current("USD") == saved
    assert isinstance(books.current("USD").storage("westeurope", "Standard_LRS"), MissingPrice)


def test_books_of_two_currencies_are_kept_apart() -> None:
    books = PriceBooks(MemoryBlobs(), FakeClock())
    books.save(full_book(["westus2"]))
    books.save(full_book(["westus2"], currency="EUR"))
    assert {books.current(one).currency for one in ("USD", "EUR")} == {"USD", "EUR"}


def test_a_price_that_changed_is_kept_beside_the_former_one() -> None:
    books = PriceBooks(MemoryBlobs(), FakeClock())
    books.save(book(price("0.05")))
    books.save(book(price("0.07", since=date(2026, 10, 15))))
    now = books.current("USD")
    assert amount(now.storage("westus2", "Standard_LRS", on=date(2026, 10, 1))) == "0.05"
    assert amount(now.storage("westus2", "Standard_LRS", on=date(2026, 11, 1))) == "0.07"


def test_another_process_sees_a_new_book_within_the_hour() -> None:
    clock, blobs = FakeClock(), MemoryBlobs()
    writer, reader = PriceBooks(blobs, clock), PriceBooks(blobs, clock)
    writer.save(book(price("0.05")))
    assert amount(reader.current("USD").storage("westus2", "Standard_LRS")) == "0.05"
    writer.save(book(price("0.07")))
    clock.advance(HOUR_S - 1)
    assert amount(reader.current("USD").storage("westus2", "Standard_LRS")) == "0.05"
    clock.advance(1)
    assert amount(reader.current("USD").storage("westus2", "Standard_LRS")) == "0.07"


def test_the_first_book_is_seen_within_seconds() -> None:
    clock, blobs = FakeClock(), MemoryBlobs()
    reader = PriceBooks(blobs, clock)
    reader.current("USD")
    saved = PriceBooks(blobs, clock).save(book(price()))
    clock.advance(10)
    assert reader.current("USD") == saved


def test_a_book_that_was_damaged_is_told_and_not_replaced_by_the_shipped_one() -> None:
    blobs = MemoryBlobs()
    blobs.replace("prices/USD.json", b"{}", etag=None)
    with pytest.raises(MalformedError, match="has no format version"):
        PriceBooks(blobs, FakeClock()).current("USD")
    blobs.replace("prices/EUR.json", encode_book(book(price())), etag=None)
    with pytest.raises(MalformedError, match=r"prices/EUR\.json holds prices in USD"):
        PriceBooks(blobs, FakeClock()).current("EUR")


@pytest.mark.parametrize("currency", ["usd", "US", "", "../x", "USDX"])
def test_what_is_no_currency_is_refused_before_it_names_a_blob(currency: str) -> None:
    with pytest.raises(MalformedError, match="is not a currency"):
        PriceBooks(MemoryBlobs(), FakeClock()).current(currency)


class Rival(MemoryBlobs):
    """Blobs that someone else writes just before us, as often as `rounds` says."""

    rounds = 1
    content = b""

    def replace(self, name: str, content: bytes, *, etag: str | None) -> None:
        if self.rounds:
            self.rounds -= 1
            found = self.read(name)
            super().replace(name, self.content, etag=found[1] if found else None)
        super().replace(name, content, etag=etag)


def test_two_that_refresh_at_once_both_keep_their_prices() -> None:
    blobs = Rival()
    blobs.content = encode_book(book(price(region="eastus")))
    saved = PriceBooks(blobs, FakeClock()).save(book(price(region="westus2")))
    assert {one.region for one in saved.prices} == {"eastus", "westus2"}


def test_a_book_that_others_keep_writing_is_given_up() -> None:
    blobs = Rival()
    blobs.rounds, blobs.content = 99, encode_book(book(price(region="eastus")))
    with pytest.raises(RecordChangedError, match="written by others 5 times"):
        PriceBooks(blobs, FakeClock()).save(book(price()))


class List:
    """A price list of rows; it answers by the meter's filter."""

    source = "a test's list"

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self.rows_of = {meter_filter(meter): list[Mapping[str, Any]]() for meter in ALL_METERS}
        standard = meter_filter(STORAGE_METERS[StorageKind.STANDARD])
        self.rows_of[standard] = list(rows)

    def rows(self, filter_text: str, currency: str) -> Iterator[Mapping[str, Any]]:  # noqa: ARG002 - the port's
        yield from self.rows_of[filter_text]


def test_a_refresh_keeps_prices_and_counts_every_row() -> None:
    clock = FakeClock()
    books = PriceBooks(MemoryBlobs(), clock)
    rows = [row(), row(armRegionName="westus2"), row(type="Reservation"), row(armRegionName="")]
    done = refresh_prices(List(*rows), books, currency="USD", clock=clock)
    assert (done.rows_read, done.kept, done.regions) == (4, 2, 2)
    assert done.set_aside == {"no pay-as-you-go price": 1, "no region": 1}
    assert len(done.meters_without_a_price) == len(ALL_METERS) - 1
    assert (done.book.source, done.book.read_on) == ("a test's list", date(2026, 11, 23))
    assert {one.source for one in done.book.prices} == {"a test's list"}
    assert books.current("USD") == done.book
    assert amount(done.book.storage("westus2", "Standard_LRS")) == "0.05"


def test_a_refresh_that_finds_nothing_leaves_the_book_as_it_is() -> None:
    clock, blobs = FakeClock(), MemoryBlobs()
    books = PriceBooks(blobs, clock)
    saved = books.save(full_book(["westus2"]))
    with pytest.raises(MalformedError, match=r"no price in USD that can be used \(0 rows read\)"):
        refresh_prices(List(), books, currency="USD", clock=clock)
    assert PriceBooks(blobs, clock).current("USD") == saved


def test_a_refresh_that_meets_an_unknown_unit_leaves_the_book_as_it_is() -> None:
    clock, blobs = FakeClock(), MemoryBlobs()
    with pytest.raises(MalformedError, match="gives a price for '1 TB/Month'"):
        refresh_prices(
            List(row(), row(unitOfMeasure="1 TB/Month", armRegionName="westus2")),
            PriceBooks(blobs, clock),
            currency="USD",
            clock=clock,
        )
    assert blobs.read("prices/USD.json") is None


def occupied(gb: str, *, version: str = "1.0.0") -> OccupiedSize:
    return OccupiedSize(
        definition_id="/subscriptions/s/maths",
        version=version,
        gb=Decimal(gb),
        month="2026-10",
        source="a bill",
    )


def test_sizes_are_kept_and_a_later_reading_replaces_an_earlier_one() -> None:
    sizes = OccupiedSizes(MemoryBlobs())
    assert sizes.all() == ()
    assert sizes.merge([occupied("10"), occupied("11", version="1.1.0")]) == 2
    assert sizes.merge([occupied("10"), occupied("12", version="1.1.0")]) == 1
    assert sizes.merge([occupied("10")]) == 0
    assert sizes.all() == (occupied("10"), occupied("12", version="1.1.0"))


def test_two_that_reconcile_at_once_both_keep_their_sizes() -> None:
    blobs = Rival()
    other = OccupiedSizes(MemoryBlobs())
    other.merge([occupied("10")])
    found = other.blobs.read("occupied-sizes.json")
    assert found is not None
    blobs.content = found[0]
    sizes = OccupiedSizes(blobs)
    assert sizes.merge([occupied("11", version="1.1.0")]) == 1
    assert sizes.all() == (occupied("10"), occupied("11", version="1.1.0"))


def test_sizes_that_others_keep_writing_are_given_up() -> None:
    blobs = Rival()
    blobs.rounds, blobs.content = 99, encode_sizes([occupied("10")])
    with pytest.raises(RecordChangedError, match="written by others 5 times"):
        OccupiedSizes(blobs).merge([occupied("11", version="1.1.0")])
