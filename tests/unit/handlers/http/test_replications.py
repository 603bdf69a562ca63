"""The query of a list is read strictly, and errors are problem details."""

import json
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest

from bootstrap import use
from handlers.http import actions, health, queues, replications
from replication.domain.errors import MalformedError, TransientError
from replication.domain.job import Phase
from replication.listing.query import ListOrder, ListQuery
from replication.ports import JobQuery, QueueName
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World
from tests.support.http.calling import sign_in


def test_a_list_without_parameters_is_the_first_fifty() -> None:
    assert replications.read_query({}) == JobQuery(limit=50)
    assert (
        replications.read_query({"code": "a-function-key", "limit": "", "phase": ""}) == JobQuery()
    )
    assert replications.read_query({"cursor": "abc", "limit": "7"}) == JobQuery(
        cursor="abc", limit=7
    )
    assert replications.read_query({"sort": "newest"}) == ListQuery()


def test_every_parameter_is_read() -> None:
    params = {
        "phase": "Failed,waiting",
        "gallery": "Lab's",
        "geography": "United States",
        "search": "Mat",
        "stuck": "yes",
        "sort": "oldest",
        "cursor": "abc",
        "limit": "200",
    }
    assert replications.read_query(params) == ListQuery(
        phases=frozenset({Phase.FAILED, Phase.WAITING}),
        gallery="Lab's",
        geography="United States",
        search="Mat",
        stuck=True,
        order=ListOrder.OLDEST,
        cursor="abc",
        limit=200,
    )


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"pahse": "failed"}, "unknown parameter 'pahse'; known: phase, gallery, geography"),
        ({"phase": "done"}, "phase is 'done'; it is one of applying, cancelled"),
        ({"phase": "failed,"}, "phase is ''; it is one of"),
        ({"sort": "size"}, "sort is 'size'; it is one of newest, oldest, name"),
        ({"stuck": "1"}, "stuck is '1'; it is one of yes, no"),
        ({"limit": "0"}, "limit is '0'; it is a number from 1 to 200"),
        ({"limit": "201"}, "limit is '201'"),
        ({"limit": "-1"}, "limit is '-1'"),
        ({"limit": "ten"}, "limit is 'ten'"),
        ({"limit": "٣"}, "limit is '٣'"),
        ({"limit": "00000000019999999"}, "limit is '00000000019999999'"),
        ({"limit": "9" * 5000}, "limit is '99999999999999999999'"),
    ],
)
def test_a_wrong_parameter_is_named(params: dict[str, str], said: str) -> None:
    with pytest.raises(MalformedError) as raised:
        replications.read_query(params)
    assert str(raised.value).startswith(said)


def get(path: str, *, key: str = "", **params: str) -> func.HttpRequest:
    return func.HttpRequest(
        method="GET",
        url=f"http://127.0.0.1:7071/api/v1/{path}",
        params=params,
        route_params={"key": key},
        body=b"",
    )


def call(function: Any, request: func.HttpRequest) -> tuple[int, str, dict[str, Any]]:
    """Call a function as the runtime does, past its decorators."""
    response = function.build().get_user_function()(request)
    return response.status_code, response.mimetype, json.loads(response.get_body())


def test_a_wrong_parameter_is_a_problem_of_the_caller(world: World) -> None:
    assert world.store.rows == {}
    status, kind, body = call(replications.replications, get("replications", limit="0"))
    assert (status, kind) == (400, "application/problem+json")
    assert body == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "limit is '0'; it is a number from 1 to 200",
    }


def test_a_storage_in_trouble_is_a_problem_of_the_service(world: World) -> None:
    world.store.failures.append(TransientError("storage: away"))
    status, kind, body = call(replications.replications, get("replications"))
    assert (status, kind) == (503, "application/problem+json")
    assert body["detail"] == "storage: away"


def test_what_is_on_record_is_listed_and_shown(world: World) -> None:
    world.gallery.add(version_id(), version_body())
    world.app.intake.receive(written_event(version_id()), {})
    status, kind, body = call(replications.replications, get("replications", gallery="labgallery"))
    assert (status, kind, body["next"]) == (200, "application/json", None)
    status, _, shown = call(replications.replication, get("replications/k", key=version_id().key))
    assert (status, shown["image_version_id"]) == (200, str(version_id()))


def test_a_filter_shows_records_as_they_are_and_not_as_they_were_listed(world: World) -> None:
    for image in ("a", "b"):
        world.gallery.add(version_id(image=image), version_body())
        world.app.intake.receive(written_event(version_id(image=image)), {})
    _, _, planned = call(replications.replications, get("replications", phase="planned"))
    assert [one["phase"] for one in planned["items"]] == ["planned", "planned"]
    first = world.job(version_id(image="a"))
    stored = world.store.load(first.key)
    assert stored is not None
    # The listing lags behind: a worker died between the two.
    world.store.replace(stored, replace(first, phase=Phase.FAILED))
    _, _, planned = call(replications.replications, get("replications", phase="planned"))
    assert [one["key"] for one in planned["items"]] == [version_id(image="b").key]
    _, _, whole = call(replications.replications, get("replications"))
    assert {one["phase"] for one in whole["items"]} == {"planned", "failed"}


def test_a_cursor_of_another_list_is_a_problem_of_the_caller(world: World) -> None:
    for number in range(3):
        version = version_id(version=f"1.0.{number}")
        world.gallery.add(version, version_body())
        world.app.intake.receive(written_event(version), {})
    _, _, page = call(replications.replications, get("replications", sort="newest", limit="1"))
    status, _, body = call(replications.replications, get("replications", cursor=page["next"]))
    assert (status, "the cursor is not one" in body["detail"]) == (400, True)


@pytest.mark.parametrize(
    "key",
    ["0" * 32, "x", ""],
)
def test_a_key_that_is_not_there_or_none_is_not_found(world: World, key: str) -> None:
    assert world.store.rows == {}
    answered, kind, body = call(replications.replication, get("replications/k", key=key))
    assert (answered, kind, body["title"]) == (404, "application/problem+json", "Not Found")


def test_health_tells_what_is_wrong(world: World) -> None:
    assert call(health.health, get("health"))[0] == 200
    world.store.failures.append(TransientError("storage: away"))
    status, kind, body = call(health.health, get("health"))
    assert (status, kind, body["status"]) == (503, "application/json", "unhealthy")


def test_whoever_may_not_ask_is_refused_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign_in(monkeypatch)
    monkeypatch.setenv("REPLICATION_POLICY", "/nowhere.yaml")
    asked = (
        health.health,
        replications.replications,
        replications.replication,
        queues.queues,
        actions.actions,
    )
    with use(None):
        for function in asked:
            assert call(function, get("x"))[0] == 401


def test_an_answer_over_https_asks_for_https_alone(world: World) -> None:
    assert world.store.rows == {}
    near, far = (
        get("queues"),
        func.HttpRequest(method="GET", url="https://app.azurewebsites.net/api/v1/queues", body=b""),
    )
    answer = queues.queues.build().get_user_function()
    assert "Strict-Transport-Security" not in answer(near).headers
    # Refused: the local operator is nobody there. The header is on every answer.
    assert answer(far).status_code == 401
    assert answer(far).headers["Strict-Transport-Security"] == "max-age=31536000"


def test_queues_are_listed(world: World) -> None:
    assert world.queues.waiting == []
    status, _, body = call(queues.queues, get("queues"))
    assert status == 200
    items = body["items"]
    assert isinstance(items, list)
    assert [item["name"] for item in items] == [queue.value for queue in QueueName]
