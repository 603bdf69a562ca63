"""Filter of dead letters: which a command means, by ids, their beginnings, or fields."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.client.protocol import Letters
from cli.terminal.completion import complete_region, one_of
from cli.terminal.errors import NotFoundError, UsageProblem
from replication.dead_letters.filter import ANY_STATE, SOURCES, read_letter_query
from replication.domain.errors import FailureCode, MalformedError
from replication.ports import LetterQuery, LetterState

if TYPE_CHECKING:
    from api.schemas.dead_letters import Letter

CodeOption = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="Only this failure code.",
        show_default=False,
        autocompletion=one_of(one.value for one in FailureCode),
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE",
        help=f"Only from here: {', '.join(SOURCES)}.",
        show_default=False,
        autocompletion=one_of(SOURCES),
    ),
]
GalleryOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only this gallery.", show_default=False)
]
RegionOption = Annotated[
    str | None,
    typer.Option(
        metavar="REGION",
        help="Only where this region was not ready.",
        show_default=False,
        autocompletion=complete_region,
    ),
]
ImageVersionOption = Annotated[
    str | None,
    typer.Option(
        metavar="ID", help="Only about this image version (its ARM id).", show_default=False
    ),
]
StateOption = Annotated[
    str | None,
    typer.Option(
        metavar="STATE",
        help="open, replayed, resolved or all; open if not given.",
        show_default=False,
        autocompletion=one_of([*(one.value for one in LetterState), ANY_STATE]),
    ),
]

_ID = re.compile(r"[0-9a-f]{6,32}")
_ID_HEX_DIGITS = 32
# Two ids show that a beginning means several letters.
_AMBIGUOUS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """A filter as it was typed."""

    code: str | None
    source: str | None
    gallery: str | None
    region: str | None
    image_version: str | None
    state: str | None

    @property
    def is_given(self) -> bool:
        """Whether anything was asked for."""
        return any(getattr(self, name) is not None for name in self.__slots__)

    @property
    def names_letters(self) -> bool:
        """Whether more than a state was asked for."""
        return replace(self, state=None).is_given

    def query(self) -> LetterQuery:
        """Return the query that the filter means; raises UsageProblem."""
        try:
            return read_letter_query({name: getattr(self, name) for name in self.__slots__})
        except MalformedError as error:
            raise UsageProblem(str(error)) from error


def options_of(query: LetterQuery) -> list[str]:
    """Return the options that mean the query."""
    pairs = {
        "--code": query.code,
        "--source": query.source,
        "--gallery": query.gallery,
        "--region": query.region,
        "--image-version": query.image_version_id,
    }
    words = [word for name, value in pairs.items() if value is not None for word in (name, value)]
    if query.state is not LetterState.OPEN:
        words += ["--state", ANY_STATE if query.state is None else query.state.value]
    return words or ["--all"]


def code_hint(query: LetterQuery) -> str:
    """Return what to say of a code that this release does not know, empty for one it does."""
    known = [code.value for code in FailureCode]
    if query.code is None or query.code in known:
        return ""
    (near,) = difflib.get_close_matches(query.code, known, n=1, cutoff=0.0)
    return f" This release knows no code {query.code!r}; the nearest is {near!r}."


def read_letter_ids(texts: Sequence[str]) -> tuple[str, ...]:
    """Return what may be ids of letters, or their beginnings, each once."""
    for text in texts:
        if not _ID.fullmatch(text.lower()):
            raise UsageProblem(
                f"{text[:80]!r} is not the id of a dead letter: 32 hex digits, or the first of "
                "them, six at least"
            )
    return tuple(dict.fromkeys(text.lower() for text in texts))


def find_letters(letters: Letters, ids: Sequence[str]) -> "tuple[Letter, ...]":
    """Return the letters that the ids mean; raises NotFoundError, and UsageProblem if unclear."""
    beginnings = [one for one in ids if len(one) < _ID_HEX_DIGITS]
    by_beginning = _by_beginning(letters, beginnings) if beginnings else {}
    found: dict[str, Letter] = {}
    for letter_id in ids:
        letter = by_beginning[letter_id] if letter_id in by_beginning else letters.one(letter_id)
        found[letter.id] = letter
    return tuple(found.values())


def find_letter_id(letters: Letters, one: str) -> str:
    """Return the id that a beginning means, and a whole one as it is; raises as find_letters."""
    if len(one) == _ID_HEX_DIGITS:
        return one
    return _the_one(letters, one).id


def _by_beginning(letters: Letters, beginnings: Sequence[str]) -> "dict[str, Letter]":
    """Find the one letter that each beginning means."""
    return {one: _the_one(letters, one) for one in beginnings}


def _the_one(letters: Letters, beginning: str) -> "Letter":
    query = LetterQuery(state=None, id_prefix=beginning, limit=_AMBIGUOUS)
    found = letters.page(query).items
    if not found:
        raise NotFoundError(f"no dead letter has an id that begins with {beginning}")
    if len(found) == _AMBIGUOUS:
        ids = " and ".join(letter.id for letter in found)
        raise UsageProblem(
            f"{beginning} means several dead letters ({ids}); give more of its digits"
        )
    return found[0]
