"""`GET /api/v1/costs`: the audit report, and parameters that cannot be meant."""

import csv
import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap import use
from bootstrap.app import build_app
from costs.report.query import API_FORMS, Form
from handlers.http.costs import costs
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.ledgers import ledger_row, world_with_books
from tests.support.fakes import World, build_world
from tests.support.horrors import ANY_TEXT, TEXTS
from tests.support.http.calling import Answer, call
from tests.support.speed import examples

YESTERDAY = date(2026, 11, 22)
ROWS = [
    ledger_row(day=YESTERDAY, monthly="30", egress="2", lab="biology"),
    ledger_row(day=YESTERDAY, monthly="60", region="eastus", lab="biology"),
    ledger_row(day=YESTERDAY, monthly=None, image="physics", region="mars"),
    ledger_row(day=YESTERDAY, monthly="30", gallery="europe", currency="EUR"),
]
PARAMETERS = ("group_by", "from", "to", "format", "currency", "limit", "azure", "x")


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, MemoryBlobs]]:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    world, blobs = world_with_books(tmp_path, ROWS)
    with use(world.app):
        yield world, blobs


@pytest.fixture
def world(books: tuple[World, MemoryBlobs]) -> World:
    return books[0]


def get(**params: str) -> Answer:
    names = {"since": "from", "until": "to"}
    return call(costs, params={names.get(name, name): text for name, text in params.items()})


@pytest.mark.usefixtures("world")
def test_the_report_is_json_with_every_amount_and_its_currency() -> None:
    answer = get()
    assert (answer.status, answer.media_type) == (200, "application/json")
    report = answer.json
    assert (report["from"], report["to"], report["group_by"]) == (
        "2026-09-01",
        "2026-11-23",
        ["gallery"],
    )
    assert [(one["currency"], one["total"]) for one in report["totals"]] == [
        ("EUR", "1.00"),
        ("USD", "5.00"),
    ]
    assert report["rows"]["read"] == 4
    assert report["orphans"]["known"] is True
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("world")
def test_groups_days_currency_and_limit_can_be_asked_for() -> None:
    report = get(
        group_by="region,lab",
        since="2026-11-22",
        until="2026-11-22",
        currency="usd",
        limit="1",
        azure="no",
    ).json
    (first,) = report["groups"]["items"]
    assert (first["key"], first["total"]) == ({"region": "westus", "lab": "biology"}, "3.00")
    assert report["groups"]["left_out"] == 2
    assert report["orphans"]["note"] == "Azure was not asked"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("form", [form for form in API_FORMS if form is not Form.JSON])
def test_the_report_is_a_table_where_that_is_asked_for(form: str) -> None:
    answer = get(format=form, azure="no")
    assert (answer.status, answer.media_type) == (200, "text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    if form == "csv":
        assert [row["gallery"] for row in rows if row["section"] == "group"] == [
            "europe",
            "labgallery",
        ]
    else:
        assert {row["BillingCurrency"] for row in rows} == {"EUR", "USD"}


def test_an_export_that_is_too_long_for_an_answer_is_refused(world: World) -> None:
    few = replace(world.app.costs, most_focus_rows=3)
    with use(replace(world.app, open_costs=lambda: few)):
        answer = get(format="focus")
        assert get(format="focus", currency="EUR").status == 200
    assert answer.status == 400
    assert answer.detail.startswith("format focus has a line for each of 4 rows, and 3 are the")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"from": "yesterday"}, "from is 'yesterday'; it is a day such as 2026-11-23"),
        ({"from": "2026-12"}, "from is 2026-12-01, and the ledger has no day after today"),
        ({"from": "2020-01"}, "from 2020-01-01 to 2026-11-23 are more than 1100 days"),
        ({"to": "0000-01"}, "to is '0000-01'"),
        ({"group_by": "galery"}, "group_by is 'galery'; it is one of"),
        ({"group_by": "lab,month,rule,day,region"}, "group_by names 5; 4 are the most"),
        ({"currency": "dollars"}, "currency is 'dollars'"),
        ({"limit": "0"}, "limit is '0'; it is a number from 1 to 10000"),
        ({"limit": "10001"}, "limit is '10001'"),
        ({"format": "html"}, "format is 'html'; it is one of json, csv, focus"),
        ({"azure": "maybe"}, "azure is 'maybe'; it is yes or no"),
        ({"form": "csv"}, "unknown parameter 'form'; known: group_by, from, to"),
    ],
)
def test_a_wrong_parameter_is_a_problem_of_the_caller(params: dict[str, str], said: str) -> None:
    answer = call(costs, params=params)
    assert answer.status == 400
    assert answer.detail.startswith(said)


def test_a_broken_file_of_the_ledger_is_a_problem_of_the_service(
    books: tuple[World, MemoryBlobs],
) -> None:
    _, blobs = books
    name = next(iter(blobs.blobs))
    blobs.blobs[name] = (b"no parquet", "another")
    answer = get(azure="no")
    assert answer.status == 500
    assert answer.detail.startswith("the ledger's files cannot be read: ")


def test_an_app_without_an_address_of_blobs_says_so() -> None:
    with use(build_world().app):
        answer = get()
    assert answer.status == 503
    assert answer.detail.startswith("the cost audit keeps its books in blobs")


def test_nothing_is_written(books: tuple[World, MemoryBlobs]) -> None:
    world, blobs = books
    kept = dict(blobs.blobs)
    assert get().status == 200
    assert (blobs.blobs, world.gallery.writes, world.store.rows) == (kept, [], {})


def test_an_empty_ledger_is_an_answer(books: tuple[World, MemoryBlobs]) -> None:
    world, _ = books
    ports = world.app.ports
    ports.costs.blobs.blobs.clear()  # type: ignore[union-attr] # blobs in memory
    with use(build_app(world.app.settings, world.app.policy, ports)):
        report = get().json
    assert (report["totals"], report["groups"]["items"], report["last_day"]) == (
        [],
        [],
        "2026-11-23",
    )


def check(parameter: str, text: str) -> None:
    params = {"azure": "no", "from": "2026-11-22"} | {parameter: text}
    answer = call(costs, params=params)
    assert answer.status in (200, 400)
    if answer.status == 400:
        assert 0 < len(answer.detail) < 1000


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_horror_as_a_parameter_is_answered(parameter: str) -> None:
    for text in TEXTS:
        check(parameter, text)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parameter=st.sampled_from(PARAMETERS), text=ANY_TEXT | st.integers().map(str))
@pytest.mark.usefixtures("world")
def test_any_parameter_is_answered(parameter: str, text: str) -> None:
    check(parameter, text)
