import asyncio
import http.server
import threading
import uuid
from collections.abc import Awaitable, Callable

import pytest

from localcloud.functions.errors import HostStartError
from localcloud.functions.queue_ports import (
    MessageGoneError,
    QueueMissingError,
    QueueServiceError,
)
from localcloud.functions.storage_queues import Account, StorageQueues


def with_queues(storage: str, work: Callable[[StorageQueues, str], Awaitable[None]]) -> None:
    async def run() -> None:
        queues = StorageQueues(Account.parse(storage, setting="S"))
        try:
            await work(queues, f"q{uuid.uuid4().hex[:10]}")
        finally:
            await queues.close()

    asyncio.run(run())


def test_a_message_is_sent_taken_hidden_and_deleted(storage: str) -> None:
    async def work(queues: StorageQueues, name: str) -> None:
        await queues.create(name)
        await queues.create(name)
        await queues.send(name, "<a> & größe")
        (message,) = await queues.receive(name, count=32, lock_s=30)
        assert (message.text, message.dequeue_count) == ("<a> & größe", 1)
        assert (message.expires_at - message.inserted_at).days == 7
        assert await queues.receive(name, count=32, lock_s=30) == []
        receipt = await queues.hide(name, message.message_id, message.pop_receipt, for_s=0)
        (again,) = await queues.receive(name, count=1, lock_s=0.5)
        assert again.dequeue_count == 2
        with pytest.raises(MessageGoneError):
            await queues.delete(name, message.message_id, receipt)
        await queues.delete(name, again.message_id, again.pop_receipt)
        with pytest.raises(MessageGoneError):
            await queues.delete(name, again.message_id, again.pop_receipt)

    with_queues(storage, work)


def test_a_missing_queue_and_a_wrong_key_are_told_apart(storage: str) -> None:
    async def work(queues: StorageQueues, name: str) -> None:
        with pytest.raises(QueueMissingError):
            await queues.receive(name, count=1, lock_s=1)
        with pytest.raises(QueueMissingError):
            await queues.send(name, "x")

    with_queues(storage, work)

    async def wrong(queues: StorageQueues, name: str) -> None:
        with pytest.raises(QueueServiceError, match="was answered 403"):
            await queues.receive(name, count=1, lock_s=1)

    key = storage.split("AccountKey=")[1].split(";", maxsplit=1)[0]
    with_queues(storage.replace(key, "d3Jvbmc="), wrong)


def test_no_answer_is_an_error_that_names_the_endpoint() -> None:
    account = "AccountName=a;AccountKey=eA==;QueueEndpoint=http://127.0.0.1:9/a"

    async def work(queues: StorageQueues, name: str) -> None:
        with pytest.raises(QueueServiceError, match=r"no answer from http://127\.0\.0\.1:9/a"):
            await queues.receive(name, count=1, lock_s=1)

    with_queues(account, work)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("UseDevelopmentStorage=true", "http://127.0.0.1:10001/devstoreaccount1"),
        ("AccountName=a;AccountKey=eA==", "https://a.queue.core.windows.net"),
        (
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=eA==;EndpointSuffix=example.org;",
            "http://a.queue.example.org",
        ),
        ("accountname=a;ACCOUNTKEY=eA==;QueueEndpoint=http://h/a/", "http://h/a"),
    ],
)
def test_connection_strings_of_every_form_are_read(text: str, endpoint: str) -> None:
    assert Account.parse(text, setting="S").endpoint == endpoint


@pytest.mark.parametrize("text", ["", "AccountName=a", "AccountName=a;AccountKey=%"])
def test_a_connection_string_that_lacks_something_names_its_setting(text: str) -> None:
    with pytest.raises(HostStartError, match="the setting MyStorage"):
        Account.parse(text, setting="MyStorage")


def test_answers_that_are_not_of_a_queue_service_are_errors() -> None:
    async def work(queues: StorageQueues, name: str) -> None:
        with pytest.raises(QueueServiceError, match="the answer is not XML"):
            await queues.receive(name, count=1, lock_s=1)
        with pytest.raises(QueueServiceError, match="was answered 503"):
            await queues.send(name, "x")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(503)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/a"
        try:
            with_queues(f"AccountName=a;AccountKey=eA==;QueueEndpoint={url}", work)
        finally:
            server.shutdown()
            thread.join()
