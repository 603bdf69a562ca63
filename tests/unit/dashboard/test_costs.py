"""The costs page: what the ledger has, why there is nothing, and what that costs."""

from dataclasses import replace
from html import escape

import pytest

from bootstrap.app import build_app
from costs.ledger.files import written_days
from costs.ports import CostPorts
from costs.report.query import Dimension
from dashboard.assets import assets
from dashboard.views.costs import GROUPS, MOST_RECORDS
from replication.domain.job import Phase
from tests.support.builders import SUBSCRIPTION, version_body, version_id, written_event
from tests.support.costs.blobs import MemoryBlobs
from tests.support.dashboard.counting import count_calls
from tests.support.dashboard.pages import LANGUAGES, MOST_BYTES, ask, check_structure, read
from tests.support.dashboard.worlds import add_job
from tests.support.fakes import World, build_world
from tests.support.http.serving import Serve

DAY_S = 24 * 3600
# The name of a group and where it is, which a narrow column needs apart.
NAMES = {
    "gallery": f"labgallery {SUBSCRIPTION}, labs-rg",
    "definition": f"maths {SUBSCRIPTION}, labs-rg, labgallery",
    "version": f"maths 1.0.0 {SUBSCRIPTION}, labs-rg, labgallery",
    "region": "centralus",
}


def world_with_books(*, days: int) -> World:
    """Return a world in which the audit has run after so many days."""
    world = build_world()
    ports = replace(world.app.ports, costs=CostPorts(blobs=MemoryBlobs()))
    world.app = build_app(world.app.settings, world.app.policy, ports)
    world.gallery.add(version_id(), version_body())
    world.app.intake.receive(written_event(version_id(), at=world.clock()), {})
    world.run()
    for _ in range(days):
        world.clock.advance(DAY_S)
        world.app.costs.ledger.audit()
    return world


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figures_of_the_books_are_shown(serve: Serve, language: str) -> None:
    serve(world_with_books(days=10))
    for group, name in NAMES.items():
        answer = ask(f"/dashboard/costs?group_by={group}", language=language)
        assert answer.status == 200
        document = read(answer.text)
        check_structure(document, language)
        assert {"months", "groups"} <= {one.attributes.get("id") for one in document.all("h2")}
        assert name in document.text
        beside = sum(len(one.content) for one in assets().values())
        assert len(answer.text.encode()) + beside < MOST_BYTES
    twin = ask("/dashboard/costs.json").json
    assert twin["books"] == "there"
    assert twin["totals"]
    assert len(twin["months"]) == 2


def test_a_report_is_kept_until_the_books_have_another_day(serve: Serve) -> None:
    world = serve(world_with_books(days=3))
    first = ask("/dashboard/costs.json").json
    assert {**ask("/dashboard/costs.json").json, "at": ""} == {**first, "at": ""}
    world.clock.advance(DAY_S)
    world.app.costs.ledger.audit()
    second = ask("/dashboard/costs.json").json
    assert (first["to"], second["to"]) == ("2026-11-25", "2026-11-26")
    other = ask("/dashboard/costs.json?group_by=region").json
    assert other["groups"] != second["groups"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_the_first_audit_the_page_shows_the_running_day_and_says_so(
    serve: Serve, language: str
) -> None:
    serve(world_with_books(days=0))
    answer = ask("/dashboard/costs", language=language)
    check_structure(read(answer.text), language)
    twin = ask("/dashboard/costs.json").json
    assert (twin["books"], twin["to"]) == ("running_day", "2026-11-23")
    assert twin["totals"] == ask("/dashboard/costs.json?today=yes").json["totals"]
    said = {"en": "No day is on the books yet", "ja": "台帳にはまだ記録がありません"}[language]
    assert said in answer.text
    assert 'id="notes"' in answer.text  # the price of a region that has none, at least
    assert all(escape(note) in answer.text for note in twin["rows"]["notes"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.slow
def test_with_many_records_the_running_day_is_shown_when_it_is_asked_for(
    serve: Serve, language: str
) -> None:
    world = world_with_books(days=0)
    for number in range(MOST_RECORDS):
        add_job(world, 10 + number, phase=Phase.SUCCEEDED)
    serve(world)
    answer = ask("/dashboard/costs", language=language)
    check_structure(read(answer.text), language)
    assert ask("/dashboard/costs.json").json["books"] == "none_yet"
    assert "today=yes" in answer.text
    assert ask("/dashboard/costs.json?today=yes").json["books"] == "there"


def test_days_after_the_books_end_have_none(serve: Serve) -> None:
    world = serve(world_with_books(days=2))
    assert world.app.ports.costs.blobs is not None
    last = max(written_days(world.app.ports.costs.blobs))
    today = world.clock().date()
    assert last < today
    assert ask(f"/dashboard/costs.json?from={today}").json["books"] == "none_yet"
    assert ask("/dashboard/costs.json").json["to"] == last.isoformat()


def test_the_records_are_read_only_when_today_is_asked_for(serve: Serve) -> None:
    counting, calls = count_calls(world_with_books(days=2))
    serve(counting)
    assert ask("/dashboard/costs").status == 200
    assert dict(calls.calls) == {}
    assert ask("/dashboard/costs?today=yes").status == 200
    assert calls.calls["store.find"] > 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "from is 'yesterday'"),
        ("from=2026-12", "which is after"),
        ("from=2031-01", "no day after today"),
        ("currency=dollars", "currency is 'dollars'"),
        ("today=perhaps", "today is 'perhaps'"),
    ],
)
def test_days_that_cannot_be_meant_are_named(serve: Serve, query: str, said: str) -> None:
    serve(world_with_books(days=2))
    if query == "from=2026-12":
        query = "from=2026-11-24&to=2026-11-23"
    answer = ask(f"/dashboard/costs?{query}")
    assert answer.status == 400
    assert said in read(answer.text).text


def test_the_page_groups_by_every_dimension_but_by_time_and_rule() -> None:
    left_out = {Dimension.MONTH, Dimension.DAY, Dimension.RULE}
    assert set(GROUPS) == set(Dimension) - left_out
