"""Languages of the pages, and which of them a browser asks for."""

from enum import StrEnum

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

# A header may be as long as the host lets it be; what is liked best stands first.
_MOST_CHARACTERS = 1000


class Language(StrEnum):
    """The languages that the pages have."""

    ENGLISH = "en"
    JAPANESE = "ja"


def preferred(accept_language: str) -> Language:
    """Return the language of an Accept-Language header (RFC 9110) that it likes best.

    English where it names none of ours, or nothing that can be read.
    """
    liked = parse_accept_header(accept_language[:_MOST_CHARACTERS], LanguageAccept)
    return Language(liked.best_match(tuple(Language), Language.ENGLISH))
