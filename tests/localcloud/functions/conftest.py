"""Fixtures of the host's tests: one storage emulator per test process."""

import contextlib
import uuid
from collections.abc import Iterator

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from tests.support.storage.wire import OpenQueue, running_storage


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """Start an emulator and give its connection string."""
    with running_storage() as connection_string:
        yield connection_string


@pytest.fixture
def queue_name() -> str:
    return f"work-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def open_queue(storage: str) -> Iterator[OpenQueue]:
    """Open queues with the vendor's client; bodies go as they are."""
    opened: list[QueueClient] = []

    def open_one(name: str) -> QueueClient:
        client = QueueClient.from_connection_string(storage, name)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        # A queue that stays would slow down every later test on this emulator.
        with contextlib.suppress(ResourceNotFoundError):
            client.delete_queue()
        client.close()
