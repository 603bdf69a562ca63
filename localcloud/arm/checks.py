"""Check bodies from outside: every refusal names the key and what it should be."""

import difflib
from collections.abc import Sequence
from typing import Any

from localcloud.arm.errors import bad_request


def check_keys(raw: object, known: Sequence[str], what: str) -> dict[str, Any]:
    """Return the object; raises ArmError for a key that nobody reads."""
    if not isinstance(raw, dict):
        raise bad_request(f"{what} is an object")
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)[0]
            raise bad_request(
                f"{what} has an unknown key {str(key)[:60]!r}; did you mean {near!r}?"
            )
    return raw


def text(body: dict[str, Any], name: str) -> str | None:
    """Return a text, None where it is missing."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{name} is a text")
    return value


def number(body: dict[str, Any], name: str, *, default: float) -> float:
    """Return a number that is not negative."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:  # noqa: PLR2004
        raise bad_request(f"{name} is a number of 0 or more")
    return float(value)


def integer(body: dict[str, Any], name: str, *, default: int) -> int:
    """Return a whole number."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value < 10**9:
        raise bad_request(f"{name} is a whole number")
    return value


def flag(body: dict[str, Any], name: str, *, default: bool) -> bool:
    """Return a truth value."""
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise bad_request(f"{name} is true or false")
    return value
