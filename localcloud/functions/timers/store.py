"""What timers keep in the host's storage: a status each, and a lease of who runs them."""

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import (
    BlobLeaseClient,
    BlobServiceClient,
    ContainerClient,
    LinearRetry,
)

from localcloud.functions.timers.monitor import ScheduleStatus

_CONTAINER = "azure-webjobs-hosts"
# The vendor's own pauses begin at 15 s, which a host that stops with its storage would wait.
_SOON = LinearRetry(backoff=1, retry_total=2, random_jitter_range=0)


class TimerStore(Protocol):
    """The status and the lease of each timer, by the name of its function."""

    async def read(self, name: str) -> str:
        """Return the status as it is stored, empty where there is none."""
        ...

    async def write(self, name: str, status: ScheduleStatus) -> None:
        """Keep the status."""
        ...

    async def acquire(self, name: str, lease_s: float) -> bool:
        """Take the lease; false while another host holds it."""
        ...

    async def renew(self, name: str) -> None:
        """Hold the lease for its time again."""
        ...

    async def release(self, name: str) -> None:
        """Give the lease back."""
        ...


@dataclass(slots=True)
class BlobTimerStore:
    """Keeps both where the real host does: the status and the lease are blobs."""

    service: BlobServiceClient
    host_id: str
    _leases: dict[str, BlobLeaseClient] = field(default_factory=dict)

    @classmethod
    def connect(cls, connection_string: str, *, host_id: str) -> "BlobTimerStore":
        """Open the store; its requests are not told in the host's log."""
        quiet = logging.getLogger("localcloud.timers.requests")
        quiet.setLevel(logging.CRITICAL)
        service = BlobServiceClient.from_connection_string(
            connection_string, retry_policy=_SOON, logger=quiet
        )
        return cls(service, host_id)

    async def read(self, name: str) -> str:
        return await asyncio.to_thread(self._read, name)

    async def write(self, name: str, status: ScheduleStatus) -> None:
        document = json.dumps(status.document(), separators=(",", ":"))
        await asyncio.to_thread(self._put, self._status_blob(name), document)

    async def acquire(self, name: str, lease_s: float) -> bool:
        return await asyncio.to_thread(self._acquire, name, int(lease_s))

    async def renew(self, name: str) -> None:
        await asyncio.to_thread(self._leases[name].renew)

    async def release(self, name: str) -> None:
        # A host whose storage is away cannot give it back; it lapses.
        with suppress(AzureError):
            await asyncio.to_thread(self._leases.pop(name).release)

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self.service.close)

    def _read(self, name: str) -> str:
        try:
            return self._blobs().download_blob(self._status_blob(name), encoding="utf-8").readall()
        except ResourceNotFoundError:
            return ""

    def _put(self, blob: str, text: str) -> None:
        self._blobs().upload_blob(blob, text, overwrite=True)

    def _acquire(self, name: str, lease_s: int) -> bool:
        blob = f"locks/{self.host_id}/Host.Functions.{name}.Listener"
        with suppress(ResourceExistsError):
            self._blobs().upload_blob(blob, b"")
        client = self._blobs().get_blob_client(blob)
        try:
            self._leases[name] = client.acquire_lease(lease_duration=lease_s)
        except ResourceExistsError:
            return False
        return True

    def _blobs(self) -> ContainerClient:
        container = self.service.get_container_client(_CONTAINER)
        with suppress(ResourceExistsError):
            container.create_container()
        return container

    def _status_blob(self, name: str) -> str:
        return f"timers/{self.host_id}/Host.Functions.{name}/status"
