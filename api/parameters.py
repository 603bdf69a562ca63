"""Read what the address of a page asks for; what cannot be meant is named."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from replication.domain.errors import GalleryReplicatorError, MalformedError, NewerFormatError

_MAX_NAME = 256


class AskedError(GalleryReplicatorError):
    """The address asks for what cannot be meant; the text names it."""


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


def refuse_unknown(params: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise MalformedError for a parameter that the page does not have; `code` is the host's."""
    names = tuple(known)
    unknown = sorted(set(params) - {*names, "code"})
    if unknown:
        told = f"known: {', '.join(names)}" if names else "this page has none"
        raise MalformedError(f"unknown parameter {unknown[0][:40]!r}; {told}")


def read_name(params: Mapping[str, str], parameter: str) -> str:
    """Return a name to filter by, empty for none; raises MalformedError."""
    text = params.get(parameter, "").strip()
    if len(text) > _MAX_NAME or not text.isprintable():
        raise MalformedError(f"{parameter} is {text[:20]!r}; it is a name of at most {_MAX_NAME}")
    return text


def read_choice(
    params: Mapping[str, str], parameter: str, choices: Sequence[str], *, default: str
) -> str:
    """Return one of several words; raises MalformedError."""
    text = params.get(parameter, "").strip().lower() or default
    if text not in choices:
        raise MalformedError(f"{parameter} is {text[:20]!r}; it is one of {', '.join(choices)}")
    return text


def read_yes(params: Mapping[str, str], parameter: str) -> bool:
    """Return whether something is wanted; raises MalformedError."""
    return read_choice(params, parameter, ("yes", "no"), default="no") == "yes"
