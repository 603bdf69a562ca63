"""Build the storage clients from a connection string or an identity."""

from dataclasses import dataclass
from typing import Any

from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueServiceClient

# The clients' own retries block for a minute; tenacity serves instead, with bounds.
_OPTIONS: dict[str, Any] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAccount:
    """How to reach the account: a connection string, or two endpoints and the app's identity."""

    connection_string: str | None = None
    queue_url: str | None = None
    table_url: str | None = None
    client_id: str | None = None

    def tables(self) -> TableServiceClient:
        """Return the client for the account's tables."""
        if self.connection_string is not None:
            return TableServiceClient.from_connection_string(self.connection_string, **_OPTIONS)
        return TableServiceClient(
            endpoint=str(self.table_url), credential=self._identity(), **_OPTIONS
        )

    def queues(self) -> QueueServiceClient:
        """Return the client for the account's queues."""
        if self.connection_string is not None:
            return QueueServiceClient.from_connection_string(self.connection_string, **_OPTIONS)
        return QueueServiceClient(str(self.queue_url), credential=self._identity(), **_OPTIONS)

    def _identity(self) -> DefaultAzureCredential:
        return DefaultAzureCredential(
            managed_identity_client_id=self.client_id,
            exclude_interactive_browser_credential=True,
        )
