"""Queue triggers of the workers: two queues, one reconcile behind both."""

import azure.functions as func

from bootstrap import get_app
from replication.domain.trace_context import TraceParent
from replication.ports import QueueName

blueprint = func.Blueprint()


@blueprint.function_name("replicate")
@blueprint.queue_trigger(
    arg_name="message", queue_name=QueueName.JOBS.value, connection="AzureWebJobsStorage"
)
def replicate(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a version that may need a write."""
    _reconcile(message, QueueName.JOBS, context)


@blueprint.function_name("track")
@blueprint.queue_trigger(
    arg_name="message", queue_name=QueueName.TRACKING.value, connection="AzureWebJobsStorage"
)
def track(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a version whose copies are under way."""
    _reconcile(message, QueueName.TRACKING, context)


def _reconcile(message: func.QueueMessage, queue: QueueName, context: func.Context) -> None:
    get_app().reconciler.receive(
        message.get_body().decode("utf-8", "backslashreplace"),
        attempts=message.dequeue_count or 1,
        queue=queue,
        invocation=TraceParent.read(context.trace_context.trace_parent),
    )
