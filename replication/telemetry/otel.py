"""OpenTelemetry backend; imported only where it is set up, for it costs a cold start."""

import atexit
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import (
    CallbackOptions,
    Counter,
    Histogram,
    Meter,
    Observation,
    get_meter_provider,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from replication.domain.trace_context import TraceParent
from replication.telemetry.backend import BackendSpan, sends
from replication.telemetry.metrics import BUILD, CODE, METRICS, Metric, MetricKind
from replication.telemetry.port import Attributes, Sample, SpanKind, Value
from replication.telemetry.release import release

SERVICE = "gallery-replicator"
_KINDS = {
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
}


@dataclass(frozen=True, slots=True)
class _Span:
    span: trace.Span

    @property
    def traceparent(self) -> TraceParent | None:
        context = self.span.get_span_context()
        if not context.is_valid:
            return None
        return TraceParent(
            trace_id=trace.format_trace_id(context.trace_id),
            span_id=trace.format_span_id(context.span_id),
            flags=int(context.trace_flags),
        )

    def set(self, name: str, value: Value) -> None:
        self.span.set_attribute(name, value)

    def failed(self, code: str) -> None:
        self.span.set_attribute(CODE, code)
        self.span.set_status(Status(StatusCode.ERROR))

    def happened(self, event: str, attributes: Attributes) -> None:
        self.span.add_event(event, attributes)


@dataclass(slots=True)
class OpenTelemetryBackend:
    """Implements the Backend port on a tracer and a meter."""

    tracer: trace.Tracer
    meter: Meter
    _instruments: dict[Metric, Counter | Histogram] = field(default_factory=dict)

    def record(self, metric: Metric, value: float, labels: Attributes) -> None:
        known = {name: labels[name] for name in metric.labels if name in labels}
        instrument = self._instruments.get(metric) or self._instrument(metric)
        if isinstance(instrument, Histogram):
            instrument.record(value, known)
        else:
            instrument.add(value, known)

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind,
        parent: TraceParent | None,
        link: TraceParent | None,
        attributes: Attributes,
        root: bool,
    ) -> Iterator[BackendSpan]:
        above = Context() if root else None
        if parent is not None:
            above = trace.set_span_in_context(NonRecordingSpan(_context(parent)))
        with self.tracer.start_as_current_span(
            name,
            context=above,
            kind=_KINDS[kind],
            attributes=attributes,
            links=[] if link is None else [Link(_context(link))],
            # The words of an error may hold addresses with their queries; its class tells enough.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield _Span(span)

    def watch(self, read: Callable[[], Iterable[Sample]]) -> None:
        ended = threading.Event()
        # Called before the last export of the process, for which no storage is to be read.
        atexit.register(ended.set)
        for metric in METRICS:
            # Which release it is stands in the resource.
            if metric.kind is MetricKind.GAUGE and metric is not BUILD:
                self.meter.create_observable_gauge(
                    metric.name,
                    callbacks=[_reading(metric, read, ended)],
                    unit=metric.unit,
                    description=metric.description,
                )

    def _instrument(self, metric: Metric) -> Counter | Histogram:
        made: Counter | Histogram
        if metric.kind is MetricKind.HISTOGRAM:
            made = self.meter.create_histogram(
                metric.name,
                unit=metric.unit,
                description=metric.description,
                explicit_bucket_boundaries_advisory=metric.buckets,
            )
        else:
            made = self.meter.create_counter(
                metric.name, unit=metric.unit, description=metric.description
            )
        return self._instruments.setdefault(metric, made)


def open_backend(
    env: Mapping[str, str], *, instance: str, exports: bool
) -> OpenTelemetryBackend | None:
    """Return the way out: the providers that the worker set up, else exporters of our own.

    The exporters read where to send from the variables that OpenTelemetry names. None where
    neither is there: `exports` tells whether an address is set.
    """
    tracers, meters = trace.get_tracer_provider(), get_meter_provider()
    if not isinstance(tracers, TracerProvider):
        if not exports:
            return None
        resource = Resource.create(
            {
                "service.name": env.get("OTEL_SERVICE_NAME")
                or env.get("WEBSITE_SITE_NAME", SERVICE),
                "service.version": release(),
                "service.instance.id": instance,
            }
        )
        # Without an address for spans there are none to send, but the trace goes through the log.
        tracers = TracerProvider(resource=resource)
        if sends(env, "TRACES"):
            tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        readers = []
        if sends(env, "METRICS"):
            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
        meters = MeterProvider(readers, resource)
    return OpenTelemetryBackend(tracer=tracers.get_tracer(SERVICE), meter=meters.get_meter(SERVICE))


def _reading(
    metric: Metric, read: Callable[[], Iterable[Sample]], ended: threading.Event
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        samples = () if ended.is_set() else read()
        return [Observation(one.value, one.labels) for one in samples if one.metric is metric]

    return observe


def _context(place: TraceParent) -> SpanContext:
    return SpanContext(
        trace_id=int(place.trace_id, 16),
        span_id=int(place.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(place.flags),
    )
