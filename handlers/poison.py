"""Poison queues: whatever arrives is kept with its cause."""

import azure.functions as func

from bootstrap import get_app
from handlers.queue_triggers import on_queue
from replication.ports import QueueName
from replication.records.queue_body import open_body

blueprint = func.Blueprint()


@on_queue(blueprint, "dead_letter_jobs", f"{QueueName.JOBS.value}-poison")
def dead_letter_jobs(message: func.QueueMessage) -> None:
    """Keep a message that `replicate` could not handle."""
    _keep(message, QueueName.JOBS)


@on_queue(blueprint, "dead_letter_tracking", f"{QueueName.TRACKING.value}-poison")
def dead_letter_tracking(message: func.QueueMessage) -> None:
    """Keep a message that `track` could not handle."""
    _keep(message, QueueName.TRACKING)


@on_queue(blueprint, "dead_letter_events", f"{QueueName.EVENTS.value}-poison")
def dead_letter_events(message: func.QueueMessage) -> None:
    """Keep the events of a message that `image_version_event_queue` could not handle."""
    get_app().event_queue.bury(open_body(message.get_body()))


def _keep(message: func.QueueMessage, queue: QueueName) -> None:
    get_app().desk.poison(message.get_body(), queue=queue.value)
