"""Every act over HTTP is on record with its operator, whether it was done or not."""

from typing import Any

import pytest

import handlers.http.dead_letters as letters
from handlers.http import actions, queues, replications
from replication.domain.errors import TransientError
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World
from tests.support.http.calling import OBJECT_ID, Answer, call, principal, sign_in
from tests.support.letter_worlds import lay_event, lay_job

ID = version_id()
QUEUE = "replication-jobs"


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(monkeypatch)


def act(function: Any, **how: Any) -> Answer:
    return call(
        function, headers={"x-ms-client-principal": principal("Replication.Operator")}, **how
    )


def journal(**params: str) -> Answer:
    reader = {"x-ms-client-principal": principal("Replication.Reader")}
    return call(actions.actions, headers=reader, params=params)


def test_every_act_is_listed_with_who_did_it_about_what_and_what_came_of_it(world: World) -> None:
    world.gallery.add(ID, version_body())
    letter = lay_job(world, version_id(version="2.0.0"))
    lay_event(world)
    act(replications.replicate, body={"image_version_id": str(ID)})
    act(queues.pause, body={"reason": "an incident"}, route={"name": QUEUE})
    act(queues.resume, route={"name": QUEUE})
    act(queues.resume, route={"name": QUEUE})
    act(replications.release, route={"key": ID.key})
    act(replications.cancel, body={"remove": True}, route={"key": ID.key})
    act(letters.replay, route={"id": letter.id})
    chosen = {"filter": {"code": "malformed_event"}}
    counted = act(letters.discard_many, body={**chosen, "dry_run": True}).json
    act(letters.discard_many, body={**chosen, "token": counted["token"]})
    items = journal().json["items"]
    assert {one["by"] for one in items} == {f"operator {OBJECT_ID}"}
    assert sorted((one["action"], one["done"]) for one in items) == [
        ("cancel", True),
        ("discard", True),
        ("pause", True),
        ("release", False),
        ("replay", True),
        ("replicate", True),
        ("resume", False),
        ("resume", True),
    ]
    by_action = {one["action"]: one for one in items}
    assert by_action["pause"]["why"] == "an incident"
    assert by_action["pause"]["about"] == {"queue": QUEUE}
    assert by_action["cancel"]["about"] == {"image_version_id": str(ID), "key": ID.key}
    assert by_action["cancel"]["why"] == "what is not Completed is to be taken out"
    assert by_action["replay"]["about"]["dead_letter_id"] == letter.id
    assert by_action["discard"]["about"] == {"filter": "code=malformed_event, state=open"}
    assert by_action["discard"]["outcome"] == "1 of 1 done"


def test_looking_and_counting_are_no_acts(world: World) -> None:
    lay_event(world)
    act(letters.discard_many, body={"filter": {}, "dry_run": True})
    act(queues.queues)
    assert journal().json == {"items": [], "next": None}


def test_what_was_never_there_is_no_act(world: World) -> None:
    assert world.store.rows == {}
    assert act(replications.cancel, route={"key": "0" * 32}).status == 404
    assert act(letters.replay, route={"id": "0" * 32}).status == 404
    assert journal().json["items"] == []


def test_an_act_that_cannot_be_recorded_is_not_done(world: World) -> None:
    world.gallery.add(ID, version_body())
    world.app.intake.receive(written_event(ID, at=world.clock()), {})
    before = dict(world.store.rows)
    for function, route in (
        (replications.cancel, {"key": ID.key}),
        (queues.pause, {"name": QUEUE}),
    ):
        world.history.failures = [TransientError("storage: away")]
        assert act(function, route=route).status == 503
    assert world.store.rows == before
    assert world.app.pauses.why() is None


def test_a_selection_that_changed_is_on_record_as_not_done(world: World) -> None:
    lay_event(world)
    body = {"filter": {}, "token": "1-1-" + "0" * 16}
    assert act(letters.replay_many, body=body).status == 409
    (record,) = journal().json["items"]
    assert (record["done"], "count again" in record["outcome"]) == (False, True)


def test_pages_follow_one_another(world: World) -> None:
    for number in range(3):
        act(queues.pause, body={"reason": str(number)}, route={"name": QUEUE})
        world.clock.advance(1)
    first = journal(limit="2").json
    second = journal(limit="2", cursor=first["next"]).json
    assert [one["why"] for one in (*first["items"], *second["items"])] == ["2", "1", "0"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"cursor": "x"}, "the cursor is not one that this list gave out"),
        ({"limit": "0"}, "limit is '0'; it is a number from 1 to 200"),
        ({"by": "me"}, "unknown parameter 'by'; known: cursor, limit"),
    ],
)
def test_a_wrong_parameter_is_named(world: World, params: dict[str, str], told: str) -> None:
    assert world.store.rows == {}
    answer = journal(**params)
    assert (answer.status, answer.detail) == (400, told)
