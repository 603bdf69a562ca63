"""Index: the rows under which things of one kind are listed and counted.

Table storage answers only what stands side by side in the order of its row keys. So a thing stands
there once for each view, and a page reads as many rows as it shows and one more, however many
things there are. One row of its own says where a thing stands and what was counted of it. All rows
of a thing change in one transaction, so that lists and counts agree with one another. Towards the
things themselves an index may lag: it follows them level-triggered, and the sweep mends what was
missed (docs/adr/0018).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replication.codec import Document
from replication.domain.errors import MalformedError, NewerFormatError, ReplicationError
from replication.listing.counts import added
from replication.listing.ranges import END
from replication.listing.store import ListingChange, ListingRow, ListingStore
from replication.ports import Retries
from replication.telemetry.log import ERROR, WARNING, log_outcome

PAGE = 1000
# As many as the store takes in one call.
_AT_ONCE = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec[Standing, Shown]:
    """What an index keeps of things of one kind.

    `name` stands before its log events, `prefix` before the keys of its standing rows. `keys` are
    the rows under which that is listed which is `shown` of a standing thing.
    """

    name: str
    prefix: str
    encode: Callable[[Standing], Document]
    decode: Callable[[Mapping[str, Any]], Standing]
    shown: Callable[[Standing], Shown]
    encode_shown: Callable[[Shown], Document]
    keys: Callable[[Shown], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found[Standing]:
    """What stands of a thing: its row, None for a new one, and the rows that were asked beside."""

    key: str
    row: ListingRow | None
    standing: Standing | None
    asked: frozenset[str]
    beside: Mapping[str, ListingRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index[Standing, Shown]:
    """Reads and changes the rows of one kind."""

    store: ListingStore
    retries: Retries
    spec: Spec[Standing, Shown]

    def follow(self, note: Callable[[], object], **about: Any) -> None:
        """List what changed; never fails what changed it."""
        try:
            note()
        except ReplicationError as error:
            event = f"{self.spec.name}.behind"
            log_outcome(event, level=WARNING, **about, reason=str(error))

    def find(self, key: str, *beside: str) -> Found[Standing]:
        """Return where a thing stands, with other rows that its change may touch, in one call.

        Raises NewerFormatError for a newer release's row.
        """
        rows = self.store.get([key, *beside])
        row = rows.pop(key, None)
        standing = self.read(row) if row else None
        return Found(key=key, row=row, standing=standing, asked=frozenset(beside), beside=rows)

    def change(
        self, found: Found[Standing], after: Standing | None, counts: Mapping[str, Document]
    ) -> None:
        """Put a thing where it stands now, and add to the counts, in one transaction.

        Raises what the storage raises, and RecordChangedError when a row changed meanwhile.
        """
        known = dict(found.beside)
        unread = sorted(counts.keys() - found.asked)
        for start in range(0, len(unread), _AT_ONCE):
            known |= self.store.get(unread[start : start + _AT_ONCE])
        document = None if after is None else self.spec.encode(after)
        self.store.commit(
            [
                _put(found.key, found.row, document),
                *self._views(found.standing, after),
                *(count_change(key, known.get(key), counts[key]) for key in sorted(counts)),
            ]
        )

    def read(self, row: ListingRow) -> Standing | None:
        """Return where a thing stands, None for a row to be written anew.

        Raises NewerFormatError for a newer release's.
        """
        try:
            return self.spec.decode(row.document)
        except NewerFormatError:
            raise
        except MalformedError as error:
            event = f"{self.spec.name}.unreadable"
            log_outcome(event, level=ERROR, row=row.key, reason=str(error))
            return None

    def beginning(self, first: str, *, limit: int = PAGE) -> tuple[ListingRow, ...]:
        """Return the first rows whose keys begin so; raises what the storage raises."""
        return self.retries()(self.store.between, first, first + END, limit=limit)

    def standings(self) -> Iterator[ListingRow]:
        """Yield the rows that say where each thing stands, in the order of their keys."""
        after, last = self.spec.prefix, self.spec.prefix + END
        while True:
            rows = self.retries()(self.store.between, after, last, limit=PAGE)
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1].key

    def _views(self, before: Standing | None, after: Standing | None) -> Iterator[ListingChange]:
        shown = None if after is None else self.spec.shown(after)
        showed = None if before is None else self.spec.shown(before)
        if shown == showed:
            return
        was = set() if showed is None else set(self.spec.keys(showed))
        now = set() if shown is None else set(self.spec.keys(shown))
        for key in sorted(was - now):
            yield ListingChange(key=key, document=None)
        if shown is not None:
            document = self.spec.encode_shown(shown)
            for key in sorted(now):
                yield ListingChange(key=key, document=document)


def count_change(key: str, row: ListingRow | None, more: Document) -> ListingChange:
    """Return the change that adds to a counting row."""
    return _put(key, row, added(row.document if row else {}, more))


def _put(key: str, row: ListingRow | None, document: Document | None) -> ListingChange:
    return ListingChange(key=key, document=document, expected=row.etag if row else None)
