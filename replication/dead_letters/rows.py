"""The rows of the dead letters' listing: each letter under every filter that a list asks for.

Like the rows of the jobs' listing, and for the same reason: a page reads what it shows and one row
more, however many letters there are. One row of its own says where a letter stands and what was
counted of it. All rows of a letter change in one transaction; the letters themselves stand in a
table of their own, which the listing follows.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from replication.dead_letters.filter import gallery_of_letter
from replication.domain.errors import MalformedError, NewerFormatError
from replication.listing.keys import newest_first, oldest_first, part
from replication.ports import DeadLetter, LetterQuery, LetterState, ListedLetter

FORMAT_VERSION = 1
# So many rows share a count, so that instances rarely meet at one.
SHARDS = 8
# A letter about more regions than these is listed once, under MANY_REGIONS: all changes of a letter
# have to fit into one transaction.
MAX_REGIONS = 30
MANY_REGIONS = "region=*"
_MAX_CAUSE = 1000
_MAX_REASON = 300
_MAX_PART = 100
# In this order where a query means all of them: first what still needs someone.
_STATES = (LetterState.OPEN, LetterState.REPLAYED, LetterState.RESOLVED)

type Document = dict[str, Any]


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
    shard = int(hashlib.sha256(one.id.encode()).hexdigest()[:8], 16) % SHARDS
    return f"{counts_prefix(one.state)}{_part(one.code)}|{shard}"


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


def encode_letter(one: ListedLetter) -> Document:
    """Return what a list shows as a JSON object."""
    return {
        "v": FORMAT_VERSION,
        "id": one.id,
        "at": one.at.isoformat(),
        "source": one.source,
        "code": one.code,
        "cause": one.cause,
        "attempts": one.attempts,
        "correlation_id": one.correlation_id,
        "image_version_id": one.image_version_id,
        "regions": list(one.regions),
        "state": one.state.value,
        "state_at": one.state_at.isoformat() if one.state_at else None,
        "state_reason": one.state_reason,
    }


def decode_letter(document: Mapping[str, Any]) -> ListedLetter:
    """Read what a list shows; raises MalformedError, or NewerFormatError for a newer release's."""
    version = document.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise MalformedError("a row of the letters' listing has no format version 'v'")
    if version > FORMAT_VERSION:
        raise NewerFormatError(
            f"a row of the letters' listing has format {str(version)[:20]}; this release reads "
            f"{FORMAT_VERSION}"
        )
    try:
        version_id, state_at = document["image_version_id"], document["state_at"]
        return ListedLetter(
            **{name: _text(document[name]) for name in _TEXTS},
            at=_moment(document["at"]),
            attempts=_number(document["attempts"]),
            image_version_id=None if version_id is None else _text(version_id),
            regions=tuple(_text(name) for name in document["regions"]),
            state=LetterState(document["state"]),
            state_at=None if state_at is None else _moment(state_at),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError(
            f"a row of the letters' listing cannot be read: {error!r:.200}"
        ) from error


_TEXTS = ("id", "source", "code", "cause", "correlation_id", "state_reason")


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


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{str(value)[:20]!r} is no number")
    return value
