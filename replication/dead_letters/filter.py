"""Which dead letters a query means, and what a query may be."""

import re
from collections.abc import Mapping

from replication.domain.errors import FailureCode, MalformedError
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.domain.regions import InvalidRegionNameError, Region
from replication.ports import LetterQuery, LetterState, ListedLetter, QueueName

FILTERS = ("code", "source", "gallery", "region", "image_version", "id", "state")
SOURCES = ("event", "job", *(queue.value for queue in QueueName))
ANY_STATE = "all"
_STATES = {**{state.value: state for state in LetterState}, ANY_STATE: None}
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ID_PREFIX = re.compile(r"[0-9a-f]{1,32}")
_GALLERY = re.compile(r"[\w.()-]{1,128}")


def read_letter_query(fields: Mapping[str, str | None]) -> LetterQuery:
    """Return the query that the texts of FILTERS mean, open letters unless a state is named.

    Raises MalformedError for what cannot be meant.
    """
    return LetterQuery(
        state=_state(fields.get("state")),
        code=_code(fields.get("code")),
        source=_source(fields.get("source")),
        gallery=_gallery(fields.get("gallery")),
        region=_region(fields.get("region")),
        image_version_id=_version_id(fields.get("image_version")),
        id_prefix=_id_prefix(fields.get("id")),
    )


def filter_fields(query: LetterQuery) -> dict[str, str]:
    """Return the texts from which `read_letter_query` makes the query again."""
    fields = {
        "code": query.code,
        "source": query.source,
        "gallery": query.gallery,
        "region": query.region,
        "image_version": query.image_version_id,
        "id": query.id_prefix,
        "state": ANY_STATE if query.state is None else query.state.value,
    }
    return {name: text for name, text in fields.items() if text is not None}


def gallery_of_letter(letter: ListedLetter) -> str:
    """Return the gallery's name in lower case, empty where the letter names no image version."""
    if letter.image_version_id is None:
        return ""
    try:
        return ImageVersionId.parse(letter.image_version_id).gallery.lower()
    except MalformedImageVersionIdError:
        return ""


def matches(letter: ListedLetter, query: LetterQuery) -> bool:
    """Tell whether a letter is one of those asked for; the cursor and the limit aside."""
    version_id = (letter.image_version_id or "").lower()
    return (
        (query.state is None or letter.state is query.state)
        and (query.code is None or letter.code == query.code)
        and (query.source is None or letter.source == query.source)
        and (query.gallery is None or gallery_of_letter(letter) == query.gallery.lower())
        and (query.region is None or query.region in letter.regions)
        and (query.image_version_id is None or version_id == query.image_version_id.lower())
        and (query.id_prefix is None or letter.id.startswith(query.id_prefix))
        and (query.laid_by is None or letter.at <= query.laid_by)
    )


def _state(text: str | None) -> LetterState | None:
    word = (text or LetterState.OPEN.value).strip().lower()
    if word not in _STATES:
        raise MalformedError(f"state is {word[:80]!r}; it is one of {', '.join(_STATES)}")
    return _STATES[word]


def _code(text: str | None) -> str | None:
    if text is None:
        return None
    word = text.strip().lower().replace("-", "_")
    if not _CODE.fullmatch(word):
        raise MalformedError(
            f"{text[:80]!r} is not a failure code; they are {', '.join(FailureCode)}"
        )
    return word


def _source(text: str | None) -> str | None:
    if text is None:
        return None
    word = text.strip().lower()
    if word not in SOURCES:
        raise MalformedError(f"source is {word[:80]!r}; it is one of {', '.join(SOURCES)}")
    return word


def _gallery(text: str | None) -> str | None:
    if text is not None and not _GALLERY.fullmatch(text):
        raise MalformedError(f"{text[:80]!r} is not a name of a gallery")
    return text


def _region(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return Region.parse(text).name
    except InvalidRegionNameError as error:
        raise MalformedError(str(error)) from error


def _version_id(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(ImageVersionId.parse(text))
    except MalformedImageVersionIdError as error:
        raise MalformedError(str(error)) from error


def _id_prefix(text: str | None) -> str | None:
    if text is None:
        return None
    word = text.strip().lower()
    if not _ID_PREFIX.fullmatch(word):
        raise MalformedError(f"id is {text[:80]!r}; it is 32 hex digits, or the first of them")
    return word
