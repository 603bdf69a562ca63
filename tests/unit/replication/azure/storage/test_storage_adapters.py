"""The storage adapters when storage is away, refuses, or answers strangely."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bootstrap.adapters import utc_now
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.history import TableHistory
from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.queues import StorageJobQueues
from replication.azure.storage.tables import Table, join_text, split_text
from replication.domain.errors import FailureCode, PermanentError, ReplicationError, TransientError
from replication.domain.job import HistoryEntry
from replication.domain.message import JobMessage
from replication.ports import DeadLetter, JobQuery, QueueName, StoredLetter
from tests.support.builders import NOON, version_id
from tests.support.http.server import Handler, listening
from tests.support.jobs import job

KEY = "c2VjcmV0"  # base64 of "secret"


@contextmanager
def refusing_storage(status: int) -> Iterator[int]:
    class Refusals(Handler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            self.body()
            self.answer(status)

        do_DELETE = do_GET = do_HEAD = do_MERGE = do_PATCH = do_POST = do_PUT = handle_any  # noqa: N815

    with listening(Refusals) as url:
        yield int(url.rpartition(":")[2])


@contextmanager
def calls_on(port: int) -> Iterator[dict[str, Callable[[], object]]]:
    """Give every call of every storage port on an account at this port."""
    url = f"http://127.0.0.1:{port}/account"
    account = StorageAccount(
        connection_string=f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={KEY};"
        f"QueueEndpoint={url};TableEndpoint={url}"
    )
    with account.tables() as tables, account.queues() as queues:
        table = Table(tables, "records")
        store, history, letters = TableJobStore(table), TableHistory(table), TableDeadLetters(table)
        port_of_queues = StorageJobQueues(service=queues, clock=utc_now)
        message = JobMessage(image_version_id=version_id(), sequence=1, correlation_id="")
        letter = DeadLetter(
            id="a",
            at=NOON,
            source="",
            code="",
            cause="",
            attempts=1,
            correlation_id="",
            image_version_id=None,
            raw="",
        )
        stored_letter = StoredLetter(letter=letter, etag='W/"1"')
        entry = HistoryEntry(id="1", at=NOON, event="track", reason="because")
        yield {
            "load": lambda: store.load("key"),
            "insert": lambda: store.insert(job()),
            "find": lambda: store.find(JobQuery()),
            "history.append": lambda: history.append("key", [entry]),
            "history.read": lambda: history.read("key"),
            "letters.put": lambda: letters.put(letter),
            "letters.get": lambda: letters.get("a"),
            "letters.after": lambda: letters.after("", limit=5),
            "letters.replace": lambda: letters.replace(stored_letter, letter),
            "letters.discard": lambda: letters.discard(stored_letter),
            "queues.send": lambda: port_of_queues.send(QueueName.JOBS, message),
            "queues.depths": port_of_queues.depths,
        }


NAMES = (
    "load",
    "insert",
    "find",
    "history.append",
    "history.read",
    "letters.put",
    "letters.get",
    "letters.after",
    "letters.replace",
    "letters.discard",
    "queues.send",
    "queues.depths",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_storage_that_refuses_needs_a_person(name: str) -> None:
    with refusing_storage(403) as port, calls_on(port) as calls:
        with pytest.raises(PermanentError) as raised:
            calls[name]()
        assert raised.value.code is FailureCode.NOT_AUTHORISED


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("name", ["load", "insert", "find", "letters.get", "letters.after"])
def test_a_storage_in_trouble_is_worth_another_try(name: str, status: int) -> None:
    with refusing_storage(status) as port, calls_on(port) as calls:
        with pytest.raises(TransientError) as raised:
            calls[name]()
        assert raised.value.code == f"storage_{status}"


@pytest.mark.parametrize("name", NAMES)
def test_a_storage_out_of_reach_is_worth_another_try(name: str) -> None:
    with calls_on(9) as calls:
        with pytest.raises(ReplicationError) as raised:
            calls[name]()
        assert isinstance(raised.value, TransientError)
        assert raised.value.code == "storage_unreachable"


def test_a_long_text_is_spread_over_columns_and_put_together_again() -> None:
    for text in ("", "x", "\U0001f300" * 50_000, "ab" * 16_000, "ab" * 16_001):
        columns = split_text("raw", text)
        assert all(len(part.encode("utf-16-le")) <= 64 * 1024 for part in columns.values())
        assert join_text("raw", dict(columns)) == text


def test_an_account_is_reached_by_its_endpoints_and_the_apps_identity() -> None:
    account = StorageAccount(
        queue_url="https://acct.queue.core.windows.net",
        table_url="https://acct.table.core.windows.net",
        client_id="00000000-0000-0000-0000-000000000001",
    )
    with account.tables() as tables, account.queues() as queues:
        assert tables.url == "https://acct.table.core.windows.net"
        assert queues.url == "https://acct.queue.core.windows.net/"
