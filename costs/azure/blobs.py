"""Azure Blob Storage: the container of the ledger, the price books and the sizes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient

from costs.ports import BlobInfo
from replication.azure.storage.errors import classify
from replication.domain.errors import MalformedError, RecordChangedError
from replication.records.retries import blip_retries

CONTAINER = "cost-ledger"
_NO_CONTAINER = "ContainerNotFound"


@dataclass(slots=True)
class StorageBlobs:
    """Implements LedgerBlobs; the container comes into being with its first blob."""

    service: BlobServiceClient
    name: str = CONTAINER
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: ContainerClient | None = None

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """Return the blobs whose names begin so, in the order of their names."""
        found = self._call(lambda box: list(box.list_blobs(name_starts_with=prefix)))
        for blob in found or ():
            yield BlobInfo(name=blob.name, size=blob.size or 0, etag=str(blob.etag))

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Return a blob's content and tag, None when there is none."""

        def read(box: ContainerClient) -> tuple[bytes, str]:
            stream = box.download_blob(name)
            return stream.readall(), str(stream.properties.etag)

        return self._call(read)

    def create(self, name: str, content: bytes) -> bool:
        """Write a blob that is not there yet; False, and nothing written, when it is."""
        try:
            self._write(lambda box: box.upload_blob(name, content, overwrite=False))
        except ResourceExistsError:
            return False
        return True

    def replace(self, name: str, content: bytes, *, etag: str | None) -> None:
        """Write a blob anew; raises RecordChangedError unless its tag is `etag` (None: no blob)."""

        def write(box: ContainerClient) -> object:
            if etag is None:
                return box.upload_blob(name, content, overwrite=False)
            return box.upload_blob(
                name,
                content,
                overwrite=True,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )

        try:
            self._write(write)
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
            raise RecordChangedError(f"blob {name} was changed meanwhile") from error

    def download(self, name: str, path: Path) -> None:
        """Write a blob's content into a file; raises MalformedError when there is no such blob."""

        def download(box: ContainerClient) -> bool:
            with path.open("wb") as file:
                box.download_blob(name).readinto(file)
            return True

        if self._call(download) is None:
            raise MalformedError(f"there is no blob {name} in the container {self.name}")

    def _call[Result](self, action: Callable[[ContainerClient], Result]) -> Result | None:
        """Run a read; None where the blob or the container is not there."""

        def once() -> Result | None:
            try:
                return action(self._container())
            except ResourceNotFoundError:
                return None
            except AzureError as error:
                raise classify(error) from error

        return blip_retries()(once)

    def _write(self, action: Callable[[ContainerClient], object]) -> None:
        """Run a write, creating the container if that is what it lacks."""

        def once() -> None:
            try:
                action(self._container())
            except AzureError as error:
                if not _lacks_the_container(error):
                    raise _translated(error) from error
                self._create()
                try:
                    action(self._container())
                except AzureError as again:
                    raise _translated(again) from again

        blip_retries()(once)

    def _create(self) -> None:
        with suppress(ResourceExistsError):
            try:
                self._container().create_container()
            except ResourceExistsError:
                raise
            except AzureError as error:
                raise classify(error) from error

    def _container(self) -> ContainerClient:
        with self._lock:
            if self._client is None:
                self._client = self.service.get_container_client(self.name)
            return self._client


_ABOUT_THE_BLOB = (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError)


def _lacks_the_container(error: AzureError) -> bool:
    return getattr(error, "error_code", None) == _NO_CONTAINER


def _translated(error: AzureError) -> Exception:
    return error if isinstance(error, _ABOUT_THE_BLOB) else classify(error)
