"""The rows that count dead letters: by failure code, and within it by region. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from replication.ports import LetterCause, ListedLetter


def counted(
    known: Mapping[str, Any], *, gone: Iterable[ListedLetter], new: Iterable[ListedLetter]
) -> dict[str, Any]:
    """Return a counting row as it is once some letters of its code are gone and others are new.

    What of the row cannot be read counts as nothing.
    """
    letters, regions = _number(known.get("letters")), _regions(known.get("regions"))
    code = _text(known.get("code"))
    for step, changed in ((-1, gone), (1, new)):
        for one in changed:
            code = one.code
            letters += step
            for region in set(one.regions):
                regions[region] += step
    return {
        "code": code,
        "letters": max(0, letters),
        "regions": {name: number for name, number in sorted(regions.items()) if number > 0},
    }


def letter_causes(rows: Iterable[Mapping[str, Any]]) -> tuple[LetterCause, ...]:
    """Add up counting rows; the codes of which a letter is left, in the order of their names."""
    letters: Counter[str] = Counter()
    regions: dict[str, Counter[str]] = {}
    for row in rows:
        code = _text(row.get("code"))
        letters[code] += _number(row.get("letters"))
        regions.setdefault(code, Counter()).update(_regions(row.get("regions")))
    return tuple(
        LetterCause(code=code, letters=letters[code], regions=dict(sorted(regions[code].items())))
        for code in sorted(letters)
        if letters[code] > 0
    )


def _regions(value: Any) -> Counter[str]:
    known = value.items() if isinstance(value, dict) else ()
    return Counter({str(name): _number(number) for name, number in known})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
