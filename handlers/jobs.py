"""The queue triggers of the workers: two queues, one reconcile behind both."""

import logging

import azure.functions as func

from bootstrap import get_app
from replication.domain.errors import FailureCode, MalformedError, NewerFormatError
from replication.domain.message import JobMessage
from replication.domain.trace_context import TraceParent
from replication.ports import QueueName
from replication.telemetry.log import log_outcome

blueprint = func.Blueprint()
# How long a message that a newer release wrote, or whose record it wrote, is left alone.
NEWER_DELAY_S = 300.0


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
    body = message.get_body().decode("utf-8", "backslashreplace")
    attempts = message.dequeue_count or 1
    app = get_app()
    try:
        app.reconciler.reconcile(
            JobMessage.decode(body),
            redelivered=attempts > 1,
            queue=queue,
            invocation=TraceParent.read(context.trace_context.trace_parent),
        )
    except NewerFormatError as error:
        # Failing would count against it until it is poison; so it waits as it came.
        log_outcome("message.newer", level=logging.WARNING, queue=queue.value, reason=str(error))
        app.ports.queues.put_back(queue, body, delay_s=NEWER_DELAY_S)
    except MalformedError as error:
        letter = app.desk.message(
            body,
            queue=queue.value,
            attempts=attempts,
            code=FailureCode.MALFORMED_MESSAGE,
            cause=str(error),
        )
        log_outcome(
            "message.unreadable",
            level=logging.ERROR,
            queue=queue.value,
            reason=str(error),
            dead_letter=letter.id,
        )
