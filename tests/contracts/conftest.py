"""Every port twice: in memory, and as the adapter on a real storage emulator."""

import base64
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from bootstrap.adapters import utc_now
from costs.azure.blobs import StorageBlobs
from costs.ports import LedgerBlobs
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.history import TableHistory
from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.listing import TableListing
from replication.azure.storage.queues import StorageJobQueues
from replication.azure.storage.shared_state import TableControls
from replication.azure.storage.tables import Table
from replication.dead_letters.index import ListedLetters
from replication.listing.store import ListingStore
from replication.ports import DeadLetters, History, JobQueues, JobStore, QueueName
from replication.shared_state.port import ControlStore
from tests.support.clock import FakeClock
from tests.support.costs.blobs import MemoryBlobs
from tests.support.fakes import MemoryControls, MemoryHistory, MemoryJobStore, MemoryQueues
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
from tests.support.storage.wire import running_storage

KINDS = ("memory", "azurite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """One emulator for the whole session, with a client for its tables and one for its queues."""

    connection_string: str
    tables: TableServiceClient
    queues: QueueServiceClient
    blobs: BlobServiceClient


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with running_storage() as connection_string:
        account = StorageAccount(connection_string=connection_string)
        service = account.blobs()
        assert service is not None
        with account.tables() as tables, account.queues() as queues, service as blobs:
            yield Emulator(
                connection_string=connection_string, tables=tables, queues=queues, blobs=blobs
            )


@dataclass(slots=True)
class FreshTables:
    """Hands out tables that do not exist yet."""

    emulator: Emulator
    used: list[Table] = field(default_factory=list)

    def table(self) -> Table:
        table = Table(self.emulator.tables, f"t{uuid.uuid4().hex}")
        self.used.append(table)
        return table


@pytest.fixture
def fresh_tables(emulator: Emulator) -> Iterator[FreshTables]:
    fresh = FreshTables(emulator)
    yield fresh
    for table in fresh.used:
        emulator.tables.delete_table(table.name)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> JobStore:
    if request.param == "memory":
        return MemoryJobStore()
    fresh: FreshTables = request.getfixturevalue("fresh_tables")
    return TableJobStore(fresh.table())


@pytest.fixture(params=KINDS)
def history(request: pytest.FixtureRequest) -> History:
    if request.param == "memory":
        return MemoryHistory()
    fresh: FreshTables = request.getfixturevalue("fresh_tables")
    return TableHistory(fresh.table())


@pytest.fixture(params=[*KINDS, "listed in memory"])
def letters(request: pytest.FixtureRequest) -> DeadLetters:
    if request.param == "memory":
        return MemoryDeadLetters()
    if request.param == "listed in memory":
        return ListedLetters(store=MemoryDeadLetters(), listing=MemoryListing())
    fresh: FreshTables = request.getfixturevalue("fresh_tables")
    return listed_letters(fresh)


def listed_letters(fresh: FreshTables) -> ListedLetters:
    """Return the dead letters on two tables of their own."""
    return ListedLetters(
        store=TableDeadLetters(fresh.table()),
        listing=TableListing(fresh.table(), partition="letters"),
    )


@pytest.fixture(params=KINDS)
def controls(request: pytest.FixtureRequest) -> ControlStore:
    if request.param == "memory":
        return MemoryControls()
    fresh: FreshTables = request.getfixturevalue("fresh_tables")
    return TableControls(fresh.table())


@pytest.fixture(params=KINDS)
def listing_store(request: pytest.FixtureRequest) -> ListingStore:
    if request.param == "memory":
        return MemoryListing()
    fresh: FreshTables = request.getfixturevalue("fresh_tables")
    return TableListing(fresh.table())


@pytest.fixture(params=KINDS)
def ledger_blobs(request: pytest.FixtureRequest) -> Iterator[LedgerBlobs]:
    if request.param == "memory":
        yield MemoryBlobs()
        return
    emulator: Emulator = request.getfixturevalue("emulator")
    name = f"c{uuid.uuid4().hex}"
    yield StorageBlobs(emulator.blobs, name=name)
    with suppress(ResourceNotFoundError):
        emulator.blobs.delete_container(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuesUnderTest:
    """The port, a look at the bodies that are visible now, and a way to let time pass."""

    port: JobQueues
    visible: Callable[[QueueName], list[str]]
    pass_time: Callable[[float], None]


@pytest.fixture(params=KINDS)
def queues(request: pytest.FixtureRequest) -> QueuesUnderTest:
    if request.param == "azurite":
        real: QueuesUnderTest = request.getfixturevalue("azurite_queues")
        return real
    clock = FakeClock(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    memory = MemoryQueues(clock)

    def visible(queue: QueueName) -> list[str]:
        return [body for due, _, name, body in memory.waiting if name is queue and due <= clock()]

    return QueuesUnderTest(port=memory, visible=visible, pass_time=clock.advance)


@pytest.fixture
def azurite_queues(emulator: Emulator) -> Iterator[QueuesUnderTest]:
    def visible(queue: QueueName) -> list[str]:
        with emulator.queues.get_queue_client(queue.value) as client:
            return [
                base64.b64decode(one.content, validate=True).decode()
                for one in client.peek_messages(max_messages=32)
            ]

    _delete_queues(emulator)
    yield QueuesUnderTest(
        port=StorageJobQueues(service=emulator.queues, clock=utc_now),
        visible=visible,
        pass_time=time.sleep,
    )
    _delete_queues(emulator)


def _delete_queues(emulator: Emulator) -> None:
    for queue in QueueName:
        for name in (queue.value, f"{queue.value}-poison"):
            with suppress(ResourceNotFoundError):
                emulator.queues.delete_queue(name)
