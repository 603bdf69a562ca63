"""Queue triggers of the workers: two queues, one reconcile behind both."""

import azure.functions as func

from bootstrap import get_app
from handlers.queue_triggers import on_queue
from replication.domain.trace_context import TraceParent
from replication.ports import QueueName
from replication.reconcile.reconciler import Delivery
from replication.records.queue_body import open_body

blueprint = func.Blueprint()


@on_queue(blueprint, "replicate", QueueName.JOBS.value)
def replicate(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a version that may need a write."""
    get_app().reconciler.receive(_read(message, context), queue=QueueName.JOBS)


@on_queue(blueprint, "track", QueueName.TRACKING.value)
def track(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a version whose copies are under way."""
    get_app().reconciler.receive(_read(message, context), queue=QueueName.TRACKING)


def _read(message: func.QueueMessage, context: func.Context) -> Delivery:
    return Delivery(
        body=open_body(message.get_body()),
        attempts=message.dequeue_count or 1,
        invocation=TraceParent.read(context.trace_context.trace_parent),
    )
