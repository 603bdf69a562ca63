"""Acting over HTTP: replicate, cancel, release, pause, resume; recorded with the caller."""

from typing import Any

import pytest

from handlers.http import queues, replications
from replication.domain.job import Phase
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World
from tests.support.http.calling import OBJECT_ID, Answer, call, principal, sign_in

ID = version_id()
QUEUE = "replication-jobs"


def replicate(**body: Any) -> Answer:
    return call(replications.replicate, body={"image_version_id": str(ID), **body})


def exported(world: World) -> None:
    world.gallery.add(ID, version_body())
    world.app.intake.receive(written_event(ID, at=world.clock()), {})


def test_a_version_is_replicated_on_request(world: World) -> None:
    world.gallery.add(ID, version_body())
    answer = replicate()
    assert answer.status == 202
    assert answer.json["action"] == "queued"
    assert answer.json["key"] == ID.key
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert world.job(ID).trigger == "asked for by the local operator"


def test_a_version_that_is_not_there_is_not_found(world: World) -> None:
    assert world.store.rows == {}
    assert replicate().status == 404


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (None, 400, "image_version_id: "),
        ({}, 400, "image_version_id: "),
        ({"image_version_id": 5}, 400, "image_version_id: "),
        ({"image_version_id": "/subscriptions/x"}, 400, "image_version_id: "),
        ({"id": "x"}, 400, "the body has an unknown field 'id'; known: image_version_id"),
        ([], 400, "the body is not a JSON object"),
        (b"{", 400, "the body is not JSON"),
        (b"[" * 60_000, 400, "the body is not JSON"),
        (b"\xff\xfe", 400, "the body is not JSON"),
        (b" " * (64 * 1024 + 1), 413, "the body is longer than 65536 bytes"),
    ],
)
def test_a_body_that_cannot_be_meant_is_refused(
    world: World, body: object, status: int, told: str
) -> None:
    answer = call(replications.replicate, body=body)
    assert answer.status == status
    assert answer.detail.startswith(told)
    assert world.store.rows == {}


def test_a_replication_is_cancelled_and_twice_says_so(world: World) -> None:
    exported(world)
    answer = call(replications.cancel, body={"remove": True}, route={"key": ID.key})
    assert answer.status == 202
    assert answer.json["done"] is True
    assert world.job(ID).phase is Phase.CANCELLED
    assert world.job(ID).withdrawing
    again = call(replications.cancel, route={"key": ID.key})
    assert (again.status, again.json["done"]) == (202, False)
    assert again.json["reason"] == "it is cancelled already"


def test_what_is_not_held_cannot_be_released(world: World) -> None:
    exported(world)
    answer = call(replications.release, route={"key": ID.key})
    assert answer.status == 409
    assert answer.detail.startswith("it is not held by a budget")


@pytest.mark.parametrize("function", [replications.cancel, replications.release])
def test_what_is_not_there_or_could_never_be_is_not_found(world: World, function: Any) -> None:
    assert world.store.rows == {}
    assert call(function, route={"key": "0" * 32}).status == 404
    assert call(function, route={"key": "x"}).status == 404
    assert call(function, body={"remove": "yes"}, route={"key": "0" * 32}).status == 400


def test_a_queue_is_paused_and_resumed_and_shows_it(world: World) -> None:
    answer = call(queues.pause, body={"reason": "an incident"}, route={"name": QUEUE})
    assert (answer.status, answer.json["paused"], answer.json["done"]) == (200, True, True)
    shown = call(queues.queues).json["items"][0]
    assert shown["paused"] is True
    assert shown["pause"]["by"] == "the local operator"
    assert shown["pause"]["reason"] == "an incident"
    again = call(queues.pause, body={"reason": "another"}, route={"name": QUEUE})
    assert (again.status, again.json["done"]) == (200, False)
    resumed = call(queues.resume, route={"name": QUEUE})
    assert (resumed.status, resumed.json["paused"], resumed.json["done"]) == (200, False, True)
    assert world.app.pauses.why() is None


@pytest.mark.parametrize("reason", ["", " ", 5, None, "x" * 301, "a\x00b", "two\nlines"])
def test_a_reason_that_cannot_be_shown_is_refused(world: World, reason: object) -> None:
    answer = call(queues.pause, body={"reason": reason}, route={"name": QUEUE})
    assert answer.detail == "reason is a text of 1 to 300 printable characters"
    assert world.app.pauses.why() is None


@pytest.mark.parametrize("function", [queues.pause, queues.resume])
def test_an_unknown_queue_is_not_found(world: World, function: Any) -> None:
    assert world.queues.waiting == []
    answer = call(function, route={"name": "no-such"})
    assert answer.status == 404
    assert answer.detail.endswith(
        "there are replication-jobs, replication-tracking, replication-events"
    )


ACTS = [
    (replications.replicate, {}),
    (replications.cancel, {"key": ID.key}),
    (replications.release, {"key": ID.key}),
    (queues.pause, {"name": QUEUE}),
    (queues.resume, {"name": QUEUE}),
]


@pytest.mark.parametrize(("function", "route"), ACTS)
@pytest.mark.parametrize("header", ["content-type", "transfer-encoding"])
def test_an_act_whose_body_did_not_arrive_is_refused(
    world: World, function: Any, route: dict[str, str], header: str
) -> None:
    exported(world)
    before = (world.job(ID), dict(world.controls.rows))
    answer = call(function, headers={header: "whatever"}, route=route)
    assert answer.status == 411
    assert f"the header {header}, and no body arrived: send it with a Content-Length" in answer.text
    assert (world.job(ID), world.controls.rows) == before


@pytest.mark.usefixtures("world")
def test_nothing_that_a_program_calls_a_form_unasked_is_no_body() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": "0"}
    assert call(queues.pause, headers=headers, route={"name": QUEUE}).status == 200
    del headers["content-length"]
    assert call(queues.resume, headers=headers, route={"name": QUEUE}).status == 411


@pytest.mark.parametrize(("function", "route"), ACTS)
def test_a_reader_may_not_act_and_a_stranger_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, function: Any, route: dict[str, str]
) -> None:
    exported(world)
    before = dict(world.store.rows)
    sign_in(monkeypatch)
    reader = {"x-ms-client-principal": principal("Replication.Reader")}
    refused = call(function, body={}, route=route, headers=reader)
    assert (refused.status, refused.detail) == (403, "this needs the app role Replication.Operator")
    stranger = call(function, body={}, route=route)
    assert (stranger.status, stranger.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert world.store.rows == before
    assert world.app.pauses.why() is None


def test_an_act_is_recorded_with_its_operator(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(world)
    sign_in(monkeypatch)
    operator = {"x-ms-client-principal": principal("Replication.Operator")}
    assert call(replications.cancel, route={"key": ID.key}, headers=operator).status == 202
    entry = world.history.read(ID.key)[-1]
    assert entry.details == {"by": f"operator {OBJECT_ID}"}


def test_a_page_of_another_site_cannot_act(world: World) -> None:
    exported(world)
    headers = {"origin": "https://evil.example", "host": "127.0.0.1:7071"}
    assert call(replications.cancel, route={"key": ID.key}, headers=headers).status == 403
    assert world.job(ID).phase is Phase.PLANNED
