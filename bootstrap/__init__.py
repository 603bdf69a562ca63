"""The composition root: only here services, costs, adapters and the environment meet."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap.adapters import APP_ROOT, open_ports
from bootstrap.app import App, build_app
from bootstrap.telemetry import open_telemetry, quieten_vendors
from replication.config.policy_file import load_policy
from replication.config.settings import Settings
from replication.gauges import GaugeLeader, hold_s

_lock = threading.Lock()
_app: App | None = None


def get_app() -> App:
    """Return the app of this process, built from the environment when first asked for.

    Raises SettingsError or PolicyFileError that say what to mend.
    """
    global _app  # noqa: PLW0603 - one app a process, made when the first trigger fires
    with _lock:
        if _app is None:
            _app = _open_app()
        return _app


@contextmanager
def use(app: App | None) -> Iterator[None]:
    """Let `get_app` return this app for a while; None is one built anew from the environment."""
    global _app  # noqa: PLW0603 - as above
    with _lock:
        before, _app = _app, app
    try:
        yield
    finally:
        with _lock:
            _app = before


def _open_app() -> App:
    quieten_vendors()
    settings = Settings.from_env(os.environ, app_root=APP_ROOT)
    telemetry = open_telemetry(os.environ)
    app = build_app(settings, load_policy(settings.policy_path), open_ports(settings, telemetry))
    leader = GaugeLeader(
        gauges=app.gauges,
        shared_state=app.shared_state,
        clock=app.ports.clock,
        owner=telemetry.instance,
        hold_s=hold_s(os.environ),
    )
    telemetry.watch(leader.read)
    return app
