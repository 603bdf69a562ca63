"""Run the command line in process, on an app whose ports are in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.app import App
from cli.client.address import URL_VARIABLE
from tests.support.fakes import World, build_world
from tests.support.http.serving import Site, serving_app
from tests.support.shell import Shell


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(open_app=lambda: world.app, folder=tmp_path, env={})


@pytest.fixture
def closed_shell(tmp_path: Path) -> Shell:
    """Return a shell for commands that must not open the app."""

    def refuse() -> App:
        raise AssertionError("this command opened the app")

    return Shell(open_app=refuse, folder=tmp_path, env={})


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    with serving_app(world.app) as site:
        yield site


@pytest.fixture
def far(closed_shell: Shell, site: Site) -> Shell:
    """Return a shell that calls the served app, and opens none itself."""
    closed_shell.env[URL_VARIABLE] = site.root
    return closed_shell
