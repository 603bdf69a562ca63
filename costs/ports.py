"""What the cost audit needs from outside, in the product's own words."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


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
