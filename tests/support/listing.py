"""The listing in memory; keeps the contract of the real one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched, count

from replication.azure.storage.listing import TableListing
from replication.domain.errors import RecordChangedError, ReplicationError
from replication.listing.store import MAX_CHANGES, ListingChange, ListingRow


@dataclass
class MemoryListing:
    """Implements ListingStore; counts what it is asked."""

    rows: dict[str, ListingRow] = field(default_factory=dict)
    failures: list[ReplicationError] = field(default_factory=list)
    calls: int = 0
    rows_read: int = 0
    _tags: Iterator[int] = field(default_factory=lambda: count(1))

    def get(self, keys: Sequence[str]) -> dict[str, ListingRow]:
        self._call()
        assert len(keys) <= 15
        return {key: self.rows[key] for key in keys if key in self.rows}

    def between(self, first: str, last: str, *, limit: int) -> tuple[ListingRow, ...]:
        self._call()
        found = sorted(key for key in self.rows if first < key < last)[:limit]
        self.rows_read += len(found)
        return tuple(self.rows[key] for key in found)

    def commit(self, changes: Sequence[ListingChange]) -> None:
        self._call()
        assert len(changes) <= MAX_CHANGES
        assert len({one.key for one in changes}) == len(changes)
        for one in changes:
            row = self.rows.get(one.key)
            lacks = one.document is None and row is None
            if lacks or one.expected not in ("*", row.etag if row else None):
                raise RecordChangedError(f"{one.key} was changed meanwhile")
        for one in changes:
            if one.document is None:
                del self.rows[one.key]
            else:
                tag = str(next(self._tags))
                self.rows[one.key] = ListingRow(key=one.key, document=one.document, etag=tag)

    def _call(self) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)

    def write_to(self, table: TableListing) -> None:
        """Leave every row in a table that has none, in transactions as large as there may be."""
        for some in batched(self.rows.values(), MAX_CHANGES, strict=False):
            table.commit([ListingChange(key=one.key, document=one.document) for one in some])
