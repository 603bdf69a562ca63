"""Every port twice: in memory, and as the adapter on a real storage emulator."""

import base64
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from azure.core.exceptions import ResourceNotFoundError

from bootstrap.adapters import utc_now
from costs.azure.blobs import StorageBlobs
from costs.ports import LedgerBlobs
from replication.azure.storage.history import TableHistory
from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.listing import TableListing
from replication.azure.storage.queues import StorageJobQueues
from replication.azure.storage.shared_state import TableControls
from replication.dead_letters.index import ListedLetters
from replication.listing.store import ListingStore
from replication.ports import DeadLetters, History, JobStore, QueueName
from replication.shared_state.port import ControlStore
from tests.support.clock import FakeClock
from tests.support.costs.blobs import MemoryBlobs
from tests.support.fakes import MemoryControls, MemoryHistory, MemoryJobStore, MemoryQueues
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
from tests.support.storage.emulator import (
    Emulator,
    FreshTables,
    QueuesUnderTest,
    listed_letters,
    running_emulator,
)

KINDS = ("memory", "azurite")


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with running_emulator() as started:
        yield started


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
