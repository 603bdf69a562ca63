"""What a deployed app, or something in its place, may answer; a command is never lost for words."""

import io
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rich.console import Console, RenderableType

from api.schemas.base import Answer, ShapeError
from api.schemas.costs import CostReport
from api.schemas.dead_letters import LetterDetail
from api.schemas.operations import QueueList
from api.schemas.replications import ReplicationDetail
from cli.client.address import Remote
from cli.client.http import Api, open_api
from cli.tables.costs import report_tables
from cli.tables.dead_letters import letter_detail, letter_list
from cli.tables.progress import progress_picture
from cli.tables.replications import queue_list, replication_detail, replication_list
from costs.report.query import read_report_query
from replication.ports import QueueName
from tests.support.builders import version_body, version_id
from tests.support.costs.trouble import world_of_trouble
from tests.support.fakes import World
from tests.support.http.serving import Canned, Site
from tests.support.letter_worlds import lay_job
from tests.support.shell import Shell

KEY = version_id().key
LONG = "x" * 65_536
NASTY = "a\x00b\x1b[31mc\u202ed\ud800"


def canned(body: Any, *, status: int = 200, media_type: str = "application/json") -> Canned:
    return Canned(status=status, body=json.dumps(body).encode(), media_type=media_type)


def problem(status: int, detail: str) -> Canned:
    body = {"type": "about:blank", "title": "x", "status": status, "detail": detail}
    return canned(body, status=status, media_type="application/problem+json")


@pytest.mark.parametrize("media_type", ["text/html", "text/html; charset=utf-8", "TEXT/HTML"])
def test_a_page_to_sign_in_at_is_named_as_such(far: Shell, site: Site, media_type: str) -> None:
    site.canned = [Canned(body=b"<html><title>Sign in</title></html>", media_type=media_type)]
    answer = far("status", "--json")
    assert (answer.code, answer.out) == (1, "")
    assert (
        "answers with a web page and not with JSON; it looks like a page to sign in" in answer.err
    )
    assert "<html>" not in answer.err


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"items": [NaN], "next": null}'],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_object_is_said(far: Shell, site: Site, body: bytes) -> None:
    site.canned = [Canned(body=body)]
    answer = far("status")
    assert (answer.code, answer.out) == (1, "")
    assert "answers with something that is no JSON object; is it the app?" in answer.err


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "the answer lacks 'items'"),
        ({"items": {}, "next": None}, "the answer.items is no list"),
        ({"items": [5], "next": None}, "the answer.items[0] is no object"),
        ({"items": [{"key": 5}], "next": None}, "the answer.items[0] lacks 'image_version_id'"),
        ({"items": [], "next": 5}, "the answer.next is 5"),
    ],
)
def test_an_answer_of_another_shape_says_where(
    far: Shell, site: Site, body: Any, said: str
) -> None:
    site.canned = [canned(body)]
    answer = far("status")
    assert (answer.code, answer.out) == (1, "")
    assert said in answer.err
    assert "is it the app, and of this release?" in answer.err


def replication(world: World) -> dict[str, Any]:
    world.gallery.add(version_id(), version_body())
    world.app.intake.request(version_id(), trigger="a test", correlation_id="corr-1")
    world.run()
    view = world.app.queries.replication(KEY)
    assert view is not None
    return view.document()


def changes(value: Any) -> list[Any]:
    """Return copies of a document, in each of which one value is of no use."""
    if isinstance(value, dict):
        return [
            *({k: v for k, v in value.items() if k != name} for name in value),
            *({**value, name: one} for name, inner in value.items() for one in changes(inner)),
        ]
    if isinstance(value, list):
        return [[one, *value[1:]] for one in changes(value[0])] if value else [[[]]]
    return [[], {}, True if isinstance(value, (int, float)) else 5.5, NASTY, None]


def shown(
    value: Any, schema: type[Answer], draw: Callable[[Any], Sequence[RenderableType]]
) -> bool:
    """Tell whether a value passes for an answer; what passes can be shown without harm."""
    try:
        answer = schema.of_document(value)
    except ShapeError:
        return False
    console = Console(width=200, file=io.StringIO(), highlight=False)
    with console.capture() as captured:
        console.print(*draw(answer))
    assert not set("\x00\x1b\u202e") & set(captured.get())
    return True


@pytest.mark.slow
def test_whatever_one_value_is_it_is_refused_or_can_be_shown(world: World) -> None:
    view, now = replication(world), world.clock()
    view = {**view, "regions": view["regions"][:1], "history": view["history"][:1]}

    def draw(value: Any) -> list[RenderableType]:
        return [
            *replication_detail(value, command="gallery-replicator"),
            replication_list([value], stacked=True),
            progress_picture(value, now=now),
        ]

    assert shown(view, ReplicationDetail, draw)
    results = {shown(one, ReplicationDetail, draw) for one in changes(view)}
    assert results == {True, False}


def test_whatever_one_value_of_a_letter_is_it_is_refused_or_can_be_shown(world: World) -> None:
    view, now = LetterDetail.whole(lay_job(world, version_id())).document(), world.clock()
    view = {**view, "timeline": view["timeline"][:1]}

    def draw(value: Any) -> list[RenderableType]:
        return [*letter_detail(value, now=now), letter_list([value], now=now, stacked=False)]

    assert shown(view, LetterDetail, draw)
    assert {shown(one, LetterDetail, draw) for one in changes(view)} == {True, False}


