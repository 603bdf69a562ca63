"""A receiver of OTLP over HTTP on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.http.server import Handler, listening


@dataclass(slots=True)
class Receiver:
    """Keeps what was sent; `url` is the endpoint."""

    url: str = ""
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    def spans(self) -> Sequence[Span]:
        """Return every span that arrived."""
        return [
            span
            for path, body in tuple(self.bodies)
            if path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> set[str]:
        """Return the names of the metrics that arrived."""
        return {
            metric.name
            for path, body in tuple(self.bodies)
            if path == "/v1/metrics"
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def service(self) -> dict[str, str]:
        """Return what the sender says of itself."""
        first = next(body for path, body in self.bodies if path == "/v1/traces")
        (resource,) = ExportTraceServiceRequest.FromString(first).resource_spans
        return {one.key: one.value.string_value for one in resource.resource.attributes}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive on a free port until the block ends."""
    receiver = Receiver()

    class Receipts(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the base class looks for it
            receiver.bodies.append((self.path, self.body()))
            self.answer(200)

    with listening(Receipts) as receiver.url:
        yield receiver
