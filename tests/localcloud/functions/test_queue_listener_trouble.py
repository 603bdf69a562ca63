"""What a queue listener does when its queue is missing, its service is in trouble, or it stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from localcloud.functions.config import QueueOptions
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_listener import LOCK_S
from localcloud.functions.queue_ports import QueueServiceError
from tests.support.localcloud.fake_queues import refused, settle
from tests.support.localcloud.listener_bench import Bench, encoded, fail, held, succeed


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
