"""The real host's queue rules on a clock that stands still."""

import asyncio
import logging

import pytest

from localcloud.functions.config import QueueOptions
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_listener import LOCK_S, poison_queue_of
from localcloud.functions.queue_ports import QueueServiceError
from tests.support.localcloud.fake_queues import refused, settle
from tests.support.localcloud.listener_bench import Bench, encoded, fail, held, succeed


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
