"""Any request is answered: with what was asked for, or with problem details."""

import json
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import handlers.http_api as api
from replication import bootstrap
from replication.policy_file import PolicyFileError
from replication.settings import SettingsError
from tests.builders import version_body, version_id, written_event
from tests.fakes import World, build_world
from tests.fuzz.horrors import ANY_TEXT, BODIES, TEXTS
from tests.fuzz.test_rows import NEWER, UNREADABLE

PARAMETERS = ("phase", "gallery", "geography", "cursor", "limit", "code", "x")
BROKEN = version_id(image="broken")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = build_world()
    for version in (BROKEN, version_id()):
        world.gallery.add(version, version_body())
        world.app.intake.receive(written_event(version), {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "_app", world.app)
        yield world


def ask(
    function: Any, *, params: dict[str, str] | None = None, key: str = "", body: bytes = b""
) -> tuple[int, dict[str, Any]]:
    """Call a function as the runtime does, past its decorators, and check what each answer is."""
    request = func.HttpRequest(
        method="GET", url="/api", params=params or {}, route_params={"key": key}, body=body
    )
    response = function.build().get_user_function()(request)
    answer = json.loads(response.get_body(), parse_constant=_refuse)
    problem = response.status_code >= 400
    kind = "application/problem+json" if problem else "application/json"
    assert response.mimetype == kind
    if problem:
        assert answer["status"] == response.status_code
        assert 0 < len(answer["detail"]) < 1000
    return response.status_code, answer


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_horror_in_every_parameter_is_answered(world: World, parameter: str) -> None:
    assert len(world.store.rows) == 2
    for text in TEXTS:
        status, _ = ask(api.replications, params={parameter: text})
        assert status in (200, 400)


@given(params=st.dictionaries(st.sampled_from(PARAMETERS) | ANY_TEXT, ANY_TEXT, max_size=4))
@settings(max_examples=100)
def test_any_query_is_answered(world: World, params: dict[str, str]) -> None:
    assert len(world.store.rows) == 2
    assert ask(api.replications, params=params)[0] in (200, 400)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_horror_as_a_key_is_a_problem_of_the_caller(world: World, text: str) -> None:
    assert len(world.store.rows) == 2
    assert ask(api.replication, key=text)[0] == 400


def test_a_body_that_nobody_asked_for_changes_nothing(world: World) -> None:
    assert len(world.store.rows) == 2
    for body in BODIES:
        assert ask(api.replications, body=body)[0] == 200
        assert ask(api.health, body=body)[0] == 200


@pytest.mark.parametrize("parameter", ["gallery", "geography"])
@pytest.mark.parametrize("text", ["x" * 257, "\ud800", "a\nb"])
def test_a_name_that_no_table_could_be_asked_for_is_named(
    world: World, parameter: str, text: str
) -> None:
    assert len(world.store.rows) == 2
    status, answer = ask(api.replications, params={parameter: text})
    assert status == 400
    assert answer["detail"].startswith(f"{parameter} is ")


@pytest.mark.parametrize("text", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_record_that_cannot_be_read_is_a_problem_of_the_service_and_hides_no_other(
    world: World, text: str
) -> None:
    whole = world.store.rows[BROKEN.key]
    world.store.rows[BROKEN.key] = (text, 77)
    status, answer = ask(api.replication, key=BROKEN.key)
    assert status == (503 if text == NEWER else 500)
    assert "the record" in answer["detail"]
    status, answer = ask(api.replications)
    assert (status, [one["key"] for one in answer["items"]]) == (200, [version_id().key])
    assert ask(api.replication, key=version_id().key)[0] == 200
    assert ask(api.health)[0] == 200
    assert world.store.rows[BROKEN.key] == (text, 77)
    world.store.rows[BROKEN.key] = whole


@pytest.mark.parametrize(
    "error", [SettingsError("AZURE_CLOUD is 'x'"), PolicyFileError("p.yaml", ["line 1: no"])]
)
def test_an_app_that_is_not_set_up_says_so(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(api, "get_app", refuse)
    status, answer = ask(api.replications)
    assert (status, answer["detail"]) == (503, str(error))


def test_a_mistake_of_ours_is_not_told_as_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(api, "get_app", stumble)
    with pytest.raises(ValueError, match="a bug"):
        ask(api.replications)
