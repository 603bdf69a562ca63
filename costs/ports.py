"""Ports of the cost audit: what it needs from outside, in the product's own words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from replication.domain.errors import FailureCode, PermanentError

SOURCE = "Azure Retail Prices API"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobInfo:
    """A blob by its name; `etag` changes with its content."""

    name: str
    size: int
    etag: str


class LedgerBlobs(Protocol):
    """The blobs of the container `cost-ledger`; every call raises what the storage raises."""

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """Return the blobs whose names begin so, in the order of their names."""
        ...

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Return a blob's content and tag, None when there is none."""
        ...

    def create(self, name: str, content: bytes) -> bool:
        """Write a blob that is not there yet; False, and nothing written, when it is."""
        ...

    def replace(self, name: str, content: bytes, *, etag: str | None) -> None:
        """Write a blob anew; raises RecordChangedError unless its tag is `etag` (None: no blob)."""
        ...

    def download(self, name: str, path: Path) -> None:
        """Write a blob's content into a file; raises MalformedError when there is no such blob."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine, a scale set or a lab: its resource type, and the image that it names.

    `image` is an ARM id, empty for an image of another kind; `exact_version` is what Azure chose
    where the id names a definition alone.
    """

    kind: str
    image: str
    exact_version: str = ""


class ImageConsumers(Protocol):
    """Everything that may run on an image version, in all subscriptions in sight."""

    def all(self) -> Iterator[Machine]:
        """List them; raises TransientError and PermanentError."""
        ...


@dataclass(frozen=True, slots=True)
class NoImageConsumers:
    """Stands where nobody can be asked."""

    def all(self) -> Iterator[Machine]:
        """Raise PermanentError: to know of no machine is not to know that there is none."""
        raise PermanentError("there is no Resource Graph to ask", code=FailureCode.INVALID_REQUEST)


class RetailList(Protocol):
    """The public price list; `source` names it where its prices are shown."""

    @property
    def source(self) -> str:
        """Name the list."""
        ...

    def rows(self, filter_text: str, currency: str) -> Iterator[Mapping[str, Any]]:
        """Yield every row that an OData filter selects, through all pages."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPorts:
    """Everything outside that costs use; `blobs` is None where no address of them is set."""

    blobs: LedgerBlobs | None = None
    consumers: ImageConsumers = field(default_factory=NoImageConsumers)
