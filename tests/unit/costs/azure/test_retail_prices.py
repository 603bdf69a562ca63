"""The price list over HTTP, where it misbehaves."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from costs.azure.retail_prices import RetailPrices
from costs.pricing.prices import ALL_METERS, StorageKind, disk_meter
from costs.pricing.retail import meter_filter
from replication.config.settings import DEFAULT_PRICES_URL
from replication.domain.errors import MalformedError, PermanentError, ThrottledError, TransientError
from tests.support.arm.stub import Canned, StubArm, running_stub
from tests.support.costs.prices import STANDARD, row

PATH = "/api/retail/prices"
STANDARD_FILTER = meter_filter(STANDARD)


@pytest.fixture
def stub() -> Iterator[StubArm]:
    with running_stub() as running:
        yield running


def page(*rows: dict[str, Any], link: str | None = None, **changes: Any) -> Canned:
    return Canned(body={"Items": list(rows), "NextPageLink": link, "Count": len(rows)} | changes)


def asked(stub: StubArm, *answers: Canned) -> list[Any]:
    stub.answer("GET", PATH, *answers)
    return list(RetailPrices(f"{stub.url}{PATH}", first_pause_s=0.01).rows(STANDARD_FILTER, "USD"))


def test_the_question_names_version_currency_and_own_meters(stub: StubArm) -> None:
    assert asked(stub, page(row())) == [row(retailPrice=Decimal("0.05"), unitPrice=Decimal("0.05"))]
    (question,) = stub.asked
    assert question.query == {
        "api-version": ["2023-01-01-preview"],
        "currencyCode": ["'USD'"],
        "meterRegion": ["'primary'"],
        "$filter": [STANDARD_FILTER],
    }
    assert "authorization" not in {name.lower() for name in question.headers}


def test_a_list_that_stays_away_is_tried_five_times(stub: StubArm) -> None:
    with pytest.raises(TransientError, match="answered 503: later"):
        asked(stub, Canned(status=503, body="later"))
    assert len(stub.asked) == 5


def test_a_pause_longer_than_a_minute_is_told_and_not_waited_for(stub: StubArm) -> None:
    with pytest.raises(ThrottledError, match="answered 429"):
        asked(stub, Canned(status=429, body="busy", headers={"Retry-After": "86400"}))
    assert len(stub.asked) == 1


def test_a_refusal_is_not_asked_again(stub: StubArm) -> None:
    with pytest.raises(PermanentError, match="answered 400: Invalid OData"):
        asked(stub, Canned(status=400, body="Invalid OData"))
    assert len(stub.asked) == 1


def test_a_redirect_is_not_followed(stub: StubArm) -> None:
    with pytest.raises(PermanentError, match="answered 302"):
        asked(stub, Canned(status=302, body="", headers={"Location": f"{stub.url}/elsewhere"}))
    assert [one.path for one in stub.asked] == [PATH]


def test_nobody_at_the_address_is_told(stub: StubArm) -> None:
    with pytest.raises(TransientError, match="the price list: "):
        asked(stub, Canned(drop=True))


def test_prices_from_elsewhere_say_so() -> None:
    assert RetailPrices(DEFAULT_PRICES_URL).source == "Azure Retail Prices API"
    assert RetailPrices("http://127.0.0.1:7070/api/retail/prices").source == (
        "Azure Retail Prices API at 127.0.0.1:7070"
    )


def test_a_link_that_names_the_usual_port_is_followed() -> None:
    retail = RetailPrices("https://prices.example/api/retail/prices")
    link = "https://prices.example:443/api/retail/prices?$skip=1000"
    assert retail._checked(link) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/api/retail/prices?$skip=1",
        "http://127.0.0.1:1/api/retail/prices",
        "/api/retail/prices?$skip=1",
        "https://[broken",
        7,
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(stub: StubArm, link: Any) -> None:
    with pytest.raises(MalformedError, match="links its next page to"):
        asked(stub, page(row(), link=link))
    assert len(stub.asked) == 1


def test_pages_that_never_end_are_given_up(stub: StubArm) -> None:
    stub.answer("GET", PATH, page(row(), link=f"{stub.url}{PATH}?again=1"))
    retail = RetailPrices(f"{stub.url}{PATH}", max_pages=3)
    with pytest.raises(MalformedError, match="more than 3 pages"):
        list(retail.rows(STANDARD_FILTER, "USD"))
    assert len(stub.asked) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Canned(body="<html>"), "answered no JSON"),
        (Canned(body="[]"), "answered no JSON object"),
        (Canned(body="[" * 100_000), "answered no JSON"),
        (page(Items=None), "without a list of Items"),
        (page(Items=[1]), "without a list of Items"),
    ],
)
def test_an_answer_that_is_no_list_of_prices_is_refused(
    stub: StubArm, answer: Canned, words: str
) -> None:
    with pytest.raises(MalformedError, match=words):
        asked(stub, answer)


def test_the_meters_are_those_of_replicas_transfers_and_disks() -> None:
    assert len(ALL_METERS) == len(StorageKind) + 1 + 11
    assert disk_meter("S10") in ALL_METERS
