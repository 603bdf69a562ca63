"""The real host's queue rules on a clock that stands still."""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from localcloud.functions.config import QueueOptions
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_listener import LOCK_S, QueueListener, poison_queue_of
from localcloud.functions.queue_ports import QueueServiceError
from tests.support.localcloud.fake_queues import FakeClock, FakeQueues, refused, settle

DEFAULTS = QueueOptions(visibility_timeout_s=30)


def encoded(body: str) -> str:
    return base64.b64encode(body.encode()).decode()


@dataclass(slots=True)
class Bench:
    """A listener on a fake service; `answer` is what the function does."""

    answer: Callable[[QueueMessage], Awaitable[bool]]
    options: QueueOptions = DEFAULTS
    queue: str = "jobs"
    clock: FakeClock = field(default_factory=FakeClock)
    seen: list[int] = field(default_factory=list)
    queues: FakeQueues = field(init=False)
    listener: QueueListener = field(init=False)

    def __post_init__(self) -> None:
        self.queues = FakeQueues(self.clock, {self.queue: []})
        self.listener = QueueListener(
            queue=self.queue,
            service=self.queues,
            options=self.options,
            invoke=self._invoke,
            sleep=self.clock.sleep,
        )

    async def _invoke(self, message: QueueMessage, _body: bytes) -> bool:
        self.seen.append(message.dequeue_count)
        return await self.answer(message)

    def run(self, script: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def play() -> None:
            polling = asyncio.create_task(self.listener.run())
            await settle()
            try:
                await script()
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)

        asyncio.run(play())


async def succeed(_message: QueueMessage) -> bool:
    return True


async def fail(_message: QueueMessage) -> bool:
    return False


def held() -> tuple[Bench, asyncio.Event]:
    """Return a bench whose function works on until the event."""
    done = asyncio.Event()

    async def wait(_message: QueueMessage) -> bool:
        return await done.wait()

    return Bench(wait), done


def test_a_success_deletes_the_message() -> None:
    bench = Bench(succeed)

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(60)
        assert bench.seen == [1]
        assert bench.queues.texts("jobs") == []

    bench.run(script)


def test_a_failure_hides_the_message_for_the_visibility_timeout_until_the_tries_are_spent() -> None:
    bench = Bench(fail, QueueOptions(visibility_timeout_s=30, max_polling_interval_s=1))

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(29)
        assert bench.seen == [1]
        await bench.clock.advance(3)
        assert bench.seen == [1, 2]
        await bench.clock.advance(200)
        assert bench.seen == [1, 2, 3, 4, 5]
        assert bench.queues.texts("jobs") == []
        assert bench.queues.texts("jobs-poison") == [encoded("x")]

    bench.run(script)


def test_the_poison_queue_is_created_when_it_is_missing_and_the_copy_precedes_the_deletion() -> (
    None
):
    bench = Bench(fail, QueueOptions(max_dequeue_count=1))

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        bench.queues.calls.clear()
        await bench.clock.advance(60)
        moves = [call for call in bench.queues.calls if not call.startswith("receive")]
        assert moves == [
            "send jobs-poison",
            "create jobs-poison",
            "send jobs-poison",
            "delete jobs",
        ]

    bench.run(script)


def test_a_message_taken_more_often_than_allowed_is_buried_without_a_call() -> None:
    bench = Bench(succeed)

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        # As a host that died five times over it would have left it.
        bench.queues.queues["jobs"][0].dequeue_count = 5
        await bench.clock.advance(60)
        assert bench.seen == []
        assert bench.queues.texts("jobs-poison") == [encoded("x")]

    bench.run(script)


def test_a_body_that_is_not_base64_is_buried_at_once_and_served_when_no_encoding_is_set() -> None:
    strict = Bench(succeed)

    async def buried() -> None:
        await strict.queues.send("jobs", "plain text")
        await strict.clock.advance(60)
        assert strict.seen == []
        assert strict.queues.texts("jobs-poison") == ["plain text"]

    strict.run(buried)
    plain = Bench(succeed, QueueOptions(base64=False))

    async def served() -> None:
        await plain.queues.send("jobs", "plain text")
        await plain.clock.advance(60)
        assert plain.seen == [1]

    plain.run(served)


