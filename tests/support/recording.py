"""Telemetry that can be looked at: OpenTelemetry's own SDK, with everything kept in memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from replication.telemetry.otel import OpenTelemetryBackend
from replication.telemetry.process import ProcessTelemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A process's telemetry, with what it sent."""

    telemetry: ProcessTelemetry
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def spans(self, name: str = "") -> Sequence[ReadableSpan]:
        """Return the finished spans whose names begin so, in the order of their ends."""
        return [one for one in self.exporter.get_finished_spans() if one.name.startswith(name)]

    def figures(self, metric: str) -> dict[str, float]:
        """Return a metric's counts, or its sums, by the values of its labels."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return {
            " ".join(map(str, point["attributes"].values())): point.get("value", point.get("sum"))
            for resource in json.loads(data.to_json())["resource_metrics"]
            for scope in resource["scope_metrics"]
            for one in scope["metrics"]
            if one["name"] == metric
            for point in one["data"]["data_points"]
        }

    def traces(self, name: str = "") -> set[str]:
        """Return the ids of the traces of those spans."""
        return {trace_of(one) for one in self.spans(name)}


def trace_of(span: ReadableSpan) -> str:
    """Return the id of a span's trace."""
    context = span.get_span_context()
    assert context is not None
    return format_trace_id(context.trace_id)


def record() -> Recording:
    """Return telemetry that keeps everything."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    backend = OpenTelemetryBackend(
        tracer=tracers.get_tracer("test"), meter=meters.get_meter("test")
    )
    return Recording(telemetry=ProcessTelemetry(backend=backend), exporter=exporter, reader=reader)
