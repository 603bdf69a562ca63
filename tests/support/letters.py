"""The dead letters in memory; keep the contract of the real ones, and list what they hold."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from replication.dead_letters.filter import matches
from replication.dead_letters.rows import list_letter
from replication.domain.errors import MalformedError, RecordChangedError
from replication.listing.keys import newest_first
from replication.ports import (
    DeadLetter,
    LetterCause,
    LetterPage,
    LetterQuery,
    LetterState,
    ListedLetter,
    StoredLetter,
)


@dataclass
class MemoryDeadLetters:
    letters: dict[str, DeadLetter] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    _tags: Iterator[int] = field(default_factory=lambda: count(1))

    def put(self, letter: DeadLetter) -> None:
        self.letters[letter.id] = letter
        self.tags[letter.id] = str(next(self._tags))

    def get(self, letter_id: str) -> StoredLetter | None:
        letter = self.letters.get(letter_id)
        return None if letter is None else StoredLetter(letter=letter, etag=self.tags[letter_id])

    def replace(self, stored: StoredLetter, letter: DeadLetter) -> None:
        if self.tags.get(letter.id) != stored.etag:
            raise RecordChangedError(f"the dead letter {letter.id} was changed meanwhile")
        self.put(letter)

    def discard(self, stored: StoredLetter) -> None:
        letter_id = stored.letter.id
        if self.tags.get(letter_id, stored.etag) != stored.etag:
            raise RecordChangedError(f"the dead letter {letter_id} was changed meanwhile")
        self.letters.pop(letter_id, None)
        self.tags.pop(letter_id, None)

    def after(self, letter_id: str, *, limit: int) -> tuple[ListedLetter, ...]:
        ids = sorted(one for one in self.letters if one > letter_id)[:limit]
        return tuple(list_letter(self.letters[one]) for one in ids)

    def find(self, query: LetterQuery) -> LetterPage:
        found = [list_letter(one) for one in self.letters.values()]
        found = sorted((one for one in found if matches(one, query)), key=_place)
        if query.cursor is not None and len(query.cursor) < _CURSOR:
            raise MalformedError("the cursor is not one that this list gave out")
        found = [one for one in found if query.cursor is None or _place(one) > query.cursor]
        page = found[: query.limit]
        more = len(found) > query.limit
        return LetterPage(letters=tuple(page), next_cursor=_place(page[-1]) if more else None)

    def causes(self) -> tuple[LetterCause, ...]:
        opened = [one for one in self.letters.values() if one.state is LetterState.OPEN]
        return tuple(
            LetterCause(
                code=code,
                letters=sum(one.code == code for one in opened),
                regions=dict(
                    sorted(
                        Counter(
                            region
                            for one in opened
                            if one.code == code
                            for region in set(one.regions)
                        ).items()
                    )
                ),
            )
            for code in sorted({one.code for one in opened})
        )

    def oldest(self, code: str) -> datetime | None:
        opened = [one for one in self.letters.values() if one.state is LetterState.OPEN]
        return min((one.at for one in opened if one.code == code), default=None)

    def mend(self) -> None:
        """Miss nothing: the letters themselves are the list."""


_CURSOR = 34


def _place(one: ListedLetter) -> str:
    rank = list(LetterState).index(one.state)
    return f"{rank}|{newest_first(one.at)}|{one.id}"
