"""Poison queues: whatever arrives is kept with its cause."""

import azure.functions as func

from bootstrap import get_app
from replication.ports import QueueName
from replication.records.queue_body import open_body

blueprint = func.Blueprint()


@blueprint.function_name("dead_letter_jobs")
@blueprint.queue_trigger(
    arg_name="message",
    queue_name=f"{QueueName.JOBS.value}-poison",
    connection="AzureWebJobsStorage",
    data_type=func.DataType.BINARY,
)
def dead_letter_jobs(message: func.QueueMessage) -> None:
    """Keep a message that `replicate` could not handle."""
    _keep(message, QueueName.JOBS)


@blueprint.function_name("dead_letter_tracking")
@blueprint.queue_trigger(
    arg_name="message",
    queue_name=f"{QueueName.TRACKING.value}-poison",
    connection="AzureWebJobsStorage",
    data_type=func.DataType.BINARY,
)
def dead_letter_tracking(message: func.QueueMessage) -> None:
    """Keep a message that `track` could not handle."""
    _keep(message, QueueName.TRACKING)


@blueprint.function_name("dead_letter_events")
@blueprint.queue_trigger(
    arg_name="message",
    queue_name=f"{QueueName.EVENTS.value}-poison",
    connection="AzureWebJobsStorage",
    data_type=func.DataType.BINARY,
)
def dead_letter_events(message: func.QueueMessage) -> None:
    """Keep the events of a message that `image_version_event_queue` could not handle."""
    get_app().event_queue.bury(open_body(message.get_body()))


def _keep(message: func.QueueMessage, queue: QueueName) -> None:
    get_app().desk.poison(message.get_body(), queue=queue.value)
