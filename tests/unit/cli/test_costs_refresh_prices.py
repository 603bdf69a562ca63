"""`costs refresh-prices`, on a price list of one row and books in memory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.app import build_app
from costs.ports import CostPorts
from replication.domain.policy import ReplicationPolicy
from tests.support.arm.stub import Canned, StubArm, running_stub
from tests.support.builders import version_body, version_id
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import row
from tests.support.fakes import World, build_world
from tests.support.shell import Shell

PATH = "/api/retail/prices"


@pytest.fixture
def prices() -> Iterator[StubArm]:
    """Answer every question with Standard storage in Central US."""
    with running_stub() as stub:
        rows = [row(armRegionName="centralus"), row(type="Reservation")]
        stub.answer("GET", PATH, Canned(body={"Items": rows, "NextPageLink": None}))
        yield stub


@pytest.fixture
def world(prices: StubArm) -> World:
    world = build_world()
    world.app = build_app(
        replace(world.app.settings, retail_prices_url=f"{prices.url}{PATH}"),
        ReplicationPolicy(),
        replace(world.app.ports, costs=CostPorts(blobs=MemoryBlobs())),
    )
    return world


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(open_app=lambda: world.app, folder=tmp_path, env={})


def test_a_refresh_tells_what_was_read_used_and_set_aside(shell: Shell, prices: StubArm) -> None:
    answer = shell("costs", "refresh-prices")
    assert (answer.code, answer.err) == (0, "")
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    host = prices.url.removeprefix("http://")
    assert lines[0] == (
        f"1 price in USD for 1 region kept (from Azure Retail Prices API at {host}, read on "
        "2026-11-23); "
        "the book now holds 1, former prices among them."
    )
    assert "No price was found for Rtn Preference: MGN: Standard Inter-Region Data" in answer.out
    assert lines[-3:] == [
        "30 rows read, 1 used, 29 set aside.",
        "28: another meter than asked for",
        "1: no pay-as-you-go price",
    ]


def test_a_refresh_as_json_has_the_same_figures(shell: Shell, world: World) -> None:
    answer = shell("costs", "refresh-prices", "--json").json
    assert (answer["currency"], answer["read_on"]) == ("USD", "2026-11-23")
    assert (answer["rows_read"], answer["prices_used"], answer["regions"]) == (30, 1, 1)
    assert sum(answer["rows_set_aside"].values()) == 29
    assert len(answer["meters_without_a_price"]) == 14
    assert isinstance(world.app.ports.costs.blobs, MemoryBlobs)
    assert list(world.app.ports.costs.blobs.blobs) == ["prices/USD.json"]


def test_a_currency_goes_to_the_list_as_it_is_written_there(shell: Shell, prices: StubArm) -> None:
    answer = shell("costs", "refresh-prices", "--currency", "eur")
    assert (answer.code, answer.err) == (
        1,
        "Error: the price list answered in 'USD', not in EUR\n",
    )
    assert prices.asked[0].query["currencyCode"] == ["'EUR'"]


@pytest.mark.parametrize("currency", ["EURO", "", "12A"])
def test_what_is_no_currency_is_wrong_usage(shell: Shell, currency: str) -> None:
    answer = shell("costs", "refresh-prices", "--currency", currency)
    assert (answer.code, answer.out) == (2, "")
    assert "is not a currency; it is three capital letters, such as USD" in answer.err


def test_a_list_that_refuses_has_failed_in_its_own_words(shell: Shell, prices: StubArm) -> None:
    prices.answer("GET", PATH, Canned(status=400, body="Invalid OData parameters"))
    answer = shell("costs", "refresh-prices")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "Error: the price list answered 400: Invalid OData parameters\n"


def test_a_plan_shows_what_has_a_price_and_what_has_none(shell: Shell, world: World) -> None:
    world.gallery.add(version_id(), version_body())
    cost = shell("plan", str(version_id()), "--json").json["cost"]
    assert (cost["monthly"], cost["priced_monthly"], cost["confidence"]) == (None, "0.00", "none")
    assert (cost["egress_once"], cost["currency"]) == (20.32, "USD")
    assert cost["egress_range"] == {"low": "0.00", "high": "20.32"}
    assert len(cost["unpriced"]) == 8
    assert [one["monthly"] for one in cost["formulas"]] == [None, None]
    table = shell("plan", str(version_id())).out
    assert "an unknown amount a month, 20.32 USD (0.00 to 20.32) once for the transfer" in " ".join(
        table.split()
    )
