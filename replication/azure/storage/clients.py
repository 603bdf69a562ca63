"""Build the storage clients from a connection string or an identity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from replication.azure.identity import own_credential
from replication.domain.errors import MalformedError

# The clients' own retries block for a minute; tenacity serves instead, with bounds.
_OPTIONS: dict[str, Any] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAccount:
    """How to reach the account: a connection string, or its endpoints and the app's identity."""

    connection_string: str | None = None
    queue_url: str | None = None
    table_url: str | None = None
    blob_url: str | None = None
    client_id: str | None = None
    identity_id: str | None = None

    def tables(self) -> TableServiceClient:
        """Return the client for the account's tables; raises MalformedError."""
        if self.connection_string is not None:
            return _connect(TableServiceClient.from_connection_string, self.connection_string)
        return TableServiceClient(
            endpoint=str(self.table_url), credential=self._identity(), **_OPTIONS
        )

    def queues(self) -> QueueServiceClient:
        """Return the client for the account's queues; raises MalformedError."""
        if self.connection_string is not None:
            return _connect(QueueServiceClient.from_connection_string, self.connection_string)
        return QueueServiceClient(str(self.queue_url), credential=self._identity(), **_OPTIONS)

    def blobs(self) -> BlobServiceClient | None:
        """Return the client for the account's blobs, None where no address is set.

        Raises MalformedError.
        """
        if self.connection_string is not None:
            return _connect(BlobServiceClient.from_connection_string, self.connection_string)
        if self.blob_url is None:
            return None
        return BlobServiceClient(self.blob_url, credential=self._identity(), **_OPTIONS)

    def _identity(self) -> TokenCredential:
        return own_credential(self.client_id, self.identity_id)


def _connect[Client](connect: Callable[..., Client], connection_string: str) -> Client:
    """Open a client; the error does not repeat the text, which holds the account's key."""
    try:
        return connect(connection_string, **_OPTIONS)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise MalformedError(
            "AzureWebJobsStorage is no connection string of a storage account; it looks like "
            "DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=…, as the "
            "account's page of access keys shows it"
        ) from error