def test_a_poison_queue_has_no_poison_queue_and_its_failures_return_when_their_lock_ends() -> None:
    bench = Bench(fail, queue="jobs-poison")

    async def script() -> None:
        await bench.queues.send("jobs-poison", encoded("x"))
        bench.queues.queues["jobs-poison"][0].dequeue_count = 9
        await bench.clock.advance(LOCK_S - 1)
        assert bench.seen == [10]
        await bench.clock.advance(120)
        assert bench.seen == [10, 11]
        assert list(bench.queues.queues) == ["jobs-poison"]

    bench.run(script)


@pytest.mark.parametrize(
    ("queue", "poison"),
    [("a", "a-poison"), ("a-poison", None), ("q" * 56, "q" * 56 + "-poison"), ("q" * 57, None)],
)
def test_poison_queues_are_named_where_they_can_be(queue: str, poison: str | None) -> None:
    assert poison_queue_of(queue) == poison


def test_the_lock_is_renewed_at_half_its_time_and_the_last_receipt_counts() -> None:
    bench, done = held()

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(3 * LOCK_S)
        assert bench.seen == [1]
        assert bench.queues.calls.count("hide jobs") in (5, 6)
        done.set()
        await settle()
        assert bench.queues.texts("jobs") == []

    bench.run(script)


def test_a_renewal_that_fails_ends_the_listener_and_the_message_is_settled_all_the_same() -> None:
    bench, done = held()

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        bench.queues.errors["hide"] = [refused(403, "AuthorizationFailure")]
        polling = asyncio.create_task(bench.listener.run())
        await bench.clock.advance(LOCK_S / 2)
        with pytest.raises(QueueServiceError, match="403 AuthorizationFailure"):
            await polling
        done.set()
        await settle()
        assert bench.queues.texts("jobs") == []

    asyncio.run(script())


def test_a_message_that_someone_else_took_is_left_to_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench, done = held()

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(1)
        bench.queues.queues["jobs"][0].receipt = "theirs"
        await bench.clock.advance(2 * LOCK_S - 600)
        renewals = bench.queues.calls.count("hide jobs")
        done.set()
        await settle()
        assert renewals == 1
        assert bench.queues.texts("jobs") == [encoded("x")]

    with caplog.at_level(logging.WARNING):
        bench.run(script)
    assert "no longer ours" in caplog.text


def test_a_new_batch_waits_until_the_running_ones_fall_to_the_threshold() -> None:
    gates: list[asyncio.Event] = []

    async def wait(_message: QueueMessage) -> bool:
        gates.append(asyncio.Event())
        return await gates[-1].wait()

    bench = Bench(wait, QueueOptions(batch_size=4, new_batch_threshold=2))

    async def script() -> None:
        for n in range(12):
            await bench.queues.send("jobs", encoded(str(n)))
        await bench.clock.advance(1)
        assert len(gates) == 4
        gates[0].set()
        await settle()
        assert len(gates) == 4
        gates[1].set()
        await settle()
        assert len(gates) == 8
        for gate in gates:
            gate.set()
        await settle()
        assert len(gates) == 12
        for gate in gates:
            gate.set()
        await settle()

    bench.run(script)


def test_a_missing_queue_is_polled_with_growing_pauses_and_not_created() -> None:
    bench = Bench(succeed, QueueOptions(max_polling_interval_s=5))
    del bench.queues.queues["jobs"]

    async def script() -> None:
        await bench.clock.advance(60)
        assert bench.clock.slept[0] == 0.1
        assert bench.clock.slept[-1] == 5
        assert bench.queues.queues == {}
        await bench.queues.create("jobs")
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(5)
        assert bench.seen == [1]

    bench.run(script)


