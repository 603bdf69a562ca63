"""Whatever lies in a queue goes its way through the host: it is done, or on the desk, never lost.

The host's part is the local host's: its listeners, over queues and a clock in memory.
"""

import asyncio
import base64
import json
import textwrap
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.schemas.dead_letters import LetterDetail
from bootstrap import use
from localcloud.functions.catalog import QueueTrigger, ServedFunction
from localcloud.functions.config import load_host_config
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_listener import QueueListener
from replication.domain.message import JobMessage
from replication.ports import DeadLetter, QueueName
from replication.records.message_codec import encode_message
from tests.support.builders import version_body, version_id
from tests.support.documents import PROJECT
from tests.support.fakes import World, build_world
from tests.support.localcloud.fake_queues import FakeClock, FakeQueues
from tests.support.queue_functions import queue_functions, succeeds
from tests.support.speed import examples
from tests.support.storage.storable import assert_storable, letters_of
from tests.support.triggers import bodies_waiting

OPTIONS = load_host_config(PROJECT, development=False).queues
VERSION = version_id()
GOOD = encode_message(JobMessage(image_version_id=VERSION, sequence=1, correlation_id="corr-1"))
NEWER = json.dumps({"v": 2, "work": str(VERSION)})
TAKEN = {  # names that the host would read out of a body that it takes for text
    "id": {"a": 1},
    "dequeueCount": "99",
    "insertionTime": "yesterday",
    "expirationTime": [],
    "nextVisibleTime": 0,
    "popReceipt": None,
}
NAMED = json.dumps(TAKEN | json.loads(GOOD))


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def wrapped(body: bytes) -> str:
    """Return base64 as GNU's program writes it."""
    return textwrap.fill(encoded(body), 76) + "\n"


def walk(text: str, queue: str, *, dies: bool) -> None:
    """Put a text into a queue and let the host work on it; `dies`: no worker outlives it."""

    def invoke(one: ServedFunction, trigger: QueueTrigger) -> Callable[..., Awaitable[bool]]:
        async def call(message: QueueMessage, body: bytes) -> bool:
            if dies and not one.name.startswith("dead_letter"):
                return False
            return succeeds(one, trigger, message, body)

        return call

    async def play() -> None:
        clock = FakeClock()
        queues = FakeQueues(clock)
        listeners = []
        for one, bound in queue_functions():
            queues.queues[bound.queue] = []
            listeners.append(
                QueueListener(
                    queue=bound.queue,
                    service=queues,
                    options=OPTIONS,
                    invoke=invoke(one, bound),
                    sleep=clock.sleep,
                )
            )
        await queues.send(queue, text)
        polling = [asyncio.create_task(one.run()) for one in listeners]
        await clock.advance(300)  # five tries, and the way over the poison queue
        for task in polling:
            task.cancel()
        await asyncio.gather(*polling, return_exceptions=True)
        assert {name: queues.texts(name) for name in queues.queues if queues.texts(name)} == {}

    asyncio.run(play())


def holds(letter: DeadLetter, text: str) -> bool:
    """Tell whether a letter holds what arrived: as it was, or what was in its base64."""
    return letter.raw == text or encoded(letter.raw.encode()) == "".join(text.split())


def assert_none_is_lost(world: World, text: str) -> None:
    letters = letters_of(world)
    if not letters:
        assert VERSION.key in world.store.rows or bodies_waiting(world)
        return
    (letter,) = letters
    assert holds(letter, text)
    assert letter.cause
    shown = json.dumps(LetterDetail.whole(letter).document())
    assert json.loads(shown)["raw"] == letter.raw
    assert_storable(world)


# What XML, and so a queue, can hold.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n")
TEXT = st.text(CHARACTERS, max_size=60)
INNER = (
    st.sampled_from([GOOD, NAMED, NEWER, json.dumps(TAKEN), "[]", "null", "7", '"', "", "\ufeff{}"])
    | st.just("\ufeff" + GOOD)
    | st.just(GOOD[:-1])
    | st.just(json.dumps({**json.loads(GOOD), "padding": "x" * 9000}))
    | TEXT
)
BYTES = (
    INNER.map(str.encode)
    | st.binary(max_size=60)
    | st.sampled_from([b"a\0b", b"\0", b"\xff\xfe", GOOD.encode("utf-16"), b"\xff" * 40_000])
)
BODY = INNER | BYTES.map(encoded) | BYTES.map(wrapped) | BYTES.map(lambda body: encoded(body)[:-1])


@given(
    text=BODY,
    queue=st.sampled_from([f"{one.value}{end}" for one in QueueName for end in ("", "-poison")]),
    dies=st.booleans(),
)
@settings(max_examples=examples(150), deadline=None)
def test_any_body_in_any_queue_is_done_or_on_the_desk(text: str, queue: str, *, dies: bool) -> None:
    world = build_world()
    world.gallery.add(VERSION, version_body())
    with use(world.app):
        walk(text, queue, dies=dies)
    assert_none_is_lost(world, text)


@pytest.mark.parametrize("text", [GOOD, encoded(GOOD.encode()), wrapped(GOOD.encode()), NAMED])
def test_a_message_is_taken_in_either_form_and_whatever_else_it_names(text: str) -> None:
    world = build_world()
    world.gallery.add(VERSION, version_body())
    with use(world.app):
        walk(text, QueueName.JOBS.value, dies=False)
    assert letters_of(world) == []
    assert VERSION.key in world.store.rows


@pytest.mark.parametrize("text", ["not base64!", encoded(b"\xff\xfe"), json.dumps(TAKEN), " "])
def test_what_is_no_message_is_on_the_desk_after_one_try(text: str) -> None:
    world = build_world()
    with use(world.app):
        walk(text, QueueName.TRACKING.value, dies=False)
    (letter,) = letters_of(world)
    assert (letter.code, letter.attempts, letter.raw) == ("malformed_message", 1, text)


@pytest.mark.parametrize("text", ["not base64!", encoded(b"\xff\xfe"), json.dumps(TAKEN), " "])
def test_what_no_worker_outlives_is_on_the_desk_in_the_end(text: str) -> None:
    world = build_world()
    with use(world.app):
        walk(text, QueueName.TRACKING.value, dies=True)
    (letter,) = letters_of(world)
    assert (letter.source, letter.raw) == (QueueName.TRACKING.value, text)
