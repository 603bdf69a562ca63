"""The app of the pages, on ports in memory, on a developer's machine."""

from collections.abc import Callable

import pytest

from bootstrap import adapters
from handlers.http.access import AUTH_ENABLED, ENVIRONMENT, INSTANCE
from tests.support.fakes import World, build_world

type Serve = Callable[[World], World]


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "Development")
    for name in (AUTH_ENABLED, INSTANCE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Let the handlers answer from a world."""

    def serve(world: World) -> World:
        monkeypatch.setattr(adapters, "_app", world.app)
        return world

    return serve


@pytest.fixture
def world(serve: Serve) -> World:
    return serve(build_world())
