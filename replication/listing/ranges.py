"""Read one page from ranges of a listing: as many rows as asked for and one more, never others."""

import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from replication.domain.errors import MalformedError
from replication.listing.store import ListingRow, ListingStore

# Sorts after every character of a row key.
END = "\uffff"
_MAX_CURSOR = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class RangePage:
    """The rows of one page, whichever of them are shown; `next_cursor` is None on the last."""

    rows: tuple[ListingRow, ...]
    next_cursor: str | None
    rows_read: int
    calls: int


def read_ranges(
    store: ListingStore, prefixes: Sequence[str], *, cursor: str | None, limit: int
) -> RangePage:
    """Read the rows whose keys begin with the prefixes, one range after another.

    Raises MalformedError for a cursor of another's making.
    """
    at, after = _position(cursor, prefixes)
    rows: list[ListingRow] = []
    calls = 0
    for number in range(at, len(prefixes)):
        rows += store.between(after, prefixes[number] + END, limit=limit + 1 - len(rows))
        calls += 1
        if len(rows) > limit:
            break
        if number + 1 < len(prefixes):
            after = prefixes[number + 1]
    return RangePage(
        rows=tuple(rows[:limit]),
        next_cursor=_cursor(rows[limit - 1].key) if len(rows) > limit else None,
        rows_read=len(rows),
        calls=calls,
    )


def _cursor(row_key: str) -> str:
    return base64.urlsafe_b64encode(row_key.encode()).decode().rstrip("=")


def _position(cursor: str | None, prefixes: Sequence[str]) -> tuple[int, str]:
    """Return the range to go on with, and the row key after which; raises MalformedError."""
    if cursor is None:
        return 0, prefixes[0]
    row_key = ""
    if len(cursor) <= _MAX_CURSOR and cursor.isascii():
        padded = cursor + "=" * (-len(cursor) % 4)
        with suppress(binascii.Error, UnicodeDecodeError):
            row_key = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    for number, prefix in enumerate(prefixes):
        if row_key.startswith(prefix):
            return number, row_key
    raise MalformedError("the cursor is not one that this list gave out; begin without one")
