"""A stub of Resource Manager, and the app's clients for it."""

from collections.abc import Iterator

import pytest

from replication.azure.arm_clients import ArmClients, ArmEndpoint
from replication.azure.gallery import ArmGallery
from tests.azure.stub_arm import StubArm, running_stub


@pytest.fixture
def arm() -> Iterator[StubArm]:
    with running_stub() as stub:
        yield stub


def open_clients(url: str) -> ArmClients:
    return ArmClients(ArmEndpoint(url=url, scope="unused/.default", anonymous=True))


@pytest.fixture
def clients(arm: StubArm) -> Iterator[ArmClients]:
    clients = open_clients(arm.url)
    yield clients
    clients.close()


@pytest.fixture
def gallery(clients: ArmClients) -> ArmGallery:
    return ArmGallery(clients)
