"""Any queue message is worked on, put on the desk with its raw text, or left for a newer app."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap import use
from bootstrap.app import build_app
from handlers import jobs, poison
from replication.domain.errors import TransientError
from replication.domain.job import Phase
from replication.domain.message import JobMessage
from replication.ports import QueueName
from replication.reconcile.reconciler import NEWER_DELAY_S
from replication.records.job_codec import encode_job
from replication.records.message_codec import (
    FORMAT_VERSION,
    MAX_BYTES,
    decode_message,
    encode_message,
)
from replication.records.queue_body import open_body
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import MemoryQueues, World, build_world
from tests.support.horrors import BODIES, DOCUMENTS, VALUES, every_mutation, mutations
from tests.support.speed import examples
from tests.support.storage.storable import assert_storable, letters_of
from tests.support.triggers import bodies_waiting, call_trigger, trigger

VERSION = version_id(image="broken")
PLAIN = json.loads(
    encode_message(JobMessage(image_version_id=VERSION, sequence=1, correlation_id="corr-1"))
)
NEWER = json.dumps({"v": FORMAT_VERSION + 1, "work": {"versions": [str(VERSION)]}, "größe": 1})
QUEUES = [(jobs.replicate, QueueName.JOBS), (jobs.track, QueueName.TRACKING)]
POISON = [(poison.dead_letter_jobs, QueueName.JOBS)]
POISON += [(poison.dead_letter_tracking, QueueName.TRACKING)]


@pytest.fixture
def serve() -> Iterator[Callable[[], World]]:
    """Return a function that puts a new app behind the triggers."""
    with ExitStack() as served:

        def fresh() -> World:
            world = build_world()
            world.gallery.add(VERSION, version_body())
            served.enter_context(use(world.app))
            return world

        yield fresh


def assert_healthy(world: World) -> None:
    healthy = version_id()
    world.gallery.add(healthy, version_body())
    world.app.intake.receive(written_event(healthy), {})
    world.run(steps=10_000)
    assert world.job(healthy).phase is Phase.SUCCEEDED
    assert_storable(world)


def assert_accounted_for(world: World, body: str | bytes) -> None:
    """Check that the message was worked on, lies on the desk, or is back on its queue."""
    text = body if isinstance(body, str) else body.decode("utf-8", "backslashreplace")
    letters = letters_of(world)
    on_record = VERSION.key in world.store.rows or bool(world.store.rows)
    if letters:
        (letter,) = letters
        assert letter.raw == text
        assert letter.cause
        assert letter.code == "malformed_message"
    elif text not in bodies_waiting(world):
        assert on_record or decode_message(text).key
    world.queues.waiting = [one for one in world.queues.waiting if one[3] != text]


@pytest.mark.parametrize(("function", "queue"), QUEUES)
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_message_is_on_the_desk_whole(
    serve: Callable[[], World], function: Any, queue: QueueName, body: bytes
) -> None:
    world = serve()
    trigger(function, body)
    (letter,) = letters_of(world)
    assert (letter.source, letter.raw) == (queue.value, body.decode("utf-8", "backslashreplace"))
    assert letter.cause.startswith("the message ")
    assert_healthy(world)


def test_every_horror_at_every_place_of_a_message_is_accounted_for(
    serve: Callable[[], World],
) -> None:
    world = serve()
    for name, document in every_mutation(PLAIN, VALUES):
        world.letters.letters.clear()
        text = json.dumps(document)
        trigger(jobs.replicate, text)
        read = None
        for letter in letters_of(world):
            assert letter.raw == text, name
        if not world.letters.letters and text not in bodies_waiting(world):
            read = decode_message(text)
            assert read.image_version_id == VERSION, name
        world.queues.waiting = [one for one in world.queues.waiting if one[3] != text]
    assert_healthy(world)


@given(document=mutations(PLAIN))
@settings(max_examples=examples(80))
def test_any_message_is_accounted_for(document: Any) -> None:
    world = build_world()
    world.gallery.add(VERSION, version_body())
    text = json.dumps(document)
    with use(world.app):
        trigger(jobs.track, text)
    assert_accounted_for(world, text)
    assert_healthy(world)


@pytest.mark.parametrize(("function", "queue"), POISON)
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_whatever_arrives_in_a_poison_queue_is_on_the_desk_whole(
    serve: Callable[[], World], function: Any, queue: QueueName, body: bytes
) -> None:
    world = serve()
    trigger(function, body)
    (letter,) = letters_of(world)
    assert (letter.source, letter.raw) == (queue.value, body.decode("utf-8", "backslashreplace"))
    assert_storable(world)


@pytest.mark.parametrize("sequence", [2**53, 10**15 + 1, 10**4000])
def test_a_sequence_that_no_record_has_reached_is_malformed(
    serve: Callable[[], World], sequence: int
) -> None:
    world = serve()
    trigger(jobs.replicate, json.dumps({"v": 1, "job": {**PLAIN["job"], "sequence": sequence}}))
    (letter,) = letters_of(world)
    why = "the message cannot be read: job.sequence: is not a whole number from 0 to "
    assert letter.cause.startswith(why)


@pytest.mark.parametrize(("function", "queue"), QUEUES)
@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_message_of_a_newer_release_goes_back_to_its_queue_as_it_was(
    serve: Callable[[], World], function: Any, queue: QueueName, count: int
) -> None:
    world = serve()
    trigger(function, NEWER, count=count)
    ((due, _, name, body),) = world.queues.waiting
    assert (name, body) == (queue, NEWER)
    assert due - world.clock() == timedelta(seconds=NEWER_DELAY_S)
    assert letters_of(world) == []
    assert world.store.rows == {}


@pytest.mark.parametrize("version", [2, 10, 2**31, 10**30])
@pytest.mark.parametrize("more", [{}, {"job": None}, {"job": {}}, {"padding": "x" * 3 * MAX_BYTES}])
def test_whatever_else_a_newer_message_holds_it_is_left_for_the_newer_app(
    serve: Callable[[], World], version: int, more: dict[str, Any]
) -> None:
    world = serve()
    body = json.dumps({"v": version, **more})
    trigger(jobs.replicate, body)
    assert bodies_waiting(world) == [body]
    assert letters_of(world) == []


def test_a_message_about_a_record_of_a_newer_release_goes_back_and_the_record_stays(
    serve: Callable[[], World],
) -> None:
    world = serve()
    world.app.intake.receive(written_event(VERSION), {})
    (_, _, _, body) = world.queues.waiting.pop()
    document = json.loads(encode_job(world.job(VERSION))) | {"v": 2, "later": [1]}
    row = (json.dumps(document), 77)
    world.store.rows[VERSION.key] = row
    trigger(jobs.replicate, body, count=5)
    assert bodies_waiting(world) == [body]
    assert world.store.rows[VERSION.key] == row
    assert letters_of(world) == []


def test_a_newer_message_that_cannot_be_put_back_is_kept_by_the_host(
    serve: Callable[[], World],
) -> None:
    world = serve()
    away = replace(world.app.ports, queues=_Away(world.clock))
    app = build_app(world.app.settings, world.app.policy, away)
    with use(app), pytest.raises(TransientError):
        trigger(jobs.replicate, NEWER)


class _Away(MemoryQueues):
    def put_back(self, queue: QueueName, body: str, *, delay_s: float) -> None:
        raise TransientError(f"storage: away from {queue} for {delay_s} s ({len(body)})")


def test_a_newer_message_in_a_poison_queue_is_on_the_desk_whole(
    serve: Callable[[], World],
) -> None:
    world = serve()
    trigger(poison.dead_letter_jobs, NEWER)
    (letter,) = letters_of(world)
    assert letter.raw == NEWER


def test_a_message_about_a_record_that_cannot_be_read_leaves_the_record_as_it_is(
    serve: Callable[[], World],
) -> None:
    world = serve()
    world.app.intake.receive(written_event(VERSION), {})
    (_, _, _, body) = world.queues.waiting.pop()
    for number, text in enumerate(DOCUMENTS):
        world.store.rows[VERSION.key] = (text, 77)
        world.letters.letters.clear()
        trigger(jobs.replicate, body)
        assert world.store.rows[VERSION.key] == (text, 77), number
        (letter,) = letters_of(world)
        assert letter.raw == body
        assert letter.code == "malformed_message"
        assert "the record" in letter.cause
        assert letter.image_version_id == str(VERSION)
    del world.store.rows[VERSION.key]
    assert_healthy(world)


def test_a_broken_message_names_no_attempts_that_its_body_claims(
    serve: Callable[[], World],
) -> None:
    world = serve()
    function: Any = jobs.replicate
    message = func.QueueMessage(id="1", body=b'{"dequeueCount": 99}')
    call_trigger(function, message)
    (letter,) = letters_of(world)
    assert letter.attempts == 1


@given(body=st.binary(max_size=60) | st.sampled_from(BODIES))
@settings(max_examples=examples(60))
def test_any_bytes_in_a_poison_queue_are_on_the_desk(body: bytes) -> None:
    world = build_world()
    with use(world.app):
        trigger(poison.dead_letter_tracking, body)
    (letter,) = letters_of(world)
    assert letter.raw == open_body(body)