def test_a_service_in_trouble_is_reported_once_and_its_return_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(succeed)
    bench.queues.errors["receive"] = [refused(503, "ServerBusy") for _ in range(3)]

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(60)
        assert bench.seen == [1]

    with caplog.at_level(logging.WARNING):
        bench.run(script)
    assert [record.message.split(": ", 1)[1] for record in caplog.records] == [
        "answered 503 ServerBusy; trying again until it answers",
        "the storage answers again",
    ]


ENDS = [
    refused(400, "InvalidQueryParameterValue"),
    refused(403, "AuthenticationFailed"),
    refused(404, "ResourceNotFound"),
    refused(409, "QueueDisabled"),
    refused(429, "TooManyRequests"),
    QueueServiceError("no answer"),
]
NOT_OURS = [
    refused(400, "PopReceiptMismatch"),
    refused(404, "MessageNotFound"),
    refused(404, "QueueNotFound"),
    refused(409, "QueueBeingDeleted"),
]


@pytest.mark.parametrize("error", NOT_OURS, ids=str)
def test_a_message_that_is_no_longer_ours_is_left_and_the_next_is_served(error: Exception) -> None:
    bench = Bench(succeed)
    bench.queues.errors["delete"] = [error]

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(60)
        await bench.queues.send("jobs", encoded("y"))
        await bench.clock.advance(60)
        assert bench.seen == [1, 1]

    bench.run(script)


@pytest.mark.parametrize("error", [*ENDS, refused(500, "InternalError")], ids=str)
def test_a_message_that_cannot_be_settled_ends_the_listener(error: Exception) -> None:
    assert_ends(succeed, "delete", error)
    assert_ends(fail, "hide", error)


@pytest.mark.parametrize("operation", ["exists", "receive"])
@pytest.mark.parametrize("error", ENDS, ids=str)
def test_a_poll_that_cannot_pass_ends_the_listener(operation: str, error: Exception) -> None:
    assert_ends(succeed, operation, error)


def assert_ends(
    answer: Callable[[QueueMessage], Awaitable[bool]], operation: str, error: Exception
) -> None:
    bench = Bench(answer)
    bench.queues.errors[operation] = [error]

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        polling = asyncio.create_task(bench.listener.run())
        await settle()
        with pytest.raises(QueueServiceError) as ended:
            await polling
        assert ended.value is error
        calls = len(bench.queues.calls)
        await bench.clock.advance(60)
        assert len(bench.queues.calls) == calls

    asyncio.run(script())


def test_what_a_receive_took_that_the_stop_breaks_off_stays_hidden_for_its_lock() -> None:
    bench = Bench(succeed)
    bench.queues.answer_gate = asyncio.Event()

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        polling = asyncio.create_task(bench.listener.run())
        await settle()
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        (stored,) = bench.queues.queues["jobs"]
        assert (stored.visible_at_s, stored.dequeue_count, bench.seen) == (LOCK_S, 1, [])

    asyncio.run(script())


def test_burying_wakes_the_poison_queues_own_listener() -> None:
    bench = Bench(fail, QueueOptions(max_dequeue_count=1))
    bench.listener.wakers = {"jobs-poison": asyncio.Event()}

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(60)
        assert bench.listener.wakers["jobs-poison"].is_set()

    bench.run(script)


def test_a_waker_ends_the_wait() -> None:
    bench = Bench(succeed, QueueOptions(max_polling_interval_s=3600))
    waker = asyncio.Event()
    bench.listener.wakers = {"jobs": waker}

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        waker.set()
        await settle()
        assert bench.seen == [1]

    bench.run(script)


def test_draining_waits_for_what_runs() -> None:
    bench, gate = held()

    async def script() -> None:
        await bench.queues.send("jobs", encoded("x"))
        await bench.clock.advance(1)
        draining = asyncio.create_task(bench.listener.drain())
        await settle()
        assert not draining.done()
        gate.set()
        await draining
        assert bench.queues.texts("jobs") == []

    bench.run(script)
