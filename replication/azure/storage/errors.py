"""Translate what Azure Storage refuses, and retry its short blips."""

from azure.core.exceptions import AzureError, HttpResponseError
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from replication.domain.errors import FailureCode, PermanentError, ReplicationError, TransientError

_MAX_MESSAGE = 400


def classify(error: AzureError) -> ReplicationError:
    """Return what an error of the storage clients means."""
    message = " ".join(str(error).split())[:_MAX_MESSAGE]
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status == 403:  # noqa: PLR2004 - the number is the name
        return PermanentError(f"storage refused: {message}", code=FailureCode.NOT_AUTHORISED)
    return TransientError(f"storage: {message}", code=f"storage_{status or 'unreachable'}")


def blip_retries() -> Retrying:
    """Retry a storage blip: at most 4 tries within 8 s; the queue's own redelivery comes after."""
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(4) | stop_after_delay(8),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
