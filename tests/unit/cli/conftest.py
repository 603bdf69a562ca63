"""Run the command line in process, on an app whose ports are in memory."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bootstrap import use
from bootstrap.app import App
from cli.client.remote import URL_VARIABLE
from cli.main import cli
from cli.session import Session
from handlers.http.access import AUTH_ENABLED, ENVIRONMENT, INSTANCE
from tests.support.fakes import World, build_world
from tests.support.http.serving import Site, serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True, kw_only=True)
class Shell:
    """Runs commands with an environment and a working folder of its own."""

    open_app: Callable[[], App]
    folder: Path
    env: dict[str, str]
    surroundings: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *args: str, answer: str | None = None) -> Answer:
        """Run a command; with an `answer` there is someone to ask, who types it."""
        session = Session(
            open_app=self.open_app,
            env=self.env,
            folder=self.folder,
            can_ask=lambda: answer is not None,
            **self.surroundings,
        )
        result = CliRunner().invoke(cli, list(args), obj=session, input=answer)
        return Answer(code=result.exit_code, out=result.stdout, err=result.stderr)


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
def site(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serve the API of the world's app, as on a developer's machine."""
    monkeypatch.setenv(ENVIRONMENT, "Development")
    for name in (AUTH_ENABLED, INSTANCE):
        monkeypatch.delenv(name, raising=False)
    with use(world.app), serving() as site:
        yield site


@pytest.fixture
def far(closed_shell: Shell, site: Site) -> Shell:
    """Return a shell that calls the served app, and opens none itself."""
    closed_shell.env[URL_VARIABLE] = site.root
    return closed_shell
