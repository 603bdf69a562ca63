"""Blobs in memory, which keep the contract of the real ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from costs.ports import BlobInfo
from replication.domain.errors import MalformedError, RecordChangedError

# Of all stores together: as in Azure, no two contents ever have the same tag.
_TAGS = count(1)


@dataclass
class MemoryBlobs:
    """Implements LedgerBlobs."""

    blobs: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        for name, (content, etag) in sorted(self.blobs.items()):
            if name.startswith(prefix):
                yield BlobInfo(name=name, size=len(content), etag=etag)

    def read(self, name: str) -> tuple[bytes, str] | None:
        return self.blobs.get(name)

    def create(self, name: str, content: bytes) -> bool:
        if name in self.blobs:
            return False
        self.blobs[name] = (content, str(next(_TAGS)))
        return True

    def replace(self, name: str, content: bytes, *, etag: str | None) -> None:
        found = self.blobs.get(name)
        if (found[1] if found else None) != etag:
            raise RecordChangedError(f"blob {name} was changed meanwhile")
        self.blobs[name] = (content, str(next(_TAGS)))

    def download(self, name: str, path: Path) -> None:
        found = self.blobs.get(name)
        if found is None:
            raise MalformedError(f"there is no blob {name}")
        path.write_bytes(found[0])
