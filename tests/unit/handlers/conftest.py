"""The app of the handlers, on ports in memory, on a developer's machine."""

from collections.abc import Iterator

import pytest

from bootstrap import use
from handlers.http.access import AUTH_ENABLED, ENVIRONMENT, INSTANCE
from tests.support.fakes import World, build_world


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "Development")
    for name in (AUTH_ENABLED, INSTANCE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world() -> Iterator[World]:
    world = build_world()
    with use(world.app):
        yield world
