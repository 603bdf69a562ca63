"""The rows of the letters' index: what lists show of a letter, under which keys, and the counts."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from replication.codec import Codec, Document
from replication.dead_letters.filter import gallery_of_letter
from replication.listing.counts import number, numbers, shard_of
from replication.listing.keys import newest_first, oldest_first, part
from replication.ports import DeadLetter, LetterCause, LetterQuery, LetterState, ListedLetter

FORMAT_VERSION = 1
# A letter about more regions than these is listed once, under MANY_REGIONS: all changes of a letter
# have to fit into one transaction.
MAX_REGIONS = 30
MANY_REGIONS = "region=*"
_MAX_CAUSE = 1000
_MAX_REASON = 300
_MAX_PART = 100
# In this order where a query means all of them: first what still needs someone.
_STATES = (LetterState.OPEN, LetterState.REPLAYED, LetterState.RESOLVED)


def list_letter(letter: DeadLetter) -> ListedLetter:
    """Return what a list shows of a letter: long texts cut, and no message."""
    shown = {one.name: getattr(letter, one.name) for one in fields(ListedLetter)}
    return ListedLetter(
        **{
            **shown,
            "cause": _clipped(letter.cause, _MAX_CAUSE),
            "state_reason": _clipped(letter.state_reason, _MAX_REASON),
        }
    )


def standing_key(letter_id: str) -> str:
    """Return the row that says where a letter stands."""
    return f"{standing_prefix(letter_id)}|"


def standing_prefix(id_prefix: str = "") -> str:
    """Return what the keys of those rows begin with, for ids that begin so."""
    return f"letter|{id_prefix}"


def count_key(one: ListedLetter) -> str:
    """Return the row that counts a letter, by its state and failure code."""
    return f"{counts_prefix(one.state)}{_part(one.code)}|{shard_of(one.id)}"


def counts_prefix(state: LetterState) -> str:
    """Return what the keys of the rows begin with that count letters of a state."""
    return f"count|{state.value}|"


def oldest_prefix(code: str) -> str:
    """Return what the keys of a code's open letters begin with, the one laid first in front."""
    return f"old|{_part(code)}|"


def view_keys(one: ListedLetter) -> Iterator[str]:
    """Yield the rows under which a letter is listed."""
    place = f"{one.state.value}|{newest_first(one.at)}|{one.id}"
    for scope in _scopes(one):
        yield f"new|{scope}|{place}"
    if one.state is LetterState.OPEN:
        yield f"{oldest_prefix(one.code)}{oldest_first(one.at)}|{one.id}"


def ranges(query: LetterQuery) -> Iterator[str]:
    """Yield the ranges that a query reads one after another; the narrowest of its filters rules."""
    if query.id_prefix is not None:
        yield standing_prefix(query.id_prefix)
        return
    if query.image_version_id is not None:
        scopes = [_version(query.image_version_id)]
    elif query.region is not None:
        scopes = [f"region={_part(query.region)}", MANY_REGIONS]
    elif query.gallery is not None:
        scopes = [f"gallery={_part(query.gallery)}"]
    elif query.code is not None:
        scopes = [f"code={_part(query.code)}"]
    elif query.source is not None:
        scopes = [f"source={_part(query.source)}"]
    else:
        scopes = ["all"]
    for state in _STATES if query.state is None else (query.state,):
        for scope in scopes:
            yield f"new|{scope}|{state.value}|"


def digest(one: ListedLetter) -> str:
    """Return a short text that differs where a letter was laid anew, sent again or resolved."""
    text = repr(sorted(encode_letter(one).items()))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def count_deltas(before: ListedLetter | None, after: ListedLetter | None) -> dict[str, Document]:
    """Return what is to be added to each counting row: by failure code, and within it by region."""
    deltas: dict[str, Document] = {}
    for letter, step in ((before, -1), (after, 1)):
        if letter is not None:
            row = deltas.setdefault(
                count_key(letter), {"code": letter.code, "letters": 0, "regions": Counter()}
            )
            row["letters"] += step
            row["regions"].update(dict.fromkeys(letter.regions, step))
    return deltas


def letter_causes(rows: Iterable[Mapping[str, Any]]) -> tuple[LetterCause, ...]:
    """Add up counting rows; the codes of which a letter is left, in the order of their names."""
    letters: Counter[str] = Counter()
    regions: dict[str, Counter[str]] = {}
    for row in rows:
        code = row.get("code")
        if isinstance(code, str):
            letters[code] += number(row.get("letters"))
            regions.setdefault(code, Counter()).update(numbers(row.get("regions")))
    return tuple(
        LetterCause(code=code, letters=letters[code], regions=dict(sorted(regions[code].items())))
        for code in sorted(letters)
        if letters[code] > 0
    )


_LISTED = Codec(
    shape=ListedLetter,
    what="a row of the letters' listing",
    version=FORMAT_VERSION,
    required={
        ListedLetter: ("image_version_id", "regions", "state", "state_at", "state_reason"),
    },
)
encode_letter, decode_letter = _LISTED.encode, _LISTED.decode


def _scopes(one: ListedLetter) -> Iterator[str]:
    yield "all"
    yield f"code={_part(one.code)}"
    yield f"source={_part(one.source)}"
    gallery = gallery_of_letter(one)
    if gallery:
        yield f"gallery={_part(gallery)}"
    if one.image_version_id is not None:
        yield _version(one.image_version_id)
    if len(one.regions) > MAX_REGIONS:
        yield MANY_REGIONS
    else:
        yield from sorted({f"region={_part(region)}" for region in one.regions})


def _version(version_id: str) -> str:
    # A whole id is too long for a key.
    return f"version={hashlib.sha256(version_id.lower().encode()).hexdigest()[:32]}"


def _part(text: str) -> str:
    return part(text[:_MAX_PART])


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
