"""Queue listeners of the running host against the vendor's emulator and client."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueClient

from tests.support.localcloud.hosts import (
    APPS,
    Host,
    eventually,
    ready_line,
    run_localcloud,
    running_host,
    start_localcloud,
)
from tests.support.storage.wire import OpenQueue

StartHost = Callable[..., AbstractContextManager[Host]]


def send(queue: QueueClient, body: dict[str, Any]) -> None:
    queue.send_message(base64.b64encode(json.dumps(body).encode()).decode())


def answers(host: Host) -> bool:
    try:
        return host.call("/admin/host/ping").status == 200
    except OSError:
        return False


def depth(queue: QueueClient) -> int:
    return queue.get_queue_properties().approximate_message_count or 0


@pytest.fixture
def queue(open_queue: OpenQueue, queue_name: str) -> QueueClient:
    queue = open_queue(queue_name)
    queue.create_queue()
    return queue


@pytest.fixture
def start_host(storage: str, queue_name: str, tmp_path: Path) -> StartHost:
    """Run an app on the queue of the test; each in a place of its own."""

    def start(*options: str, place: str = "host") -> AbstractContextManager[Host]:
        settings = {"AzureWebJobsStorage": storage, "WORK_QUEUE": queue_name}
        return running_host("queues", tmp_path / place, *options, **settings)

    return start


def test_a_missing_queue_is_awaited_and_not_created_and_its_messages_are_served(
    storage: str, queue_name: str, open_queue: OpenQueue, tmp_path: Path
) -> None:
    queue = open_queue(queue_name)
    with running_host(
        "queues", tmp_path, AzureWebJobsStorage=storage, WORK_QUEUE=queue_name.upper()
    ) as host:
        assert host.call("/").status == 200
        # Creating raises if the host had created it.
        queue.create_queue()
        send(queue, {"n": 1})
        eventually(lambda: host.records("work-end"))
        (record,) = host.records("work")
        assert (record["body"], record["dequeue_count"]) == ('{"n": 1}', 1)
        assert record["inserted"].endswith("+00:00")
        eventually(lambda: depth(queue) == 0)


def test_a_body_overwrites_the_metadata_of_its_message_as_in_the_real_host(
    queue: QueueClient, start_host: StartHost
) -> None:
    with start_host() as host:
        send(queue, {"ID": "mine", "dequeueCount": 7})
        eventually(lambda: host.records("work-end"))
        (record,) = host.records("work")
        assert (record["id"], record["dequeue_count"]) == ("mine", 7)


def test_a_failing_message_is_tried_three_times_with_a_pause_and_then_buried(
    queue: QueueClient, open_queue: OpenQueue, start_host: StartHost
) -> None:
    poison = open_queue(f"{queue.queue_name}-poison")
    with start_host() as host:
        send(queue, {"fail": True})
        eventually(lambda: host.records("buried"))
        tries = host.records("work")
        assert [line["dequeue_count"] for line in tries] == [1, 2, 3]
        # visibilityTimeout is 1 s, and a storage clock of whole seconds may take off one.
        assert all(b["at"] - a["at"] > 0.5 for a, b in pairwise(tries))
        (buried,) = host.records("buried")
        assert (buried["body"], buried["dequeue_count"]) == ('{"fail": true}', 1)
        eventually(lambda: depth(queue) + depth(poison) == 0)
        assert "told to fail" in host.stderr()


def test_a_body_that_is_not_base64_is_buried_as_it_is_without_a_call(
    queue: QueueClient, open_queue: OpenQueue, start_host: StartHost
) -> None:
    poison = open_queue(f"{queue.queue_name}-poison")
    poison.create_queue()
    queue.send_message("<plain & text>")
    with start_host() as host:
        eventually(lambda: depth(queue) == 0 and depth(poison) == 1)
        # The poison queue's function cannot be given such a body either.
        eventually(lambda: host.stderr().count("not base64") == 2)
        assert host.records() == []


def test_bytes_that_are_no_text_fail_before_the_function_until_their_tries_are_spent(
    queue: QueueClient, open_queue: OpenQueue, start_host: StartHost
) -> None:
    poison = open_queue(f"{queue.queue_name}-poison")
    poison.create_queue()
    queue.send_message(base64.b64encode(b"a\xff\xfeb").decode())
    with start_host() as host:
        eventually(lambda: depth(queue) == 0 and depth(poison) == 1)
        # Three tries, and one of the function on the poison queue.
        eventually(lambda: host.stderr().count("failed before its call") == 4)
        assert host.records() == []


def test_no_more_run_at_once_than_batch_size_and_threshold_allow(
    queue: QueueClient, start_host: StartHost
) -> None:
    for n in range(8):
        send(queue, {"n": n, "sleep_s": 0.3})
    with start_host() as host:
        eventually(lambda: len(host.records("work-end")) == 8)
        at_once = [line["running"] for line in host.records("work")]
        assert 2 <= max(at_once) <= 3


def test_the_lock_is_renewed_while_a_function_works(
    queue: QueueClient, start_host: StartHost
) -> None:
    with start_host("--queue-lock-s", "2") as host:
        send(queue, {"sleep_s": 5})
        eventually(lambda: host.records("work-end"))
        eventually(lambda: depth(queue) == 0)
        assert len(host.records("work")) == 1


def test_two_hosts_share_a_queue_and_each_message_is_served_once(
    queue: QueueClient, start_host: StartHost
) -> None:
    with start_host(place="one") as one, start_host(place="two") as two:
        for n in range(20):
            send(queue, {"n": n, "sleep_s": 0.1})
        eventually(lambda: depth(queue) == 0)
        shares = [host.records("work-end") for host in (one, two)]
        bodies = sorted(json.loads(line["body"])["n"] for share in shares for line in share)
        assert bodies == list(range(20))
        assert all(shares)


def test_a_stop_lets_the_running_function_finish_and_deletes_its_message(
    queue: QueueClient, start_host: StartHost
) -> None:
    with start_host() as host:
        send(queue, {"sleep_s": 2})
        eventually(lambda: host.records("work"))
        assert host.stop() == 0
        assert len(host.records("work-end")) == 1
        assert depth(queue) == 0


def test_a_function_that_does_not_end_cannot_hold_the_stop(
    queue: QueueClient, start_host: StartHost
) -> None:
    with start_host("--stop-grace-s", "0.5") as host:
        send(queue, {"sleep_s": 300})
        eventually(lambda: host.records("work"))
        assert host.stop() == 0
        assert "left running: work " in host.stderr()
        # The message stays hidden until its lock ends.
        assert (depth(queue), list(queue.receive_messages())) == (1, [])


def test_a_stop_shuts_the_port_at_once_and_takes_messages_while_calls_end(
    queue: QueueClient, start_host: StartHost
) -> None:
    with start_host() as host, ThreadPoolExecutor(1) as pool:
        held = pool.submit(host.call, "/api/hold?for_s=8")
        eventually(lambda: host.records("hold"))
        host.process.terminate()
        eventually(lambda: not answers(host))
        send(queue, {"n": 1})
        eventually(lambda: host.records("work-end"))
        assert not held.done()
        assert held.result().status == 200
        assert host.process.wait(10) == 0
        assert depth(queue) == 0


def test_a_call_that_does_not_end_is_cut_and_costs_no_exit_code(start_host: StartHost) -> None:
    with start_host("--stop-grace-s", "0.2") as host, ThreadPoolExecutor(1) as pool:
        held = pool.submit(host.call, "/api/hold?for_s=300")
        eventually(lambda: host.records("hold"))
        assert host.stop() == 0
        assert isinstance(held.exception(), OSError | HTTPException)
        assert "left running: hold " in host.stderr()


def test_the_host_does_not_notice_that_its_storage_was_away_for_some_seconds(
    queue_name: str, tmp_path: Path
) -> None:
    def start(port_base: str) -> tuple[subprocess.Popen[str], str]:
        process = start_localcloud("storage", "--port-base", port_base)
        return process, ready_line(process)["storage"]

    def end(process: subprocess.Popen[str]) -> None:
        with process:
            process.terminate()

    emulator, connection = start("0")
    try:
        with running_host(
            "queues", tmp_path, AzureWebJobsStorage=connection, WORK_QUEUE=queue_name
        ) as host:
            end(emulator)
            blob_endpoint = connection.split("BlobEndpoint=")[1].split(";")[0]
            emulator, _ = start(blob_endpoint.rsplit(":", 1)[1].split("/")[0])
            with QueueClient.from_connection_string(connection, queue_name) as queue:
                queue.create_queue()
                send(queue, {"n": 1})
            eventually(lambda: host.records("work-end"))
            assert "no answer" not in host.stderr()
    finally:
        end(emulator)


class Refusing(BaseHTTPRequestHandler):
    """A storage that refuses all that its queues hold, and the queues too where it is told to."""

    refuses_queues = False

    def do_GET(self) -> None:
        refused = self.refuses_queues or "/messages" in self.path
        self.send_response(403 if refused else 200)
        self.send_header("x-ms-error-code", "AuthorizationFailure")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def refusing_storage(handler: type[Refusing]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever)
        url = f"http://127.0.0.1:{server.server_port}/a"
        try:
            yield f"AccountName=a;AccountKey=a2V5;QueueEndpoint={url}"
        finally:
            server.shutdown()


def test_a_refusal_by_the_storage_ends_the_host_with_exit_code_0_and_says_why(
    queue_name: str, tmp_path: Path
) -> None:
    with (
        refusing_storage(Refusing) as storage,
        running_host(
            "queues", tmp_path, AzureWebJobsStorage=storage, WORK_QUEUE=queue_name
        ) as host,
    ):
        assert host.process.wait(60) == 0
        assert "An unhandled exception has occurred. Host is shutting down." in host.stderr()
        assert "was answered 403 AuthorizationFailure" in host.stderr()


def test_without_its_storage_a_host_ends_before_it_opens_its_port(
    queue_name: str, tmp_path: Path
) -> None:
    class RefusingAll(Refusing):
        refuses_queues = True

    with refusing_storage(RefusingAll) as storage:
        ended = run_localcloud(
            *("functions", "--port", "0", "--app-dir", str(APPS / "queues")),
            AzureWebJobsStorage=storage,
            WORK_QUEUE=queue_name,
            RECORD=str(tmp_path / "records.jsonl"),
        )
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "An unhandled exception has occurred. Host is shutting down." in ended.stderr
    assert "was answered 403 AuthorizationFailure" in ended.stderr
