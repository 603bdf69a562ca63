"""Poison queues: whatever arrives is kept with its cause."""

import azure.functions as func

from bootstrap import get_app
from replication.ports import QueueName

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


def _keep(message: func.QueueMessage, queue: QueueName) -> None:
    get_app().desk.poison(message.get_body(), queue=queue.value)
