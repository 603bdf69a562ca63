"""The dead-letter desk over HTTP: nothing is acted on that was not named or counted."""

from typing import Any

import pytest

import handlers.http.dead_letters as api
from handlers.http.access import ENVIRONMENT
from replication.domain.errors import FailureCode
from replication.domain.job import Phase
from replication.ports import LetterState
from tests.support.builders import version_id
from tests.support.fakes import World
from tests.support.http.calling import Answer, call
from tests.support.letter_worlds import lay_event, lay_job, lay_unreadable_message

ONE, TWO = version_id(), version_id(version="1.0.1")


def ids(answer: Answer) -> set[str]:
    return {one["id"] for one in answer.json["items"]}


def test_open_letters_are_listed_by_filter(world: World) -> None:
    locked, refused = lay_job(world, ONE), lay_job(world, TWO, code=FailureCode.NOT_AUTHORISED)
    event = lay_event(world)
    assert ids(call(api.list_letters)) == {locked.id, refused.id, event.id}
    for params, found in (
        ({"failure_code": "locked"}, {locked.id}),
        ({"code": "locked"}, {locked.id}),
        ({"id": event.id[:8]}, {event.id}),
        ({"id": event.id}, {event.id}),
        ({"source": "event"}, {event.id}),
        ({"gallery": "labgallery"}, {locked.id, refused.id}),
        ({"image_version": str(TWO)}, {refused.id}),
        ({"region": "westus3", "failure_code": "not_authorised"}, {refused.id}),
        ({"state": "resolved"}, set()),
    ):
        assert ids(call(api.list_letters, params=params)) == found, params


def test_a_key_in_the_address_filters_nothing_and_any_other_code_is_refused_unrepeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = lay_event(world)
    params = {"code": "not-a-failure-code"}
    refused = call(api.list_letters, params=params)
    assert (refused.status, "failure_code" in refused.detail) == (400, True)
    assert "not-a" not in refused.text
    monkeypatch.setenv(ENVIRONMENT, "Production")  # the host has checked the key
    assert ids(call(api.list_letters, params=params)) == {event.id}


def test_the_list_comes_in_pages(world: World) -> None:
    letters = {lay_event(world, number=number).id for number in range(5)}
    seen: set[str] = set()
    params = {"limit": "2"}
    while True:
        answer = call(api.list_letters, params=params)
        assert len(answer.json["items"]) <= 2
        seen |= ids(answer)
        if answer.json["next"] is None:
            break
        params["cursor"] = answer.json["next"]
    assert seen == letters


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"phase": "x"}, "unknown parameter 'phase'"),
        ({"state": "gone"}, "state is 'gone'; it is one of open"),
        ({"source": "nowhere"}, "source is 'nowhere'"),
        ({"limit": "0"}, "limit is '0'"),
        ({"image_version": "x"}, ""),
        ({"id": "xyz"}, "id is 'xyz'; it is 32 hex digits"),
        ({"cursor": "\x00"}, ""),
    ],
)
def test_a_wrong_parameter_is_named(world: World, params: dict[str, str], told: str) -> None:
    lay_event(world)
    answer = call(api.list_letters, params=params)
    assert answer.status == 400
    assert answer.detail.startswith(told)


def test_one_letter_is_shown_whole(world: World) -> None:
    letter = lay_job(world, ONE)
    shown = call(api.show, route={"id": letter.id}).json
    assert (shown["code"], shown["raw"]) == ("locked", letter.raw)
    assert shown["timeline"]
    assert shown["runbook"]


@pytest.mark.parametrize("function", [api.show, api.replay, api.discard])
def test_a_letter_that_is_not_there_or_cannot_be_is_not_found(world: World, function: Any) -> None:
    assert world.letters.letters == {}
    assert call(function, route={"id": "0" * 32}).status == 404
    assert call(function, route={"id": "../x"}).status == 404


def test_one_letter_is_sent_again(world: World) -> None:
    letter = lay_job(world, ONE)
    answer = call(api.replay, route={"id": letter.id})
    assert (answer.status, answer.json["done"]) == (200, True)
    world.run()
    assert world.job(ONE).phase is Phase.SUCCEEDED
    assert world.letters.letters[letter.id].state is LetterState.RESOLVED


def test_one_letter_is_discarded(world: World) -> None:
    letter = lay_event(world)
    assert call(api.discard, route={"id": letter.id}).status == 200
    assert world.letters.letters == {}


def test_a_letter_that_cannot_be_sent_again_says_why(world: World) -> None:
    letter = lay_unreadable_message(world)
    answer = call(api.replay, route={"id": letter.id})
    assert answer.status == 409
    assert "not JSON" in answer.detail


def test_many_are_counted_first_and_exactly_those_are_acted_on(world: World) -> None:
    locked, event = lay_job(world, ONE), lay_event(world)
    counted = call(api.replay_many, body={"filter": {"code": "locked"}, "dry_run": True})
    assert (counted.json["count"], counted.json["by_code"]) == (1, {"locked": 1})
    assert world.letters.letters[locked.id].state is LetterState.OPEN
    token = counted.json["token"]
    acted = call(api.replay_many, body={"filter": {"code": "locked"}, "token": token})
    assert (acted.json["done"], acted.json["not_done"]) == (1, 0)
    assert [one["id"] for one in acted.json["items"]] == [locked.id]
    assert world.letters.letters[event.id].state is LetterState.OPEN
    again = call(api.replay_many, body={"filter": {"code": "locked"}, "token": token})
    assert again.status == 409
    assert "count again" in again.detail


def test_a_count_for_one_act_does_not_do_for_another(world: World) -> None:
    lay_event(world)
    token = call(api.replay_many, body={"filter": {}, "dry_run": True}).json["token"]
    assert call(api.discard_many, body={"filter": {}, "token": token}).status == 409
    assert len(world.letters.letters) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (None, "filter is an object"),
        ({"filter": []}, "filter is an object"),
        ({"dry_run": True}, "filter is an object"),
        ({"filter": {}}, "to act on many, count them first"),
        ({"filter": {}, "token": 5}, "to act on many, count them first"),
        ({"filter": {}, "token": "x"}, "the token is not one that counting gave out"),
        ({"filter": {}, "token": "1-2-3", "dry_run": True}, "a dry run gives out a token"),
        ({"filter": {}, "dry_run": "yes"}, "dry_run is true or false"),
        ({"filter": {"colour": "red"}, "dry_run": True}, "the filter has an unknown field"),
        ({"filter": {"code": 5}, "dry_run": True}, "the filter's code is a text"),
        ({"filter": {"code": "N\x00"}, "dry_run": True}, "filter: "),
        ({"filter": {}, "dry_run": True, "force": True}, "the body has an unknown field 'force'"),
    ],
)
def test_a_wish_that_is_not_clear_does_nothing(world: World, body: object, told: str) -> None:
    lay_event(world)
    answer = call(api.discard_many, body=body)
    assert answer.status == 400
    assert answer.detail.startswith(told)
    assert len(world.letters.letters) == 1
