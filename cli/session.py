"""Session: what a command works with, the environment and the app built from it."""

import json
import os
import shlex
import time
from collections.abc import Callable, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import replication
from cli.client.address import URL_VARIABLE, Remote
from cli.terminal.errors import UsageProblem
from cli.terminal.output import can_ask
from replication.config.settings import CLOUDS, SettingsError
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import RegionCatalog

if TYPE_CHECKING:
    import typer

    from bootstrap.app import App
    from cli.client.http import Api
    from cli.client.protocol import Service

LOCAL_SETTINGS = "local.settings.json"
_APP_ROOT = Path(replication.__file__).resolve().parent.parent


def _open_app() -> "App":
    from bootstrap import get_app  # noqa: PLC0415 - the Azure SDK takes a second

    return get_app()


def _open_api(remote: Remote) -> "Api":
    from cli.client.http import open_api  # noqa: PLC0415 - the Azure SDK takes a second

    return open_api(remote.url, scope=remote.scope, key=remote.key, timeout_s=remote.timeout_s)


def _who(app: "App") -> str | None:
    """Say who acts where the storage knows callers by their identity."""
    storage = app.settings.storage
    if storage.connection_string is not None:
        return None
    from replication.azure.identity import own_credential, who  # noqa: PLC0415 - as above

    return who(own_credential(storage.client_id, storage.identity_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The surroundings of one command; a test hands in its own as Typer's `obj`.

    `remote` is the deployed app to call, None for the app in this process on its storage. What
    was opened is closed with `closing`.
    """

    open_app: Callable[[], "App"] = _open_app
    open_api: Callable[[Remote], "Api"] = _open_api
    remote: Remote | None = None
    env: MutableMapping[str, str] = field(default_factory=lambda: os.environ)
    folder: Path = field(default_factory=Path.cwd)
    can_ask: Callable[[], bool] = can_ask
    sleep: Callable[[float], None] = time.sleep
    who: Callable[["App"], str | None] = _who
    closing: ExitStack = field(default_factory=ExitStack)

    @property
    def command(self) -> str:
        """How a command that is told to be typed next begins, so that it asks the same app."""
        words = ["gallery-replicator"]
        if self.remote is not None:
            words += ["--url", self.remote.url]
            if self.remote.scope is not None:
                words += ["--scope", self.remote.scope.removesuffix("/.default")]
        return shlex.join(words)

    def service(self) -> "Service":
        """Return what the commands act through: the deployed app, or the one in this process."""
        if self.remote is not None:
            from cli.client.remote import remote_service  # noqa: PLC0415 - the schemas, as above

            return remote_service(self.closing.enter_context(self.open_api(self.remote)))
        from cli.client.local import local_service  # noqa: PLC0415 - a call of a deployed app needs none

        app = self.app()
        return local_service(app, partial(self.who, app))

    def app(self) -> "App":
        """Return the app in this process; raises SettingsError and PolicyFileError.

        Raises UsageProblem where a deployed app is asked for.
        """
        if self.remote is not None:
            raise UsageProblem(
                f"this command runs against storage; leave --url (and {URL_VARIABLE}) out"
            )
        self.add_local_settings()
        return self.open_app()

    def policy_path(self) -> Path:
        """Return the policy file that the app reads."""
        self.add_local_settings()
        name = self.env.get("REPLICATION_POLICY", "").strip() or "replication-policy.yaml"
        return _APP_ROOT / name

    def cloud(self) -> str:
        """Return the cloud that the app is set to."""
        self.add_local_settings()
        return self.env.get("AZURE_CLOUD", "").strip() or CLOUDS[0]

    def catalog(self, subscription_id: str | None) -> RegionCatalog:
        """Return the regions of a subscription as ARM tells, or those of the shipped snapshot."""
        if subscription_id is not None:
            return self.app().ports.catalogs.of(subscription_id)
        return shipped_catalog()

    def add_local_settings(self) -> None:
        """Set what local.settings.json in the working folder has and the environment has not."""
        path = self.folder / LOCAL_SETTINGS
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise SettingsError(f"{path} cannot be read ({error.strerror})") from error
        for name, value in _values(path, content).items():
            self.env.setdefault(name, value)


def session_of(ctx: "typer.Context") -> Session:
    """Return the session that the root command set up."""
    session: Session = ctx.obj
    return session


def _values(path: Path, content: bytes) -> dict[str, str]:
    try:
        document: Any = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not JSON: {error}") from error
    values = document.get("Values", {}) if isinstance(document, dict) else None
    if not isinstance(values, dict):
        raise SettingsError(f'{path} holds no object "Values" with the settings')
    if document.get("IsEncrypted") is True:
        raise SettingsError(f"{path} is encrypted; decrypt it with: func settings decrypt")
    for name, value in values.items():
        if not isinstance(value, str) or "=" in name or not name or not _fits(name + value):
            raise SettingsError(f"{path}: the value of {name[:80]!r} must be a text, as in {{…}}")
    return values


def _fits(text: str) -> bool:
    """Tell whether an environment can hold the text: no NUL in it, and no half characters."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
