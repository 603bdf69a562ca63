"""The dead letters with the index that follows them: kept, found by filter, and counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from replication.dead_letters.filter import matches
from replication.dead_letters.rows import (
    count_deltas,
    counts_prefix,
    decode_letter,
    encode_letter,
    letter_causes,
    list_letter,
    oldest_prefix,
    ranges,
    standing_key,
    standing_prefix,
    view_keys,
)
from replication.domain.errors import NewerFormatError, RecordChangedError
from replication.listing.index import PAGE, Index, Spec
from replication.listing.ranges import read_ranges
from replication.listing.store import ListingRow, ListingStore
from replication.ports import (
    DeadLetter,
    LetterCause,
    LetterPage,
    LetterQuery,
    LetterState,
    LetterStore,
    ListedLetter,
    Retries,
    StoredLetter,
)
from replication.records.retries import contention_retries
from replication.telemetry.log import WARNING, log_outcome

_LETTERS = Spec[ListedLetter, ListedLetter](
    name="letters",
    prefix=standing_prefix(),
    encode=encode_letter,
    decode=decode_letter,
    shown=lambda letter: letter,
    encode_shown=encode_letter,
    keys=view_keys,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLetters:
    """Implements the DeadLetters port on a store of letters and a listing.

    The listing follows the letters level-triggered: after every change it shows what the store
    holds then. What it missed is told of, and mended by the sweep.
    """

    store: LetterStore
    listing: ListingStore
    retries: Retries = contention_retries

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
        found = filter(None, map(self._shown, page.rows))
        return LetterPage(
            letters=tuple(one for one in found if matches(one, query)),
            next_cursor=page.next_cursor,
        )

    def causes(self) -> tuple[LetterCause, ...]:
        rows = self._index.beginning(counts_prefix(LetterState.OPEN))
        return letter_causes(row.document for row in rows)

    def oldest(self, code: str) -> datetime | None:
        rows = self._index.beginning(oldest_prefix(code), limit=1)
        letters = list(filter(None, map(self._shown, rows)))
        return letters[0].at if letters else None

    def mend(self) -> None:
        known = {row.key: self._shown(row) for row in self._index.standings()}
        for letter in self._letters():
            if known.pop(standing_key(letter.id), None) != letter:
                self._note(letter.id)
        for key in known:
            self._note(key.split("|")[1])

    @property
    def _index(self) -> Index[ListedLetter, ListedLetter]:
        return Index(store=self.listing, retries=self.retries, spec=_LETTERS)

    def _follow(self, letter_id: str) -> None:
        """List a letter as it is now; never fails what changed the letter."""
        self._index.follow(lambda: self._note(letter_id), id=letter_id)

    def _note(self, letter_id: str) -> None:
        self.retries()(self._note_once, letter_id)

    def _note_once(self, letter_id: str) -> None:
        # The letter is read after the tag, so that whoever writes last has seen the newest.
        found = self._index.find(standing_key(letter_id))
        before, after = found.standing, self._kept(letter_id)
        if before == after and (found.row is None) == (after is None):
            return
        self._index.change(found, after, count_deltas(before, after))
        # No row has no tag: another may have discarded the letter and found nothing to do.
        if found.row is None and self._kept(letter_id) != after:
            raise RecordChangedError(f"the dead letter {letter_id} changed while it was listed")

    def _kept(self, letter_id: str) -> ListedLetter | None:
        stored = self.store.get(letter_id)
        return list_letter(stored.letter) if stored else None

    def _letters(self) -> Iterator[ListedLetter]:
        after = ""
        while page := self.retries()(self.store.after, after, limit=PAGE):
            yield from page
            after = page[-1].id

    def _shown(self, row: ListingRow) -> ListedLetter | None:
        """Return what a row shows; one that cannot be read hides none of the others."""
        try:
            return self._index.read(row)
        except NewerFormatError as error:
            log_outcome("letters.unreadable", level=WARNING, row=row.key, reason=str(error))
            return None
