"""The app of the handlers, on ports in memory, on a developer's machine."""

import pytest

from handlers.access import AUTH_ENABLED, ENVIRONMENT, INSTANCE
from replication import bootstrap
from tests.fakes import World, build_world


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "Development")
    for name in (AUTH_ENABLED, INSTANCE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = build_world()
    monkeypatch.setattr(bootstrap, "_app", world.app)
    return world
