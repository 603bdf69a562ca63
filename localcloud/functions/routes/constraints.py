"""Constraints of route parameters: what a value must look like, by the vendor's rules."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

type Check = Callable[[str], bool]

_CONSTRAINT = re.compile(r":(?P<name>[^:=(]*)(?:\((?P<argument>.*?)\)(?=[:=]|\Z))?", re.DOTALL)
_BLANK = r"[\t-\r ]*"
_HEX = "[0-9A-Fa-f]"
_HYPHENED = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_DIGITS = r"(?:[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)"
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?"
    r"(?:Z|[+-](?:0\d|1[0-3]):\d\d|[+-]14:00)?)?",
    re.ASCII,
)


def read_constraints(text: str) -> Iterator[Check]:
    """Read `:int:min(1)`; raise ValueError for a constraint that the vendor does not know."""
    for match in _CONSTRAINT.finditer(text):
        name, argument = match["name"].lower(), match["argument"]
        if name == "regex" and argument is not None:
            yield _regex(argument)
        elif name in _PLAIN and argument is None:
            yield _PLAIN[name]
        elif name in _BOUNDED and argument is not None:
            yield _bounded(name, argument)
        elif match[0] != ":":
            raise ValueError(f"{match[0][1:]!r} is no constraint, or not with these arguments")


def _regex(pattern: str) -> Check:
    # One that cannot be read fails at each call only, as it does there.
    return lambda text: re.search(pattern, text, re.IGNORECASE) is not None


def _like(pattern: str) -> Check:
    compiled = re.compile(_BLANK + pattern + _BLANK, re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


def _whole(bits: int) -> Check:
    digits = re.compile(rf"{_BLANK}[+-]?[0-9]+{_BLANK}")
    bound = 1 << (bits - 1)
    return lambda text: digits.fullmatch(text) is not None and -bound <= int(text) < bound


def _is_moment(text: str) -> bool:
    """Only the ISO form: the vendor takes every form of the invariant culture."""
    try:
        return _MOMENT.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _is_file(text: str) -> bool:
    _, _, extension = text.rpartition("/")[2].partition(".")
    return extension.strip(".") != ""


def _is_decimal(text: str) -> bool:
    number = text.replace(",", "").strip("\t\n\v\f\r +-")
    return _DECIMAL(text) and Decimal(number) < _DECIMAL_BOUND


def _bounded(name: str, argument: str) -> Check:
    is_long = _whole(64)
    is_length = name.endswith("length")
    is_bound = _whole(32) if is_length else is_long
    texts = argument.split(",")
    if not all(map(is_bound, texts)):
        raise ValueError(f"{name}({argument}) needs whole numbers")
    bounds = [int(one) for one in texts]
    lowest: int | None = bounds[0]
    highest: int | None = bounds[-1]
    if len(bounds) not in _BOUNDED[name] or bounds != sorted(bounds):
        raise ValueError(f"{name} does not take ({argument})")
    if is_length and bounds[0] < 0:
        raise ValueError(f"{name} takes no number below zero")
    if name.startswith("min"):
        highest = None
    elif name.startswith("max"):
        lowest = None
    if is_length:
        return lambda text: _within(len(text), lowest, highest)
    return lambda text: is_long(text) and _within(int(text), lowest, highest)


def _within(number: int, lowest: int | None, highest: int | None) -> bool:
    return (lowest is None or lowest <= number) and (highest is None or number <= highest)


# How many numbers each of them takes.
_BOUNDED: Mapping[str, tuple[int, ...]] = {
    "length": (1, 2),
    "max": (1,),
    "maxlength": (1,),
    "min": (1,),
    "minlength": (1,),
    "range": (2,),
}
_DECIMAL = _like(rf"(?:[+-]?{_DIGITS}|{_DIGITS}[+-])")
# 96 bits; what would be rounded up to them is too large as well.
_DECIMAL_BOUND = Decimal("79228162514264337593543950335.5")
_FLOAT = _like(rf"(?:[+-]?{_DIGITS}(?:e[+-]?[0-9]+)?|[+-]?(?:NaN|Infinity))")
_PLAIN: Mapping[str, Check] = {
    "alpha": lambda text: re.match("[A-Za-z]*$", text) is not None,
    "bool": _like("(?:true|false)"),
    "datetime": _is_moment,
    "decimal": _is_decimal,
    "double": _FLOAT,
    "file": _is_file,
    "float": _FLOAT,
    "guid": _like(rf"(?:{_HEX}{{32}}|{_HYPHENED}|\({_HYPHENED}\)|\{{{_HYPHENED}\}})"),
    "int": _whole(32),
    "long": _whole(64),
    "nonfile": lambda text: not _is_file(text),
    "required": lambda text: text != "",
}
