"""Backend: where spans and figures go besides this process, and what it has to be told."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from replication.domain.trace_context import TraceParent
from replication.telemetry.metrics import Metric
from replication.telemetry.port import Attributes, Sample, Span, SpanKind


class Backend(Protocol):
    """Where spans and figures go besides."""

    def record(self, metric: Metric, value: float, labels: Attributes) -> None:
        """Take an increment of a counter, or a value of a histogram."""
        ...

    def span(
        self,
        name: str,
        *,
        kind: SpanKind,
        parent: TraceParent | None,
        link: TraceParent | None,
        attributes: Attributes,
        root: bool,
    ) -> AbstractContextManager["BackendSpan"]:
        """Open a span."""
        ...

    def watch(self, read: Callable[[], Iterable[Sample]]) -> None:
        """Ask for the gauges each time that figures are sent, and not before."""
        ...


class BackendSpan(Span, Protocol):
    """A span that takes events as well."""

    def happened(self, event: str, attributes: Attributes) -> None:
        """Note something that happened within it."""
        ...


def sends(env: Mapping[str, str], signal: str) -> bool:
    """Tell whether an address is set for a signal; an exporter without one would make one up."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return any(env.get(name, "").strip() for name in names)
