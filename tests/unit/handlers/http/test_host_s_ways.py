"""What the host leaves out of calls is not missed, and what it would not send is in no answer."""

import re
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.openapi import CALLS
from bootstrap import use
from handlers.http.access import ENVIRONMENT
from handlers.http.access import token_cookie as name_of_cookie
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.horrors import ANY_TEXT
from tests.support.http.served import functions
from tests.support.speed import examples

# With any other character the host answers 500, and nothing of what the app said.
SENDABLE = re.compile(r"[ -~]*")
LOCAL, DEPLOYED = "http://127.0.0.1:7071", "https://replicator.azurewebsites.net"
SERVED = {
    str(one.get_function_name()): one for one in functions() if hasattr(one.get_trigger(), "route")
}
LOOKING = {
    str(one.get_trigger().route): one
    for one in SERVED.values()
    if [method.value for method in one.get_trigger().methods] == ["GET"]
}
PARAMETERS = ("phase", "gallery", "cursor", "limit", "code", "state", "v", "group_by", "from", "x")
HEADERS = ("accept-language", "cookie", "if-none-match", "host", "origin", "x-csrf-token")
COOKIE = ANY_TEXT.map(lambda token: f"{name_of_cookie(LOCAL)}={token}")
KEY = version_id().key


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = build_world()
    world.gallery.add(version_id(), version_body())
    world.app.intake.receive(written_event(version_id()), {})
    with use(world.app), pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, "Development")
        yield world


def ask(
    function: Any,
    *,
    url: str = LOCAL,
    route: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> func.HttpResponse:
    trigger = function.get_trigger()
    answer: func.HttpResponse = function.get_user_function()(
        func.HttpRequest(
            method=trigger.methods[0].value,
            url=f"{url}/{trigger.route}",
            route_params=route or {},
            params=params or {},
            headers=headers or {},
            body=b"",
        )
    )
    return answer


CALLS_OF_ALL_KINDS = st.fixed_dictionaries(
    {
        "url": st.sampled_from((LOCAL, DEPLOYED)),
        "route": (st.sampled_from((KEY, "replications", "script.js", "%2F..%2F")) | ANY_TEXT).map(
            lambda part: dict.fromkeys(("key", "id", "name", "page", "rest"), part)
        ),
        "params": st.dictionaries(st.sampled_from(PARAMETERS), ANY_TEXT, max_size=3),
        "headers": st.dictionaries(st.sampled_from(HEADERS), ANY_TEXT | COOKIE, max_size=3),
    }
)


@pytest.mark.parametrize("name", SERVED)
@given(asked=CALLS_OF_ALL_KINDS)
@settings(max_examples=examples(20), deadline=None)
def test_every_header_of_every_answer_can_be_sent(
    world: World, name: str, asked: dict[str, Any]
) -> None:
    assert KEY in world.store.rows
    answer = ask(SERVED[name], **asked)
    for header, value in {**answer.headers, "Content-Type": answer.mimetype}.items():
        assert SENDABLE.fullmatch(header), header
        assert SENDABLE.fullmatch(value), (header, value)


@pytest.mark.usefixtures("world")
def test_a_call_with_nothing_left_for_what_takes_the_rest_is_answered() -> None:
    answer = ask(SERVED["no_such_call"])
    assert answer.status_code == 404
    assert b"there is no call GET /api/;" in answer.get_body()


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("route", "name"),
    [(call.path.strip("/"), name) for call in CALLS for name in call.params],
)
def test_a_parameter_without_a_value_is_none(route: str, name: str) -> None:
    # The host hands none over; another way to the app may.
    empty, absent = (ask(LOOKING[route], params=params) for params in ({name: ""}, {}))
    assert (empty.status_code, empty.get_body()) == (absent.status_code, absent.get_body())
