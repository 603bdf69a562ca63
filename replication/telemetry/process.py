"""Process telemetry: its own figures always, and OpenTelemetry where it is set up."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field

from replication.domain.trace_context import TraceParent
from replication.telemetry.backend import Backend, BackendSpan
from replication.telemetry.log import log_fields
from replication.telemetry.metrics import CODE, Metric, MetricKind
from replication.telemetry.port import (
    NO_ATTRIBUTES,
    Attributes,
    PassingSpan,
    Sample,
    Span,
    SpanKind,
    Value,
)
from replication.telemetry.tally import Tally


@dataclass(frozen=True, slots=True)
class _Passing(PassingSpan):
    def happened(self, event: str, attributes: Attributes) -> None: ...


@dataclass(slots=True)
class _Work:
    """A span under way, which remembers its attributes for the figures."""

    span: BackendSpan
    attributes: dict[str, Value]

    @property
    def traceparent(self) -> TraceParent | None:
        return self.span.traceparent

    def set(self, name: str, value: Value) -> None:
        self.attributes[name] = value
        self.span.set(name, value)

    def failed(self, code: str) -> None:
        self.attributes[CODE] = code
        self.span.failed(code)


_OPEN: ContextVar[_Work | None] = ContextVar("gallery_replicator_span", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessTelemetry:
    """Implements the Telemetry port; `now_s` is a clock that only goes forward.

    Every log line of a span carries the id of its trace. `instance` tells processes apart.
    """

    instance: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    tally: Tally = field(default_factory=Tally)
    backend: Backend | None = None
    now_s: Callable[[], float] = time.perf_counter

    def trace(self) -> TraceParent | None:  # the context knows it, whoever asks
        work = _OPEN.get()
        return work.traceparent if work else None

    def happened(self, event: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        work = _OPEN.get()
        if work is not None:
            work.span.happened(event, attributes)

    def counted(self, metric: Metric, labels: Attributes = NO_ATTRIBUTES, *, by: float = 1) -> None:
        self._take(metric, by, labels)

    def observed(self, metric: Metric, value: float, labels: Attributes = NO_ATTRIBUTES) -> None:
        self._take(metric, value, labels)

    def expected(self, metric: Metric, labels: Attributes) -> None:
        self.tally.begin(metric, [metric.label_values(labels)])

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: TraceParent | None = None,
        link: TraceParent | None = None,
        attributes: Attributes = NO_ATTRIBUTES,
        duration: Metric | None = None,
        root: bool = False,
    ) -> Iterator[Span]:
        passing = _Passing(parent or (None if root else self.trace()))
        opened: AbstractContextManager[BackendSpan] = nullcontext(passing)
        if self.backend is not None:
            opened = self.backend.span(
                name, kind=kind, parent=parent, link=link, attributes=attributes, root=root
            )
        started_s = self.now_s()
        with opened as span:
            work = _Work(span, dict(attributes))
            trace = span.traceparent
            token = _OPEN.set(work)
            try:
                with log_fields(trace_id=trace.trace_id) if trace else nullcontext():
                    yield work
            except Exception as error:
                work.failed(type(error).__name__)
                raise
            finally:
                _OPEN.reset(token)
                if duration is not None:
                    self.observed(duration, self.now_s() - started_s, work.attributes)

    def watch(self, read: Callable[[], Iterable[Sample]]) -> None:
        """Let the gauges go where the figures go, if they go anywhere; reads nothing yet."""
        if self.backend is not None:
            self.backend.watch(read)

    def _take(self, metric: Metric, value: float, labels: Attributes) -> None:
        if metric.kind is MetricKind.HISTOGRAM:
            self.tally.observe(metric, labels, value)
        else:
            self.tally.add(metric, labels, value)
        if self.backend is not None:
            self.backend.record(metric, value, labels)
