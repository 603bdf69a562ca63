"""Read JSON from outside: every refusal names the value and what it should be."""

import difflib
import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from localcloud.arm.errors import invalid

_DEEPEST = 64
_SHOWN = 80


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return a request's JSON object; raises ArmError 400 for anything else."""
    parsed = parse_json(raw)
    if not isinstance(parsed, dict):
        raise _unreadable("the root is not an object")
    return parsed


def parse_json(raw: bytes) -> Any:
    """Return a request's JSON; raises ArmError 400 for what is none, or is nested too deep."""
    try:
        parsed = json.loads(raw, parse_constant=_no_constant, parse_float=_finite)
    except ValueError as error:
        raise _unreadable(str(error)) from error
    except RecursionError as error:
        raise _unreadable("nested too deep") from error
    level: list[Any] = [parsed]
    for _ in range(_DEEPEST):
        level = [child for one in level for child in _children(one)]
        if not level:
            return parsed
    raise _unreadable("nested too deep")


def object_at(parent: dict[str, Any], name: str, within: str) -> dict[str, Any]:
    """Return a nested object; a missing one and null are empty."""
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong_value(f"{within}.{name}", "an object")
    return value


def objects_at(parent: dict[str, Any], name: str, within: str) -> list[dict[str, Any]]:
    """Return a nested list of objects; a missing one and null are empty."""
    value = parent.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise wrong_value(f"{within}.{name}", "a list of objects")
    return value


def text_at(parent: dict[str, Any], name: str, within: str) -> str | None:
    """Return a text; None where it is missing or null."""
    value = parent.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong_value(f"{within}.{name}", "a text")
    return value


def flag_at(parent: dict[str, Any], name: str, within: str) -> bool | None:
    """Return a truth value; None where it is missing or null."""
    value = parent.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong_value(f"{within}.{name}", "true or false")
    return value


def integer_at(
    parent: dict[str, Any], name: str, within: str, *, least: int, most: int
) -> int | None:
    """Return a whole number within bounds; None where it is missing or null."""
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_value(f"{within}.{name}", "a whole number")
    if not least <= value <= most:
        raise invalid(
            f"The value {str(value)[:_SHOWN]} of parameter {within}.{name} is out of range. The "
            f"value must be between {least} and {most}, inclusive.",
            target=f"{within}.{name}",
        )
    return value


def number_at(
    parent: dict[str, Any], name: str, within: str, *, least: float = 0.0, most: float = 1e9
) -> float | None:
    """Return a number within bounds; None where it is missing or null."""
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise wrong_value(f"{within}.{name}", f"a number from {least:g} to {most:g}")
    return float(value)


def choice_at(parent: dict[str, Any], name: str, within: str, choices: Sequence[str]) -> str | None:
    """Return one of some words, letter case ignored; None where it is missing or null."""
    value = text_at(parent, name, within)
    if value is None:
        return None
    for choice in choices:
        if value.lower() == choice.lower():
            return choice
    raise wrong_value(f"{within}.{name}", f"one of {', '.join(choices)}")


def known_keys(raw: object, known: Sequence[str], what: str) -> dict[str, Any]:
    """Return an object of our own API; raises ArmError 400 for a key that nobody reads."""
    if not isinstance(raw, dict):
        raise wrong_value(what, "an object")
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)[0]
            raise invalid(
                f"{what} has an unknown key '{str(key)[:_SHOWN]}'; the nearest known one is "
                f"'{near}'.",
                code="UnknownKey",
                target=str(key)[:_SHOWN],
            )
    return raw


def wrong_value(name: str, expected: str) -> Exception:
    """Return the refusal of a value of another kind."""
    return invalid(
        f"The value of parameter {name} is invalid: it should be {expected}.", target=name
    )


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:_SHOWN]} is too large")
    return number


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _unreadable(why: str) -> Exception:
    return invalid(
        f"The request content was invalid and could not be deserialized: '{why[:_SHOWN]}'.",
        code="InvalidRequestContent",
    )
