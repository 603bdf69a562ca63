"""The command line, run in process."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bootstrap.app import App
from cli.main import cli
from cli.session import Session


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
