"""A stub of Resource Manager with the app's clients for it, and a world that handlers serve."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bootstrap import use
from replication.azure.arm.clients import ArmClients
from replication.azure.arm.gallery import ArmGallery
from tests.support.arm.stub import StubArm, open_clients, running_stub
from tests.support.fakes import World, build_world
from tests.support.http.serving import Serve


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


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Let the handlers answer from a world."""
    with ExitStack() as served:

        def serve(world: World) -> World:
            served.enter_context(use(world.app))
            return world

        yield serve


@pytest.fixture
def world(serve: Serve) -> World:
    return serve(build_world())
