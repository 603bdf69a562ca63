"""A stub of Resource Manager, and the app's clients for it."""

from collections.abc import Iterator

import pytest

from replication.azure.arm.clients import ArmClients
from replication.azure.arm.gallery import ArmGallery
from tests.support.arm.stub import StubArm, open_clients, running_stub


@pytest.fixture
def arm() -> Iterator[StubArm]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def clients(arm: StubArm) -> Iterator[ArmClients]:
    clients = open_clients(arm.url)
    yield clients
    clients.close()


@pytest.fixture
def gallery(clients: ArmClients) -> ArmGallery:
    return ArmGallery(clients)
