"""The port of the listing: one sorted row of keys, read by range and changed in transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# What one transaction of a table takes.
MAX_CHANGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """One row; the tag is that of the stored row."""

    key: str
    document: Mapping[str, Any]
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingChange:
    """Put a row, or delete it where there is no document.

    `expected` is the tag that the stored row must have: None for none at all, and "*" for
    whatever is there or not.
    """

    key: str
    document: Mapping[str, Any] | None
    expected: str | None = "*"


class ListingStore(Protocol):
    """The rows of the listing, in the order of their keys."""

    def get(self, keys: Sequence[str]) -> dict[str, ListingRow]:
        """Return those of the rows that there are, at most fifteen asked for in one call."""
        ...

    def between(self, first: str, last: str, *, limit: int) -> tuple[ListingRow, ...]:
        """Return the first rows whose keys lie after `first` and before `last`: in one call."""
        ...

    def commit(self, changes: Sequence[ListingChange]) -> None:
        """Make all changes or none.

        Raises RecordChangedError where a row has not the tag that was expected, and where one that
        is to be deleted is not there.
        """
        ...
