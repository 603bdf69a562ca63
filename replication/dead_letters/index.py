"""The dead letters with the listing that follows them: kept, found by filter, and counted."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tenacity import Retrying

from replication.dead_letters.counts import counted, letter_causes
from replication.dead_letters.filter import matches
from replication.dead_letters.rows import (
    count_key,
    counts_prefix,
    decode_letter,
    encode_letter,
    list_letter,
    oldest_prefix,
    ranges,
    standing_key,
    standing_prefix,
    view_keys,
)
from replication.domain.errors import (
    MalformedError,
    NewerFormatError,
    RecordChangedError,
    ReplicationError,
)
from replication.listing.ranges import END, read_ranges
from replication.listing.store import ListingChange, ListingRow, ListingStore
from replication.ports import (
    DeadLetter,
    LetterCause,
    LetterPage,
    LetterQuery,
    LetterState,
    LetterStore,
    ListedLetter,
    StoredLetter,
)
from replication.records.repository import contention_retries
from replication.telemetry.log import log_outcome

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLetters:
    """Implements the DeadLetters port on a store of letters and a listing.

    The listing follows the letters level-triggered: after every change it shows what the store
    holds then. What it missed is told of, and mended by the sweep.
    """

    store: LetterStore
    listing: ListingStore
    retries: Callable[[], Retrying] = contention_retries

    def put(self, letter: DeadLetter) -> None:
        self.store.put(letter)
        self._follow(letter.id)

    def get(self, letter_id: str) -> StoredLetter | None:
        return self.store.get(letter_id)

    def replace(self, stored: StoredLetter, letter: DeadLetter) -> None:
        self.store.replace(stored, letter)
        self._follow(letter.id)

    def discard(self, stored: StoredLetter) -> None:
        self.store.discard(stored)
        self._follow(stored.letter.id)

    def find(self, query: LetterQuery) -> LetterPage:
        page = self.retries()(
            read_ranges,
            self.listing,
            tuple(ranges(query)),
            cursor=query.cursor,
            limit=query.limit,
        )
        found = filter(None, map(_shown, page.rows))
        return LetterPage(
            letters=tuple(one for one in found if matches(one, query)),
            next_cursor=page.next_cursor,
        )

    def causes(self) -> tuple[LetterCause, ...]:
        first = counts_prefix(LetterState.OPEN)
        rows = self.retries()(self.listing.between, first, first + END, limit=_PAGE)
        return letter_causes(row.document for row in rows)

    def oldest(self, code: str) -> datetime | None:
        first = oldest_prefix(code)
        rows = self.retries()(self.listing.between, first, first + END, limit=1)
        letters = list(filter(None, map(_shown, rows)))
        return letters[0].at if letters else None

    def mend(self) -> None:
        known = {row.key: row.document for row in self._standings()}
        for one in self._letters():
            if known.pop(standing_key(one.id), None) != encode_letter(one):
                self._note(one.id)
        for key in known:
            self._note(key.split("|")[1])

    def _follow(self, letter_id: str) -> None:
        """List a letter as it is now; never fails what changed the letter."""
        try:
            self._note(letter_id)
        except ReplicationError as error:
            log_outcome("letters.behind", level=logging.WARNING, id=letter_id, reason=str(error))

    def _note(self, letter_id: str) -> None:
        self.retries()(self._note_once, letter_id)

    def _note_once(self, letter_id: str) -> None:
        address = standing_key(letter_id)
        # The letter is read after the tag, so that whoever writes last has seen the newest.
        row = self.listing.get([address]).get(address)
        after = self._kept(letter_id)
        before = _standing(row) if row else None
        if before == after and (row is None) == (after is None):
            return
        changes = [
            ListingChange(
                key=address,
                document=encode_letter(after) if after else None,
                expected=row.etag if row else None,
            ),
            *_views(before, after),
            *self._counts(before, after),
        ]
        self.listing.commit(changes)
        # No row has no tag: another may have discarded the letter and found nothing to do.
        if row is None and self._kept(letter_id) != after:
            raise RecordChangedError(f"the dead letter {letter_id} changed while it was listed")

    def _kept(self, letter_id: str) -> ListedLetter | None:
        stored = self.store.get(letter_id)
        return list_letter(stored.letter) if stored else None

    def _counts(
        self, before: ListedLetter | None, after: ListedLetter | None
    ) -> Iterator[ListingChange]:
        gone, new = (before,) if before else (), (after,) if after else ()
        keys = sorted({count_key(one) for one in (*gone, *new)})
        known = self.listing.get(keys)
        for key in keys:
            row = known.get(key)
            yield ListingChange(
                key=key,
                document=counted(
                    row.document if row else {},
                    gone=[one for one in gone if count_key(one) == key],
                    new=[one for one in new if count_key(one) == key],
                ),
                expected=row.etag if row else None,
            )

    def _letters(self) -> Iterator[ListedLetter]:
        after = ""
        while page := self.retries()(self.store.after, after, limit=_PAGE):
            yield from page
            after = page[-1].id

    def _standings(self) -> Iterator[ListingRow]:
        first = standing_prefix()
        after = first
        while rows := self.retries()(self.listing.between, after, first + END, limit=_PAGE):
            yield from rows
            after = rows[-1].key


def _standing(row: ListingRow) -> ListedLetter | None:
    """Return where a letter stands, None for a row to be written anew.

    Raises NewerFormatError for a newer release's.
    """
    try:
        return decode_letter(row.document)
    except NewerFormatError:
        raise
    except MalformedError as error:
        log_outcome("letters.unreadable", level=logging.ERROR, row=row.key, reason=str(error))
        return None


def _shown(row: ListingRow) -> ListedLetter | None:
    """Return what a row shows; one that cannot be read hides none of the others."""
    try:
        return _standing(row)
    except NewerFormatError as error:
        log_outcome("letters.unreadable", level=logging.WARNING, row=row.key, reason=str(error))
        return None


def _views(before: ListedLetter | None, after: ListedLetter | None) -> Iterator[ListingChange]:
    was, now = set(view_keys(before) if before else ()), set(view_keys(after) if after else ())
    for key in sorted(was - now):
        yield ListingChange(key=key, document=None)
    if after is not None:
        document = encode_letter(after)
        for key in sorted(now):
            yield ListingChange(key=key, document=document)
