"""Queue triggers of the workers: two queues, one reconcile behind both.

All are bound as binary: of a text the host reads the metadata out of the body, and what is no UTF-8
fails before the function is called.
"""

import azure.functions as func

from bootstrap import get_app
from replication.domain.trace_context import TraceParent
from replication.ports import QueueName
from replication.reconcile.reconciler import Delivery
from replication.records.queue_body import open_body

blueprint = func.Blueprint()


@blueprint.function_name("replicate")
@blueprint.queue_trigger(
    arg_name="message",
    queue_name=QueueName.JOBS.value,
    connection="AzureWebJobsStorage",
    data_type=func.DataType.BINARY,
)
def replicate(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a version that may need a write."""
    get_app().reconciler.receive(_read(message, context), queue=QueueName.JOBS)


@blueprint.function_name("track")
@blueprint.queue_trigger(
    arg_name="message",
    queue_name=QueueName.TRACKING.value,
    connection="AzureWebJobsStorage",
    data_type=func.DataType.BINARY,
)
def track(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a version whose copies are under way."""
    get_app().reconciler.receive(_read(message, context), queue=QueueName.TRACKING)


def _read(message: func.QueueMessage, context: func.Context) -> Delivery:
    return Delivery(
        body=open_body(message.get_body()),
        attempts=message.dequeue_count or 1,
        invocation=TraceParent.read(context.trace_context.trace_parent),
    )
