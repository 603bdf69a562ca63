"""The errors of Azure Storage, in the product's own words."""

from azure.core.exceptions import AzureError, HttpResponseError

from replication.domain.errors import FailureCode, PermanentError, ReplicationError, TransientError

_MAX_MESSAGE = 400


def classify(error: AzureError) -> ReplicationError:
    """Return what an error of the storage clients means."""
    message = " ".join(str(error).split())[:_MAX_MESSAGE]
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status == 403:  # noqa: PLR2004 - the number is the name
        return PermanentError(f"storage refused: {message}", code=FailureCode.NOT_AUTHORISED)
    return TransientError(f"storage: {message}", code=f"storage_{status or 'unreachable'}")
