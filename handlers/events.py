"""The two ways of an event into the app: Event Grid's webhook, and a queue that it writes to."""

from typing import Any

import azure.functions as func

from bootstrap import get_app
from handlers.queue_triggers import on_queue
from replication.domain.trace_context import TraceParent
from replication.intake.events import ReceivedEvent, cloud_data, receive_event
from replication.ports import QueueName
from replication.records.queue_body import open_body

blueprint = func.Blueprint()


@blueprint.function_name("image_version_event")
@blueprint.event_grid_trigger(arg_name="event")
def image_version_event(event: func.EventGridEvent, context: func.Context) -> None:
    """Take in one event of either schema."""
    received, raw = decode(event)
    invocation = TraceParent.read(context.trace_context.trace_parent)
    get_app().intake.receive(received, raw, traceparent=invocation)


@on_queue(blueprint, "image_version_event_queue", QueueName.EVENTS.value)
def image_version_event_queue(message: func.QueueMessage, context: func.Context) -> None:
    """Take in the events of a message."""
    invocation = TraceParent.read(context.trace_context.trace_parent)
    get_app().event_queue.receive(open_body(message.get_body()), traceparent=invocation)


def decode(event: func.EventGridEvent | func.CloudEvent) -> tuple[ReceivedEvent, dict[str, Any]]:
    """Bring both schemas into one shape; the runtime picks the class by the body, not by us."""
    if isinstance(event, func.CloudEvent):
        return receive_event(
            event_id=event.id,
            kind=event.type,
            source=event.source,
            subject=event.subject,
            time=event.time,
            data=cloud_data(event.get_json(), event.extension_attrs.get("data_base64")),
        )
    return receive_event(
        event_id=event.id,
        kind=event.event_type,
        source=event.topic,
        subject=event.subject,
        time=event.event_time,
        data=event.get_json(),
    )
