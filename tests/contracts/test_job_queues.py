"""The contract of JobQueues: delays, depths, and bodies that the host can read."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bootstrap.adapters import utc_now
from replication.azure.storage.queues import MAX_DELAY_S, StorageJobQueues
from replication.domain.message import JobMessage
from replication.ports import QueueName
from replication.records.message_codec import decode_message
from tests.support.builders import version_id
from tests.support.localcloud.hosts import eventually
from tests.support.storage.emulator import Emulator, QueuesUnderTest


def message(sequence: int = 1) -> JobMessage:
    return JobMessage(image_version_id=version_id(), sequence=sequence, correlation_id="corr-1")


def test_a_message_is_visible_at_once_and_reads_as_it_was_sent(queues: QueuesUnderTest) -> None:
    queues.port.send(QueueName.JOBS, message())
    (body,) = queues.visible(QueueName.JOBS)
    assert decode_message(body) == message()


def test_the_queues_are_apart(queues: QueuesUnderTest) -> None:
    queues.port.send(QueueName.JOBS, message(1))
    queues.port.send(QueueName.TRACKING, message(2))
    (body,) = queues.visible(QueueName.TRACKING)
    assert decode_message(body).sequence == 2


def test_a_message_is_hidden_until_its_delay_is_over(queues: QueuesUnderTest) -> None:
    queues.port.send(QueueName.JOBS, message(), delay_s=1)
    assert queues.visible(QueueName.JOBS) == []
    queues.pass_time(1)
    assert eventually(lambda: queues.visible(QueueName.JOBS), within_s=10)


def test_a_fraction_of_a_second_is_never_cut_off(queues: QueuesUnderTest) -> None:
    queues.port.send(QueueName.JOBS, message(), delay_s=0.2)
    assert queues.visible(QueueName.JOBS) == []


def test_a_delay_below_zero_is_none(queues: QueuesUnderTest) -> None:
    queues.port.send(QueueName.JOBS, message(), delay_s=-5)
    assert len(queues.visible(QueueName.JOBS)) == 1


def test_queues_that_do_not_exist_yet_are_empty(queues: QueuesUnderTest) -> None:
    depths = queues.port.depths()
    assert [one.name for one in depths] == [queue.value for queue in QueueName]
    assert {(one.depth, one.invisible, one.poison_depth) for one in depths} == {(0, 0, 0)}
    assert {one.oldest_age_s for one in depths} == {None}


def test_depths_tell_hidden_messages_from_visible_ones(queues: QueuesUnderTest) -> None:
    queues.port.send(QueueName.JOBS, message(1))
    queues.port.send(QueueName.JOBS, message(2))
    queues.port.send(QueueName.JOBS, message(3), delay_s=600)
    jobs, tracking, _ = queues.port.depths()
    assert (jobs.depth, jobs.invisible) == (3, 1)
    assert jobs.oldest_age_s is not None
    assert 0 <= jobs.oldest_age_s < 60
    assert tracking.depth == 0


def test_the_age_of_a_message_begins_when_it_is_due(queues: QueuesUnderTest) -> None:
    began_s = time.monotonic()
    queues.port.send(QueueName.TRACKING, message(), delay_s=2)
    queues.pass_time(2.2)
    until_s = time.monotonic() + 20
    tracking = queues.port.depths()[1]
    while tracking.oldest_age_s is None and time.monotonic() < until_s:
        queues.pass_time(0.1)
        tracking = queues.port.depths()[1]
    assert tracking.oldest_age_s is not None
    # What a busy machine adds, and the second to which the storage tells times.
    late_s = max(0.0, time.monotonic() - began_s - 2)
    assert tracking.oldest_age_s <= late_s + 1.1


def test_a_message_that_is_not_ours_hides_no_queue_from_sight(
    azurite_queues: QueuesUnderTest, emulator: Emulator
) -> None:
    azurite_queues.port.send(QueueName.JOBS, message())
    with emulator.queues.get_queue_client(QueueName.JOBS.value) as client:
        client.send_message("not base64!")
        client.send_message(base64.b64encode(b"\xff\x00").decode())
    jobs = azurite_queues.port.depths()[0]
    assert (jobs.depth, jobs.invisible) == (3, 0)
    assert jobs.oldest_age_s is not None


@pytest.mark.parametrize("delay_s", [0, 600])
def test_a_message_never_expires(
    azurite_queues: QueuesUnderTest, emulator: Emulator, delay_s: float
) -> None:
    azurite_queues.port.send(QueueName.JOBS, message(), delay_s=delay_s)
    with emulator.queues.get_queue_client(QueueName.JOBS.value) as client:
        sent = client.send_message("x", time_to_live=-1)
        for one in client.peek_messages(max_messages=32):
            assert one.expires_on is not None
            assert one.expires_on.year == 9999
        assert sent.expires_on is not None


def test_the_body_is_base64_of_json_as_the_host_expects(
    azurite_queues: QueuesUnderTest, emulator: Emulator
) -> None:
    azurite_queues.port.send(QueueName.JOBS, message())
    with emulator.queues.get_queue_client(QueueName.JOBS.value) as client:
        (raw,) = client.peek_messages()
        document = json.loads(base64.b64decode(raw.content, validate=True))
    assert document == {
        "v": 1,
        "job": {
            "image_version_id": str(version_id()),
            "sequence": 1,
            "correlation_id": "corr-1",
        },
    }


def test_a_delay_of_months_is_cut_to_what_the_service_takes(
    azurite_queues: QueuesUnderTest, emulator: Emulator
) -> None:
    azurite_queues.port.send(QueueName.JOBS, message(), delay_s=90 * 24 * 3600)
    jobs = azurite_queues.port.depths()[0]
    assert (jobs.depth, jobs.invisible) == (1, 1)
    assert timedelta(seconds=MAX_DELAY_S) < timedelta(days=7)
    assert emulator.connection_string


def test_poison_is_counted(azurite_queues: QueuesUnderTest, emulator: Emulator) -> None:
    name = f"{QueueName.TRACKING.value}-poison"
    emulator.queues.create_queue(name).close()
    with emulator.queues.get_queue_client(name) as client:
        client.send_message("x")
    jobs, tracking = azurite_queues.port.depths()[:2]
    assert (tracking.depth, tracking.poison_depth) == (0, 1)
    assert jobs.poison_expires_at is None
    assert tracking.poison_expires_at is not None
    assert timedelta(days=6) < tracking.poison_expires_at - utc_now() <= timedelta(days=7)


def test_how_many_are_hidden_cannot_be_told_beyond_one_peek(
    azurite_queues: QueuesUnderTest,
) -> None:
    for number in range(33):
        azurite_queues.port.send(QueueName.JOBS, message(number))
    jobs = azurite_queues.port.depths()[0]
    assert (jobs.depth, jobs.invisible) == (33, None)


def test_two_that_find_no_queue_at_the_same_time_both_send(
    azurite_queues: QueuesUnderTest, emulator: Emulator
) -> None:
    def send(number: int) -> None:
        port = StorageJobQueues(service=emulator.queues, clock=utc_now)
        port.send(QueueName.JOBS, message(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    sent = {decode_message(body).sequence for body in azurite_queues.visible(QueueName.JOBS)}
    assert sent == {0, 1, 2, 3}
