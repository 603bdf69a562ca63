"""Which language a browser asks for."""

import re
from enum import StrEnum

_RANGE = re.compile(r"([a-z]{1,8}|\*)(?:-[a-z0-9]{1,8})*", re.ASCII)
_WEIGHT = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_MOST_RANGES = 50


class Language(StrEnum):
    """The languages that the pages have."""

    ENGLISH = "en"
    JAPANESE = "ja"


def preferred(accept_language: str) -> Language:
    """Return the language of an Accept-Language header (RFC 9110) that it likes best.

    English where it names none of ours, or nothing that can be read.
    """
    best, best_weight = Language.ENGLISH, 0.0
    for text in accept_language.lower().split(",")[:_MOST_RANGES]:
        name, _, parameter = (part.strip() for part in text.partition(";"))
        found = _RANGE.fullmatch(name)
        weighed = _WEIGHT.fullmatch(parameter.replace(" ", "")) if parameter else None
        if found is None or (parameter and weighed is None):
            continue
        language = _LANGUAGES.get(found[1])
        weight = float(weighed[1]) if weighed else 1.0
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


_LANGUAGES = {**{one.value: one for one in Language}, "*": Language.ENGLISH}
