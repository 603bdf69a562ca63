"""A text of the pages in both languages."""

from typing import NamedTuple


class Text(NamedTuple):
    """A text in English and in Japanese; the names in braces are put in."""

    en: str
    ja: str
