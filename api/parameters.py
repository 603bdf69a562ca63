"""Parameters: what a list is asked for, read alike for the API, its pages and the command line.

What cannot be meant is named. In an address `code` is the host's, for its key: the parameter of a
failure code is `failure_code` there, and `code` in bodies and on the command line. A failure code
that comes as `code` is taken for what it is all the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from replication.dead_letters.filter import FILTERS, filter_fields, read_letter_query
from replication.domain.errors import (
    FailureCode,
    GalleryReplicatorError,
    MalformedError,
    NewerFormatError,
)
from replication.domain.job import Phase
from replication.listing.query import ListOrder, ListQuery
from replication.ports import LetterQuery

type Params = Mapping[str, str]

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
CURSOR_PARAMETERS = ("cursor", "limit")
LIST_FILTERS = ("phase", "gallery", "geography", "search", "stuck", "sort")
# The parameter of each field of a filter of dead letters.
LETTER_FILTERS = {"code": "failure_code"} | {name: name for name in FILTERS if name != "code"}
_KEY_OF_THE_HOST = "code"
_CODES = frozenset(code.value for code in FailureCode)
_MAX_NAME = 256
_SHOWN = 20


class AskedError(GalleryReplicatorError):
    """What is asked for cannot be meant; the text names it."""


@contextmanager
def asking(*, only_if: bool = True) -> Iterator[None]:
    """Take what is malformed within as a mistake of whoever asks, and not of a record."""
    try:
        yield
    except NewerFormatError:
        raise
    except MalformedError as error:
        if not only_if:
            raise
        raise AskedError(str(error)) from error


def read_list_query(params: Params) -> ListQuery:
    """Read the query of a list of replications; raises MalformedError."""
    phases = params.get("phase")
    order = read_choice(params, "sort", tuple(ListOrder), default=ListOrder.NEWEST)
    return ListQuery(
        phases=read_phases(phases.split(",")) if phases else None,
        gallery=read_name(params, "gallery"),
        geography=read_name(params, "geography"),
        search=read_name(params, "search"),
        stuck=read_yes(params, "stuck"),
        order=ListOrder(order),
        cursor=params.get("cursor") or None,
        limit=read_limit(params),
    )


def list_params(query: ListQuery) -> dict[str, str]:
    """Return the parameters from which `read_list_query` makes the query again."""
    given = {
        "phase": ",".join(sorted(query.phases)) if query.phases else None,
        "gallery": query.gallery,
        "geography": query.geography,
        "search": query.search,
        "stuck": "yes" if query.stuck else None,
        "sort": query.order.value,
        "cursor": query.cursor,
        "limit": str(query.limit),
    }
    return {name: text for name, text in given.items() if text is not None}


def read_letter_fields(params: Params) -> dict[str, str]:
    """Return the fields of the filter of dead letters that an address asks for."""
    texts = {field: params.get(name) for field, name in LETTER_FILTERS.items()}
    if names_failure(params):
        texts["code"] = texts["code"] or params[_KEY_OF_THE_HOST]
    return {field: texts[field] or "" for field in FILTERS if texts[field]}


def names_failure(params: Params) -> bool:
    """Tell whether the host's parameter for its key holds a failure code."""
    return params.get(_KEY_OF_THE_HOST) in _CODES


def read_letter_list(params: Params) -> LetterQuery:
    """Read the query of a list of dead letters; raises MalformedError."""
    query = read_letter_query(read_letter_fields(params))
    return replace(query, cursor=params.get("cursor") or None, limit=read_limit(params))


def letter_params(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of an address that asks for the fields of a filter."""
    return {LETTER_FILTERS[field]: text for field, text in fields.items()}


def letter_list_params(query: LetterQuery) -> dict[str, str]:
    """Return the parameters from which `read_letter_list` makes the query again."""
    params = {**letter_params(filter_fields(query)), "limit": str(query.limit)}
    return params if query.cursor is None else {**params, "cursor": query.cursor}


def read_phases(words: Iterable[str]) -> frozenset[Phase]:
    """Return the phases that the words name; raises MalformedError."""
    known = {phase.value: phase for phase in Phase}
    asked = [word.lower() for word in words]
    for word in asked:
        if word not in known:
            told = ", ".join(sorted(known))
            raise MalformedError(f"phase is {word[:_SHOWN]!r}; it is one of {told}")
    return frozenset(known[word] for word in asked)


def refuse_unknown(params: Params, known: Iterable[str]) -> None:
    """Raise MalformedError for a parameter that the call does not have; `code` is the host's."""
    names = tuple(known)
    unknown = sorted(set(params) - {*names, _KEY_OF_THE_HOST})
    if unknown:
        told = f"known: {', '.join(names)}" if names else "this page has none"
        raise MalformedError(f"unknown parameter {unknown[0][:40]!r}; {told}")


def read_limit(params: Params, *, default: int = DEFAULT_LIMIT, most: int = MAX_LIMIT) -> int:
    """Return how many are asked for; raises MalformedError."""
    text = params.get("limit") or str(default)
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not digits or not 1 <= int(text) <= most:
        raise MalformedError(f"limit is {text[:_SHOWN]!r}; it is a number from 1 to {most}")
    return int(text)


def read_name(params: Params, parameter: str) -> str | None:
    """Return a name to filter by, None for none; raises MalformedError."""
    text = params.get(parameter) or None
    if text is not None and (len(text) > _MAX_NAME or not text.isprintable()):
        raise MalformedError(
            f"{parameter} is {text[:_SHOWN]!r}; it is a name of at most {_MAX_NAME}"
        )
    return text


def read_choice(params: Params, parameter: str, choices: Sequence[str], *, default: str) -> str:
    """Return one of several words; raises MalformedError."""
    text = params.get(parameter, "").strip().lower() or default
    if text not in choices:
        raise MalformedError(f"{parameter} is {text[:_SHOWN]!r}; it is one of {', '.join(choices)}")
    return text


def read_yes(params: Params, parameter: str) -> bool:
    """Return whether something is wanted; raises MalformedError."""
    return read_choice(params, parameter, ("yes", "no"), default="no") == "yes"
