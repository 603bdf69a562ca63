"""Any request is answered: with what was asked for, or with problem details."""

import json
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import handlers.http.dead_letters as desk
from bootstrap import use
from handlers.http import health, queues, replications
from handlers.http.access import ENVIRONMENT
from replication.config.policy_file import PolicyFileError
from replication.config.settings import SettingsError
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.horrors import ANY_TEXT, ANY_VALUE, BODIES, TEXTS
from tests.support.rows import NEWER, UNREADABLE
from tests.support.speed import examples

PARAMETERS = ("phase", "gallery", "geography", "cursor", "limit", "code", "x")
BROKEN = version_id(image="broken")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = build_world()
    for version in (BROKEN, version_id()):
        world.gallery.add(version, version_body())
        world.app.intake.receive(written_event(version), {})
    with use(world.app), pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, "Development")
        yield world


def ask(
    function: Any, *, params: dict[str, str] | None = None, key: str = "", body: bytes = b""
) -> tuple[int, dict[str, Any]]:
    """Call a function as the runtime does, past its decorators, and check what each answer is."""
    built = function.build()
    request = func.HttpRequest(
        method=built.get_trigger().methods[0].value,
        url="http://127.0.0.1:7071/api",
        params=params or {},
        route_params={"key": key, "id": key, "name": key},
        body=body,
    )
    response = built.get_user_function()(request)
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
        status, _ = ask(replications.replications, params={parameter: text})
        assert status in (200, 400)


@given(params=st.dictionaries(st.sampled_from(PARAMETERS) | ANY_TEXT, ANY_TEXT, max_size=4))
@settings(max_examples=examples(100))
def test_any_query_is_answered(world: World, params: dict[str, str]) -> None:
    assert len(world.store.rows) == 2
    assert ask(replications.replications, params=params)[0] in (200, 400)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_horror_as_a_key_is_not_found(world: World, text: str) -> None:
    assert len(world.store.rows) == 2
    assert ask(replications.replication, key=text)[0] == 404


def test_a_body_that_nobody_asked_for_changes_nothing(world: World) -> None:
    assert len(world.store.rows) == 2
    for body in BODIES:
        assert ask(replications.replications, body=body)[0] == 200
        assert ask(health.health, body=body)[0] == 200


@pytest.mark.parametrize("parameter", ["gallery", "geography"])
@pytest.mark.parametrize("text", ["x" * 257, "\ud800", "a\nb"])
def test_a_name_that_no_table_could_be_asked_for_is_named(
    world: World, parameter: str, text: str
) -> None:
    assert len(world.store.rows) == 2
    status, answer = ask(replications.replications, params={parameter: text})
    assert status == 400
    assert answer["detail"].startswith(f"{parameter} is ")


@pytest.mark.parametrize("text", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_record_that_cannot_be_read_is_a_problem_of_the_service_and_hides_no_other(
    world: World, text: str
) -> None:
    whole = world.store.rows[BROKEN.key]
    world.store.rows[BROKEN.key] = (text, 77)
    status, answer = ask(replications.replication, key=BROKEN.key)
    assert status == (503 if text == NEWER else 500)
    assert "the record" in answer["detail"]
    status, answer = ask(replications.replications)
    assert (status, [one["key"] for one in answer["items"]]) == (200, [version_id().key])
    assert ask(replications.replication, key=version_id().key)[0] == 200
    assert ask(health.health)[0] == 200
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

    monkeypatch.setenv(ENVIRONMENT, "Development")
    monkeypatch.setattr(replications, "get_app", refuse)
    status, answer = ask(replications.replications)
    assert (status, answer["detail"]) == (503, str(error))


def test_a_mistake_of_ours_is_not_told_as_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble() -> None:
        raise ValueError("a bug")

    monkeypatch.setenv(ENVIRONMENT, "Development")
    monkeypatch.setattr(replications, "get_app", stumble)
    with pytest.raises(ValueError, match="a bug"):
        ask(replications.replications)


ACTS = (
    replications.replicate,
    replications.cancel,
    replications.release,
    queues.pause,
    queues.resume,
    desk.replay,
    desk.discard,
    desk.replay_many,
    desk.discard_many,
)
FIELDS = st.sampled_from(
    ("image_version_id", "remove", "reason", "filter", "dry_run", "token", "code", "state")
)
WISHES = st.dictionaries(FIELDS, ANY_VALUE | st.dictionaries(FIELDS, ANY_VALUE), max_size=4)


@pytest.mark.parametrize("act", ACTS)
@given(wish=WISHES, key=st.sampled_from([BROKEN.key, "0" * 32]) | ANY_TEXT)
@settings(max_examples=examples(30), deadline=None)
def test_any_wish_is_answered_and_harms_no_record(
    world: World, act: Any, wish: dict[str, Any], key: str
) -> None:
    body = json.dumps(wish).encode("utf-8", "backslashreplace")
    ask(act, key=key, body=body)
    assert {BROKEN.key, version_id().key} <= world.store.rows.keys()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("body", BODIES)
def test_every_horror_as_a_body_is_answered(world: World, act: Any, body: bytes) -> None:
    ask(act, key="0" * 32, body=body)
    assert len(world.store.rows) >= 2


@given(params=st.dictionaries(st.sampled_from(("code", "state", "region", "cursor")), ANY_TEXT))
@settings(max_examples=examples(60), deadline=None)
def test_any_query_of_the_desk_is_answered(world: World, params: dict[str, str]) -> None:
    ask(desk.list_letters, params=params)
    assert len(world.store.rows) >= 2
