"""Read one page of the listing: at most as many rows as asked for and one more."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from replication.errors import MalformedError
from replication.job import Phase
from replication.listing_rows import ANY_PHASE, STUCK, ListedJob, decode_listed, part
from replication.listing_store import ListingRow, ListingStore

MAX_LIMIT = 200
# Sorts after every character of a row key.
_END = "\uffff"
_MAX_CURSOR = 2000


class ListOrder(StrEnum):
    """In what order jobs are listed: by the time of their last change of phase, or by name."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which jobs to list; None means any.

    `search` is the beginning of a gallery's or an image's name; what it finds comes by name.
    """

    phases: frozenset[Phase] | None = None
    gallery: str | None = None
    geography: str | None = None
    search: str | None = None
    stuck: bool = False
    order: ListOrder = ListOrder.NEWEST
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One page; `next_cursor` is None on the last.

    A filter that no order of the listing has is applied to the rows that were read, so a page may
    show fewer than asked for, and none, although others follow.
    """

    jobs: tuple[ListedJob, ...]
    next_cursor: str | None
    rows_read: int
    calls: int


def read_page(store: ListingStore, query: ListQuery) -> ListPage:
    """Return one page; raises MalformedError for a cursor of another's making."""
    prefixes = tuple(_prefixes(query))
    at, after = _position(query.cursor, prefixes)
    rows: list[ListingRow] = []
    calls = 0
    for number in range(at, len(prefixes)):
        wanted = query.limit + 1 - len(rows)
        rows += store.between(after, prefixes[number] + _END, limit=wanted)
        calls += 1
        if len(rows) > query.limit:
            break
        if number + 1 < len(prefixes):
            after = prefixes[number + 1]
    shown = rows[: query.limit]
    jobs = ((row.key, decode_listed(row.document)) for row in shown)
    return ListPage(
        jobs=tuple(one for key, one in jobs if _matches(key, one, query)),
        next_cursor=_cursor(shown[-1].key) if len(rows) > query.limit else None,
        rows_read=len(rows),
        calls=calls,
    )


def _prefixes(query: ListQuery) -> Iterator[str]:
    """Yield the ranges that a query reads one after another."""
    if query.search:
        word = part(query.search.strip())
        yield f"name|{word}"
        yield f"image|{word}"
    elif query.stuck:
        yield f"old|{STUCK}|"
    elif query.order is ListOrder.NAME:
        yield f"name|{part(query.gallery)}|" if query.gallery else "name|"
    else:
        phases = sorted(phase.value for phase in query.phases or ()) or [ANY_PHASE]
        for phase in phases:
            yield f"old|{phase}|" if query.order is ListOrder.OLDEST else _newest(query, phase)


def _newest(query: ListQuery, phase: str) -> str:
    scope = "all"
    if query.gallery:
        scope = f"gallery={part(query.gallery)}"
    elif query.geography:
        scope = f"geography={part(query.geography)}"
    return f"new|{scope}|{phase}|"


def _matches(row_key: str, one: ListedJob, query: ListQuery) -> bool:
    # Found by its gallery's name already.
    again = row_key.startswith("image|") and part(one.gallery).startswith(part(query.search or ""))
    return (
        not again
        and (query.phases is None or one.phase in {phase.value for phase in query.phases})
        and (query.gallery is None or one.gallery.lower() == query.gallery.lower())
        and (query.geography is None or one.geography.lower() == query.geography.lower())
        and (not query.stuck or one.stuck_since is not None)
    )


def _cursor(row_key: str) -> str:
    return base64.urlsafe_b64encode(row_key.encode()).decode().rstrip("=")


def _position(cursor: str | None, prefixes: tuple[str, ...]) -> tuple[int, str]:
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
