"""The app of the pages, on ports in memory, on a developer's machine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bootstrap import use
from handlers.http.access import AUTH_ENABLED, ENVIRONMENT, INSTANCE
from tests.support.fakes import World, build_world

type Serve = Callable[[World], World]


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "Development")
    for name in (AUTH_ENABLED, INSTANCE):
        monkeypatch.delenv(name, raising=False)


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
