"""Telemetry of this process, opened as its environment says."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from replication.telemetry.backend import sends
from replication.telemetry.job_metrics import CLOSED_SERIES
from replication.telemetry.process import ProcessTelemetry

# With it the worker itself starts Azure Monitor's distribution, if that is installed.
_WORKER_SWITCH = "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"
_YES = ("1", "true", "yes", "y", "t", "on")

# They tell each request at Information, with its address, query and headers.
_VENDORS = ("azure", "msal", "urllib3")


def quieten_vendors() -> None:
    """Let the vendor's clients log nothing below Warning.

    host.json cannot do it: the host files all lines of a function under `Function.NAME.User`.
    """
    for name in _VENDORS:
        logging.getLogger(name).setLevel(logging.WARNING)


def open_telemetry(env: Mapping[str, str]) -> ProcessTelemetry:
    """Return the telemetry of this process; OpenTelemetry is loaded only where it is set up.

    That is where an OTLP endpoint is set, or where the Functions worker has set its own way up.
    """
    telemetry = ProcessTelemetry()
    for metric, series in CLOSED_SERIES.items():
        telemetry.tally.begin(metric, series)
    exports = any(sends(env, signal) for signal in ("TRACES", "METRICS"))
    if not exports and env.get(_WORKER_SWITCH, "").strip().lower() not in _YES:
        return telemetry
    from replication.telemetry.otel import open_backend  # noqa: PLC0415 - it costs a cold start

    backend = open_backend(env, instance=telemetry.instance, exports=exports)
    return replace(telemetry, backend=backend)
