"""The spans of an event and of a message, and which trace a replication belongs to."""

from contextlib import AbstractContextManager
from dataclasses import replace

from replication.domain.job import ReplicationJob
from replication.domain.message import JobMessage
from replication.domain.trace_context import TraceParent
from replication.intake.events import ReceivedEvent
from replication.telemetry.metrics import PROCESS_DURATION, QUEUE
from replication.telemetry.port import Span, SpanKind, Telemetry, Value

# Azure Queue Storage has no name among the conventions' messaging systems yet.
QUEUE_SYSTEM = "azure_storage_queue"
_MAX_SHOWN = 100
_PROCESS: dict[str, Value] = {
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
}


def event_span(
    telemetry: Telemetry, event: ReceivedEvent, invocation: TraceParent | None
) -> AbstractContextManager[Span]:
    """Open the span of an event, with which the trace of a replication begins."""
    attributes: dict[str, Value] = {
        **_PROCESS,
        "messaging.system": "eventgrid",
        "messaging.message.id": event.id[:_MAX_SHOWN],
        "cloudevents.event_type": event.type[:_MAX_SHOWN],
    }
    return telemetry.span(
        "process event", kind=SpanKind.CONSUMER, parent=invocation, attributes=attributes
    )


def message_span(
    telemetry: Telemetry, message: JobMessage, queue: str, invocation: TraceParent | None
) -> AbstractContextManager[Span]:
    """Open the span of a look, under what began its trace and not under the invocation.

    All looks of a run stand side by side under their beginning: in a row, each under the one
    before, a day of looks would be hundreds of levels deep.
    """
    attributes: dict[str, Value] = {
        **_PROCESS,
        "messaging.system": QUEUE_SYSTEM,
        QUEUE: queue,
        "messaging.message.conversation_id": message.correlation_id[:_MAX_SHOWN],
        "gallery_replicator.key": message.key,
        "gallery_replicator.sequence": message.sequence,
    }
    return telemetry.span(
        f"process {queue}",
        kind=SpanKind.CONSUMER,
        parent=message.traceparent or invocation,
        link=invocation if message.traceparent else None,
        attributes=attributes,
        duration=PROCESS_DURATION,
    )


def traced(
    before: ReplicationJob, after: ReplicationJob, trace: TraceParent | None, *, anew: bool
) -> ReplicationJob:
    """Let a new run belong to the trace that began it; one under way keeps its own."""
    begins = anew or before.phase.is_end or before.traceparent is None
    return replace(after, traceparent=trace) if begins and trace is not None else after
