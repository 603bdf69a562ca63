"""The queue triggers of the workers: two queues, one reconcile behind both."""

import azure.functions as func

from replication.bootstrap import get_app
from replication.errors import FailureCode, MalformedError, NewerFormatError
from replication.messages import JobMessage
from replication.ports import QueueName

blueprint = func.Blueprint()


@blueprint.function_name("replicate")
@blueprint.queue_trigger(
    arg_name="message", queue_name=QueueName.JOBS.value, connection="AzureWebJobsStorage"
)
def replicate(message: func.QueueMessage) -> None:
    """Look at a version that may need a write."""
    _reconcile(message, QueueName.JOBS)


@blueprint.function_name("track")
@blueprint.queue_trigger(
    arg_name="message", queue_name=QueueName.TRACKING.value, connection="AzureWebJobsStorage"
)
def track(message: func.QueueMessage) -> None:
    """Look at a version whose copies are under way."""
    _reconcile(message, QueueName.TRACKING)


def _reconcile(message: func.QueueMessage, queue: QueueName) -> None:
    body = message.get_body().decode("utf-8", "backslashreplace")
    attempts = message.dequeue_count or 1
    app = get_app()
    try:
        decoded = JobMessage.decode(body)
    except NewerFormatError:
        raise  # the newer release may take it; the host keeps it until then
    except MalformedError as error:
        app.desk.message(
            body,
            queue=queue.value,
            attempts=attempts,
            code=FailureCode.MALFORMED_MESSAGE,
            cause=str(error),
        )
        return
    app.reconciler.reconcile(decoded, redelivered=attempts > 1)
