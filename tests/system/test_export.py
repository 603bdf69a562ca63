"""Spans and figures reach an OTLP endpoint, in a process of their own."""

import os
import subprocess
import sys
import time

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider

from replication.telemetry.metrics import EVENTS
from replication.telemetry.otel import OpenTelemetryBackend
from replication.telemetry.process import ProcessTelemetry
from tests.support.documents import PROJECT
from tests.support.otlp import Receiver, receiving

TRACE = "0af7651916cd43dd8448eb211c80319c"
PROGRAM = f"""
import os
from replication.domain.trace_context import TraceParent
from replication.telemetry.metrics import EVENTS
from bootstrap.telemetry import open_telemetry

telemetry = open_telemetry(os.environ)
with telemetry.span("work", parent=TraceParent("{TRACE}", "b7ad6b7169203331", 1)):
    telemetry.counted(EVENTS)
print(telemetry.instance)
"""


def test_what_is_told_arrives_when_the_process_ends() -> None:
    with receiving() as receiver:
        ended = subprocess.run(  # noqa: S603 - this interpreter and a program of our own
            [sys.executable, "-c", PROGRAM],
            cwd=PROJECT,
            env={
                **os.environ,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
                "WEBSITE_SITE_NAME": "lab-replicator",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        (span,) = receiver.spans()
        assert (span.name, span.trace_id.hex()) == ("work", TRACE)
        assert receiver.metrics() == {"gallery_replicator.events"}
        service = receiver.service()
        assert service["service.name"] == "lab-replicator"
        assert service["service.instance.id"] == ended.stdout.strip()


@pytest.mark.parametrize("signal", ["TRACES", "METRICS"])
def test_what_has_no_address_of_its_own_is_sent_nowhere(signal: str) -> None:
    with receiving() as receiver:
        path = f"/v1/{signal.lower()}"
        ended = subprocess.run(  # noqa: S603 - this interpreter and a program of our own
            [sys.executable, "-c", PROGRAM],
            cwd=PROJECT,
            env={**os.environ, f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT": f"{receiver.url}{path}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        # Nothing is tried at an address that nobody has set.
        assert (ended.returncode, ended.stderr) == (0, "")
        assert bool(receiver.spans()) == (signal == "TRACES")
        assert bool(receiver.metrics()) == (signal == "METRICS")


GAUGES = """
import atexit, os, sys
from replication.telemetry.metrics import JOBS, PHASE
from replication.telemetry.port import Sample
from bootstrap.telemetry import open_telemetry

reads = []
atexit.register(lambda: print(len(reads)))

def read():
    reads.append(1)
    return [Sample(metric=JOBS, value=7.0, labels={PHASE: "tracking"})]

telemetry = open_telemetry(os.environ)
telemetry.watch(read)
sys.stdin.read()
"""


def gauges_process(receiver: Receiver, **env: str) -> subprocess.Popen[str]:
    """Start a process that has gauges, and ends when its standard input is closed."""
    return subprocess.Popen(  # noqa: S603 - this interpreter and a program of our own
        [sys.executable, "-c", GAUGES],
        cwd=PROJECT,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_gauges_arrive_while_the_process_runs() -> None:
    with (
        receiving() as receiver,
        gauges_process(receiver, OTEL_METRIC_EXPORT_INTERVAL="100") as process,
    ):
        deadline = time.monotonic() + 60
        while not receiver.metrics() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert int(out) >= 1
        assert receiver.metrics() == {"gallery_replicator.jobs"}


def test_a_process_that_ends_reads_no_storage_for_its_last_export() -> None:
    with receiving() as receiver, gauges_process(receiver) as process:
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out.strip(), errors) == (0, "0", "")
        assert receiver.metrics() == set()


WORKER = f"""
import json
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from replication.domain.trace_context import TraceParent
from bootstrap.telemetry import open_telemetry

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
telemetry = open_telemetry({{"PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true"}})
with telemetry.span("work", parent=TraceParent("{TRACE}", "b7ad6b7169203331", 1)):
    pass
print([one.name for one in kept.get_finished_spans()])
"""


def test_what_the_worker_has_set_up_is_used() -> None:
    ended = subprocess.run(  # noqa: S603 - this interpreter and a program of our own
        [sys.executable, "-c", WORKER],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "['work']"), ended.stderr


def test_a_tracer_that_makes_no_spans_leaves_the_work_alone() -> None:
    backend = OpenTelemetryBackend(
        tracer=NoOpTracerProvider().get_tracer("none"), meter=NoOpMeterProvider().get_meter("none")
    )
    telemetry = ProcessTelemetry(backend=backend)
    with telemetry.span("work") as span:
        telemetry.counted(EVENTS)
        assert span.traceparent is None
    assert telemetry.tally.figures().counters[EVENTS] == {("",): 1}
