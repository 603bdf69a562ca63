"""Event Grid trigger."""

from typing import Any

import azure.functions as func

from bootstrap import get_app
from replication.domain.trace_context import TraceParent
from replication.intake.events import ReceivedEvent, parse_time

blueprint = func.Blueprint()


@blueprint.function_name("image_version_event")
@blueprint.event_grid_trigger(arg_name="event")
def image_version_event(event: func.EventGridEvent, context: func.Context) -> None:
    """Take in one event of either schema."""
    received, raw = decode(event)
    invocation = TraceParent.read(context.trace_context.trace_parent)
    get_app().intake.receive(received, raw, traceparent=invocation)


def decode(event: func.EventGridEvent | func.CloudEvent) -> tuple[ReceivedEvent, dict[str, Any]]:
    """Bring both schemas into one shape; the runtime picks the class by the body, not by us."""
    if isinstance(event, func.CloudEvent):
        kind, source, at = event.type, event.source, event.time
        data: object = event.get_json()
    else:
        kind, source, at = event.event_type, event.topic, event.event_time
        data = event.get_json()
    received = ReceivedEvent(
        id=_text(event.id),
        type=_text(kind),
        subject=_text(event.subject),
        at=parse_time(at),
        data=data,
        source=_text(source),
    )
    raw = {
        "id": event.id,
        "type": kind,
        "source": source,
        "subject": event.subject,
        "time": at.isoformat() if at else None,
        "data": data,
    }
    return received, raw


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
