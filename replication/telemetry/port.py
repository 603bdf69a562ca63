"""Telemetry port: what the services tell, whoever listens. Nothing here can fail."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Protocol, Self

from replication.domain.trace_context import TraceParent
from replication.telemetry.metrics import Metric

type Value = str | int | float | bool

# What the spans of an event and of a message have in common, and how much of a word they show.
PROCESS: Mapping[str, Value] = {
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
}
MAX_SHOWN = 100
type Attributes = Mapping[str, Value]
NO_ATTRIBUTES: Attributes = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of a gauge."""

    metric: Metric
    value: float
    labels: Attributes = NO_ATTRIBUTES


class GaugeSource(Protocol):
    """A part of what stands in storage, in a number of calls that does not grow with it."""

    @property
    def part(self) -> str:
        """The name of the part, for when it cannot be read."""
        ...

    def read(self) -> Iterable[Sample]:
        """Return the samples; raises what the storage raises."""
        ...


class SpanKind(StrEnum):
    """Which part a span plays between two sides."""

    INTERNAL = "internal"
    CONSUMER = "consumer"
    CLIENT = "client"


class Span(Protocol):
    """A piece of work under way."""

    @property
    def traceparent(self) -> TraceParent | None:
        """What later work is to name as its parent; None where there is no trace."""
        ...

    def set(self, name: str, value: Value) -> None:
        """Add an attribute."""
        ...

    def failed(self, code: str) -> None:
        """Mark it as failed; an exception that leaves it does so by itself."""
        ...


class Telemetry(Protocol):
    """Takes figures and spans; no call may raise, whatever becomes of the figures."""

    def trace(self) -> TraceParent | None:
        """Return the innermost span that is open, as later work is to name it."""
        ...

    def happened(self, event: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        """Note in the innermost span that is open that something happened."""
        ...

    def counted(self, metric: Metric, labels: Attributes = NO_ATTRIBUTES, *, by: float = 1) -> None:
        """Add to a counter."""
        ...

    def observed(self, metric: Metric, value: float, labels: Attributes = NO_ATTRIBUTES) -> None:
        """Add a value to a histogram."""
        ...

    def expected(self, metric: Metric, labels: Attributes) -> None:
        """Let a series begin, at zero, that may get its first value before long.

        Who computes increases sees none in a series that begins with its first value.
        """
        ...

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
    ) -> AbstractContextManager[Span]:
        """Open a span, under the one that is open where no `parent` is given and it is no `root`.

        `link` names another trace that has to do with it. `duration` takes how long it was open,
        under those of its attributes that are the metric's labels.
        """
        ...


@dataclass(frozen=True, slots=True)
class PassingSpan:
    """A span that nobody records; the trace goes on through it."""

    traceparent: TraceParent | None = None

    def set(self, name: str, value: Value) -> None: ...

    def failed(self, code: str) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


_NO_SPAN = PassingSpan()


@dataclass(frozen=True, slots=True)
class NoTelemetry:
    """Nobody listens."""

    def trace(self) -> None: ...

    def happened(self, event: str, attributes: Attributes = NO_ATTRIBUTES) -> None: ...

    def counted(
        self, metric: Metric, labels: Attributes = NO_ATTRIBUTES, *, by: float = 1
    ) -> None: ...

    def observed(
        self, metric: Metric, value: float, labels: Attributes = NO_ATTRIBUTES
    ) -> None: ...

    def expected(self, metric: Metric, labels: Attributes) -> None: ...

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
    ) -> PassingSpan:
        del name, kind, link, attributes, duration, root
        return _NO_SPAN if parent is None else PassingSpan(parent)


NO_TELEMETRY: Telemetry = NoTelemetry()
