import asyncio
import http.server
import threading
import uuid
from collections.abc import Awaitable, Callable

import pytest

from localcloud.functions.errors import RefusedFunctionError
from localcloud.functions.queue_ports import QueueServiceError
from localcloud.functions.storage_queues import Account, StorageQueues
from localcloud.functions.storage_tries import TRIES, Answer
from tests.support.virtual_time import run_in_virtual_time


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
        (again,) = await queues.receive(name, count=1, lock_s=1.9)
        assert again.dequeue_count == 2
        with pytest.raises(QueueServiceError, match="400 PopReceiptMismatch") as mismatch:
            await queues.delete(name, message.message_id, receipt)
        await queues.delete(name, again.message_id, again.pop_receipt)
        with pytest.raises(QueueServiceError, match="404 MessageNotFound") as gone:
            await queues.delete(name, again.message_id, again.pop_receipt)
        assert mismatch.value.not_ours
        assert gone.value.not_ours
        await queues.send(name, "a\r\nb\rc")
        (message,) = await queues.receive(name, count=1, lock_s=30)
        assert message.text == "a\r\nb\rc"

    with_queues(storage, work)


def test_a_missing_queue_and_a_wrong_key_are_told_apart(storage: str) -> None:
    async def work(queues: StorageQueues, name: str) -> None:
        assert not await queues.exists(name)
        for step in (queues.receive(name, count=1, lock_s=1), queues.send(name, "x")):
            with pytest.raises(QueueServiceError) as missing:
                await step
            assert missing.value.no_queue
        await queues.create(name)
        assert await queues.exists(name)

    with_queues(storage, work)

    async def wrong(queues: StorageQueues, name: str) -> None:
        with pytest.raises(QueueServiceError, match="was answered 403"):
            await queues.receive(name, count=1, lock_s=1)

    key = storage.split("AccountKey=")[1].split(";", maxsplit=1)[0]
    with_queues(storage.replace(key, "d3Jvbmc="), wrong)


ACCOUNT = Account(name="a", key=b"k", endpoint="http://storage/a")


def asked_of(*answers: Answer | OSError | float) -> tuple[list[float], BaseException | None]:
    """Delete a message and return when the service was asked, and what the client raised.

    A number is a silence of so many seconds; the last answer is that of all further tries.
    """
    asked_s: list[float] = []
    left = list(answers)

    async def exchange(*_: object) -> Answer:
        asked_s.append(asyncio.get_running_loop().time())
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return answered(204)
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def delete() -> BaseException | None:
        queues = StorageQueues(ACCOUNT, exchange=exchange, uniform=lambda *ends: sum(ends) / 2)
        try:
            await queues.delete("q", "m", "r")
        except QueueServiceError as error:
            return error
        return None

    raised = run_in_virtual_time(delete())
    return [round(at_s, 1) for at_s in asked_s], raised


def answered(status: int) -> Answer:
    return Answer(status=status, headers={"x-ms-error-code": "Code"}, text="")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_six_times_with_growing_waits(status: int) -> None:
    asked_s, raised = asked_of(answered(status))
    assert asked_s == [0, 0.8, 2.4, 5.6, 12, 24.8]
    assert str(raised) == f"DELETE q/messages/m was answered {status} Code"


def test_broken_connections_are_tried_like_that_too_and_the_endpoint_is_named() -> None:
    asked_s, raised = asked_of(ConnectionResetError())
    assert len(asked_s) == TRIES
    assert str(raised) == "no answer from http://storage/a (ConnectionResetError)"


def test_a_service_that_never_answers_is_given_a_hundred_seconds_a_try() -> None:
    asked_s, raised = asked_of(1e9)
    assert asked_s == [0, 100.8, 202.4, 305.6, 412, 524.8]
    assert isinstance(raised, QueueServiceError)
    assert raised.silent


def test_one_fault_goes_unnoticed() -> None:
    for fault in (answered(500), ConnectionResetError(), 1e9):
        assert asked_of(fault, answered(204))[1] is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 501])
def test_a_refusal_is_final(status: int) -> None:
    asked_s, raised = asked_of(answered(status))
    assert asked_s == [0]
    assert isinstance(raised, QueueServiceError)


def test_nobody_at_the_endpoint_is_no_answer() -> None:
    account = "AccountName=a;AccountKey=eA==;QueueEndpoint=http://127.0.0.1:9/a"

    async def work(queues: StorageQueues, name: str) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
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
    with pytest.raises(RefusedFunctionError, match="the setting MyStorage"):
        Account.parse(text, setting="MyStorage")


def test_answers_that_are_not_of_a_queue_service_are_errors() -> None:
    async def work(queues: StorageQueues, name: str) -> None:
        with pytest.raises(QueueServiceError, match="the answer is not XML"):
            await queues.receive(name, count=1, lock_s=1)
        with pytest.raises(QueueServiceError, match="was answered 418"):
            await queues.send(name, "x")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(418)

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
