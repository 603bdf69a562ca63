"""ControlStore: the table of what all instances share, as its users see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRow:
    """One row of what all instances share; the tag is that of the stored row."""

    kind: str
    key: str
    document: Mapping[str, Any]
    etag: str = ""


class ControlStore(Protocol):
    """What all instances share, a few hundred rows at most; every write is a compare-and-swap."""

    def all(self) -> tuple[ControlRow, ...]:
        """Return every row."""
        ...

    def load(self, kind: str, key: str) -> ControlRow | None:
        """Return the row, None when there is none."""
        ...

    def save(self, row: ControlRow, *, etag: str | None) -> None:
        """Write a row; raises RecordChangedError unless the stored tag is `etag` (None: no row)."""
        ...

    def remove(self, row: ControlRow) -> None:
        """Delete the row; raises RecordChangedError if it was changed; gone is fine."""
        ...
