"""Events by queue: each is taken in, or kept with what arrived, whatever its message looks like."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap import use
from handlers.events import image_version_event_queue
from handlers.poison import dead_letter_events
from replication.dead_letters.desk import without_person
from replication.domain.errors import TransientError
from replication.domain.image_version import ImageVersionId
from replication.ports import LetterAction
from tests.support.any_events import EVENTS
from tests.support.builders import SUBSCRIPTION, version_body, version_id
from tests.support.fakes import World, build_world
from tests.support.horrors import BODIES, mutations
from tests.support.speed import examples
from tests.support.storage.storable import assert_storable, letters_of
from tests.support.triggers import trigger

QUEUE = "replication-events"


@pytest.fixture
def world() -> Iterator[World]:
    world = build_world()
    with use(world.app):
        yield world


def event(image: str = "maths", *, cloud: bool = False, **data: Any) -> dict[str, Any]:
    target = str(version_id(image=image))
    known = {"imageVersionId": target, **data}
    of = {"id": f"export-{image}", "subject": "labs/x", "data": known}
    if cloud:
        kind = "GalleryReplicator.TemplateExported"
        return {"specversion": "1.0", "source": "/labs/x", "type": kind, **of}
    topic = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r"
    kind = "GalleryReplicator.TemplateExported"
    return {"topic": topic, "eventType": kind, "eventTime": "2026-11-23T08:00:00Z", **of}


def add(world: World, *images: str) -> tuple[ImageVersionId, ...]:
    ids = tuple(version_id(image=image) for image in images)
    for one in ids:
        world.gallery.add(one, version_body())
    return ids


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def wrapped(document: Any) -> bytes:
    """Return base64 in lines, as GNU's tool writes it."""
    return base64.encodebytes(as_json(document))


@pytest.mark.parametrize("write", [as_json, wrapped])
@pytest.mark.parametrize("cloud", [True, False])
def test_one_event_or_an_array_is_taken_in(world: World, *, write: Any, cloud: bool) -> None:
    maths, art, music = add(world, "maths", "art", "music")
    trigger(image_version_event_queue, write(event(cloud=cloud)))
    trigger(image_version_event_queue, write([event("art", cloud=cloud), event("music")]))
    assert world.store.rows.keys() == {maths.key, art.key, music.key}
    assert letters_of(world) == []
    trigger(image_version_event_queue, write([event("art"), event("music")]))
    assert len(world.store.rows) == 3


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_holds_no_event_is_kept(world: World, body: bytes) -> None:
    trigger(image_version_event_queue, body)
    (letter,) = letters_of(world)
    shown = body.decode("utf-8", "backslashreplace")
    assert (letter.code, letter.raw) == ("malformed_message", without_person(shown))
    assert letter.cause
    assert_storable(world)


@pytest.mark.parametrize(
    "body", [b"no json", b"\xff\xfe", b'{"id": ', b"bm8ganNvbg==", b"[]", b"7"]
)
def test_a_body_that_is_no_json_is_kept_as_it_arrived(world: World, body: bytes) -> None:
    trigger(image_version_event_queue, body)
    (letter,) = letters_of(world)
    assert (letter.source, letter.code) == (QUEUE, "malformed_message")
    shown = {b"bm8ganNvbg==": "no json"}.get(body, body.decode("utf-8", "backslashreplace"))
    assert letter.raw == shown
    taken = world.app.dead_letters.act(letter.id, LetterAction.REPLAY, by="ann")
    assert (taken.done, "the kept event is not" in taken.reason) == (False, True)


def test_what_is_no_event_is_kept_and_holds_up_no_other(world: World) -> None:
    (maths,) = add(world, "maths")
    wrong = event("art", imageVersionId=f"{maths}.4", claims={"name": "Casey Teacher"})
    trigger(
        image_version_event_queue, as_json([1, wrong, ["x", {"claims": {"n": "Casey"}}], event()])
    )
    assert world.store.rows.keys() == {maths.key}
    letters = letters_of(world)
    assert {letter.code for letter in letters} == {"malformed_event"}
    assert len(letters) == 3
    assert "Casey" not in "".join(letter.raw for letter in letters)


def test_what_is_no_json_is_kept_up_to_where_it_may_describe_a_person(world: World) -> None:
    body = as_json(event(claims={"name": "Casey Teacher"}))[:-1]
    for function in (image_version_event_queue, dead_letter_events):
        trigger(function, body)
        (letter,) = letters_of(world)
        assert letter.raw.startswith('{"topic": ')
        assert "Casey" not in letter.raw


def test_an_event_that_fails_comes_again_with_its_message_and_holds_up_no_other(
    world: World,
) -> None:
    maths, art = add(world, "maths", "art")
    world.gallery.read_failures.append(TransientError("Azure is away"))
    body = as_json([event(), event("art")])
    with pytest.raises(TransientError):
        trigger(image_version_event_queue, body)
    assert world.store.rows.keys() == {art.key}
    trigger(image_version_event_queue, body, count=2)
    assert world.store.rows.keys() == {maths.key, art.key}


def test_each_event_of_a_message_that_was_given_up_is_kept_and_can_be_sent_again(
    world: World,
) -> None:
    maths, art = add(world, "maths", "art")
    trigger(
        dead_letter_events, wrapped([event(claims={"name": "Casey"}), event("art", cloud=True)])
    )
    letters = letters_of(world)
    assert {(one.source, one.code, one.attempts) for one in letters} == {
        (QUEUE, "poison_message", 5)
    }
    assert {one.correlation_id for one in letters} == {"export-maths", "export-art"}
    assert "Casey" not in "".join(one.raw for one in letters)
    assert world.store.rows == {}
    for letter in letters:
        assert world.app.dead_letters.act(letter.id, LetterAction.REPLAY, by="ann").done
    assert world.store.rows.keys() == {maths.key, art.key}


def test_what_cannot_be_kept_stands_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_letter: object) -> None:
        raise TransientError("the table is away")

    monkeypatch.setattr(world.letters, "put", fail)
    trigger(dead_letter_events, as_json(event()))
    assert "dead_letter.unkept" in caplog.text
    assert "export-maths" in caplog.text


@given(
    document=st.lists(st.sampled_from(EVENTS).flatmap(mutations), max_size=3)
    | st.sampled_from(EVENTS).flatmap(mutations),
    write=st.sampled_from([as_json, wrapped]),
)
@settings(max_examples=examples(60))
def test_any_message_ends_well_or_as_letters_and_its_poison_always_as_letters(
    document: Any, write: Any
) -> None:
    world = build_world()
    add(world, "broken")
    with use(world.app):
        trigger(image_version_event_queue, write(document))
        assert all(one.code.startswith("malformed_") for one in letters_of(world))
        assert_storable(world)
        world.letters.letters.clear()
        trigger(dead_letter_events, write(document))
    assert letters_of(world)
    assert_storable(world)
