"""A storage emulator with its clients, and what the contract suites put on it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.listing import TableListing
from replication.azure.storage.tables import Table
from replication.dead_letters.index import ListedLetters
from replication.ports import JobQueues, QueueName
from tests.support.storage.wire import running_storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """One emulator for the whole session, with a client for its tables and one for its queues."""

    connection_string: str
    tables: TableServiceClient
    queues: QueueServiceClient
    blobs: BlobServiceClient


@contextmanager
def running_emulator() -> Iterator[Emulator]:
    """Start an emulator, and open a client for each kind of storage."""
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


def listed_letters(fresh: FreshTables) -> ListedLetters:
    """Return the dead letters on two tables of their own."""
    return ListedLetters(
        store=TableDeadLetters(fresh.table()),
        listing=TableListing(fresh.table(), partition="letters"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuesUnderTest:
    """The port, a look at the bodies that are visible now, and a way to let time pass."""

    port: JobQueues
    visible: Callable[[QueueName], list[str]]
    pass_time: Callable[[float], None]