def test_whatever_one_value_of_a_queue_is_it_is_refused_or_can_be_shown(world: World) -> None:
    world.app.pauses.pause(QueueName.JOBS, by="a test", reason="x")
    view = world.app.queries.queue_depths().document()

    def draw(value: Any) -> list[RenderableType]:
        return [queue_list(value.items)]

    assert {shown(one, QueueList, draw) for one in changes(view)} == {True, False}


def test_long_and_steering_text_is_shown_escaped_and_as_json_as_it_is(
    world: World, far: Shell, site: Site
) -> None:
    view = {**replication(world), "reason": LONG + NASTY}
    site.canned = [canned(view), canned(view)]
    shown = far("status", KEY).out
    assert f"Reason         {LONG}a\\x00b\\x1b[31mc\\u202ed\\ud800" in shown.splitlines()
    assert far("status", KEY, "--json").json["reason"] == LONG + NASTY


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (404, 3), (409, 1), (411, 2), (413, 2), (418, 1), (500, 1), (503, 1)],
)
def test_problem_details_become_a_sentence_and_an_exit_code(
    far: Shell, site: Site, status: int, code: int
) -> None:
    site.canned = [problem(status, f"two\nlines \x1b[2J {LONG}") for _ in range(3)]
    answer = far("queues")
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith("Error: two lines \\x1b[2J xxx")
    assert len(answer.err) < 1100
    assert len(answer.err.splitlines()) == 1


def test_an_address_without_these_calls_is_not_taken_for_a_missing_replication(
    far: Shell, site: Site
) -> None:
    site.canned = [Canned(status=404, body=b"<html>", media_type="text/html")]
    answer = far("status", KEY)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        f"Error: {site.root} has no such call: is it the app, and of this release?\n"
    )


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_looking_is_tried_again(world: World, far: Shell, site: Site, status: int) -> None:
    site.canned = [Canned(status=status, body=b"")]
    assert far("queues", "--json").json == world.app.queries.queue_depths().document()
    assert len(site.seen) == 2


def test_looking_is_not_tried_again_for_ever(far: Shell, site: Site) -> None:
    site.canned = [Canned(status=502, body=b"") for _ in range(10)]
    answer = far("queues")
    assert (answer.code, len(site.seen)) == (1, 3)
    assert answer.err == f"Error: {site.root} answers 502, and the app does not say why\n"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
def test_acting_is_never_tried_again(
    world: World, far: Shell, site: Site, status: int, headers: dict[str, str]
) -> None:
    site.canned = [Canned(status=status, body=b"", headers=headers)]
    answer = far("queues", "pause", "replication-jobs")
    assert (answer.code, len(site.seen)) == (1, 1)
    assert world.app.pauses.all() == {}


def impatient(remote: Remote) -> Api:
    return open_api(remote.url, scope=None, key=None, timeout_s=0.2)


@pytest.mark.slow
def test_an_app_that_does_not_answer_in_time_is_a_sentence(far: Shell, site: Site) -> None:
    over = Event()
    far.surroundings["open_api"] = impatient
    site.canned = [Canned(before=lambda: over.wait(20)) for _ in range(3)]
    try:
        answer = far("status")
    finally:
        over.set()
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        f"Error: {site.root} was asked and gave no whole answer: no answer in time\n"
    )


def test_an_act_without_an_answer_says_that_nobody_knows(far: Shell, site: Site) -> None:
    body = b'{"name": "replication-jobs"'
    site.canned = [Canned(body=body, headers={"Content-Length": "9999"})]
    answer = far("queues", "pause", "replication-jobs")
    assert (answer.code, answer.out) == (1, "")
    assert "whether it was done is not known, look before you ask again" in answer.err


def test_a_long_pause_that_the_app_asks_for_is_cut_short() -> None:
    slept: list[float] = []

    class Remembering:
        def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    class Answer:
        def __init__(self, headers: dict[str, str]) -> None:
            self.headers = headers

        def close(self) -> None:
            """Hold nothing."""

    with open_api("http://127.0.0.1:9", scope=None, key=None, timeout_s=1) as api:
        retry: Any = api.client._pipeline._impl_policies[1]
        response: Any = type("Response", (), {})()
        response.http_response = Answer({"Retry-After": "3600"})
        retry.sleep({"history": [], "backoff": 1, "max_backoff": 1}, Remembering(), response)
    assert slept == [10.0]


def test_nobody_at_the_address_is_a_sentence(closed_shell: Shell) -> None:
    began = time.monotonic()
    answer = closed_shell("--url", "http://127.0.0.1:9", "status")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == ("Error: http://127.0.0.1:9 cannot be reached: nobody listens there\n")
    assert time.monotonic() - began < 60


def test_an_answer_without_end_is_cut_off(far: Shell, site: Site) -> None:
    site.canned = [Canned(body=b" " * (32 * 1024 * 1024 + 1))]
    answer = far("status")
    assert (answer.code, answer.out) == (1, "")
    assert "is longer than 33554432 bytes" in answer.err


@pytest.mark.slow
def test_whatever_one_value_of_a_report_is_it_is_refused_or_can_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    app = world_of_trouble().app
    query = read_report_query(today=app.ports.clock().date(), limit=1)
    view = app.costs.report(query)

    def draw(value: Any) -> Sequence[RenderableType]:
        return report_tables(value.document())

    assert shown(view, CostReport, draw)
    assert {shown(one, CostReport, draw) for one in changes(view)} == {True, False}
