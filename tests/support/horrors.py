"""What arrives where something else was meant: by hand, and drawn at random."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.support.strategies import JSON

LARGE = "x" * 65_536
LARGE_CHARACTERS = 2000
_TURNS = 7
TEXTS: tuple[str, ...] = (
    "",
    " \t\r\n",
    "\0",
    "a\0b",
    "\ud800",
    "x\udfff\udbffy",
    "\ufeff",
    "\u202e\u2066",
    "ⅷ٣",
    "İSTANBUL",
    "a\r\nb\x1b[31m\x85\u2028",
    "'; DROP TABLE x --",
    "..",
    "../../..",
    "%00%2e%2e%2f",
    "{}",
    '{"claims": {"name": "x"}}',
    "null",
    "-1",
    "1e999",
    "NaN",
    "5",
    "true",
    "false",
    "2",
    "9" * 5000,
    LARGE,
    "\U0001f300" * 20_000,
    "\ud800" * 20_000,
    "/" * 60_000,
    "[" * 60_000,
    "\\" * 60_000,
    "a b\n" * 16_000,
)
NUMBERS: tuple[Any, ...] = (
    True,
    False,
    0,
    -1,
    2,
    2**31,
    2**53,
    2**63,
    -(2**63) - 1,
    10**4000,
    10**4299,
    -(10**4000),
    0.5,
    -0.0,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
)


def nested(levels: int, *, within: str = "a") -> Any:
    """Return an object in an object in an object."""
    value: Any = None
    for _ in range(levels):
        value = {within: value}
    return value


def nested_list(levels: int) -> Any:
    """Return a list in a list in a list."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


SHAPES: tuple[Any, ...] = (
    None,
    [],
    {},
    [[]],
    [None],
    [5],
    [{}],
    {"": None},
    {"name": None},
    {"\ud800": "\0"},
    ["x"] * 2000,
    {f"key{number}": number for number in range(2000)},
    # A parser takes nearly ten thousand levels, a function that calls itself a thousand.
    nested(900),
    nested_list(5_000),
    nested(9_900),
)
VALUES: tuple[Any, ...] = (*TEXTS, *NUMBERS, *SHAPES)
# Texts of JSON that no value of Python stands for.
DOCUMENTS: tuple[str, ...] = (
    *TEXTS,
    "[" * 10_000 + "]" * 10_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '\ufeff{"v": 1}',
    '{"v": 1, "v": 1}',
    '{"v": 1',
    '{"v": 1}}',
    '{"v": 0x1}',
    "{'v': 1}",
    '{"v": ' + "9" * 5000 + "}",
    "[1, 2",
)
BODIES: tuple[bytes, ...] = (
    *(text.encode("utf-8", "surrogatepass") for text in DOCUMENTS),
    b"\xff\xfe\x00",
    b"\x80",
    b"\xc3",
    '{"v": 1}'.encode("utf-16"),
    '{"v": 1}'.encode("utf-32"),
    b'{"v": "\xff"}',
    b"\0" * 65_536,
    b"\xff" * 65_536,
)

ANY_TEXT = (
    st.text(st.characters(categories=None), max_size=40)  # lone surrogates included
    | st.sampled_from([text for text in TEXTS if len(text) < LARGE_CHARACTERS])
)
# Drawn values are small: the large and the deep ones stand at every place once, in tests by hand.
ANY_VALUE = JSON | st.sampled_from([one for one in VALUES if len(repr(one)) < LARGE_CHARACTERS])


def places(document: Any) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value in the document, the document's own first."""
    yield ()
    pairs: Sequence[tuple[Any, Any]] = ()
    if isinstance(document, dict):
        pairs = tuple(document.items())
    elif isinstance(document, list):
        pairs = tuple(enumerate(document))
    for key, value in pairs:
        for rest in places(value):
            yield (key, *rest)


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return the document with another value at one place."""
    if not place:
        return value
    first, rest = place[0], place[1:]
    if isinstance(document, dict):
        return {**document, first: put(document[first], rest, value)}
    return [put(one, rest, value) if at == first else one for at, one in enumerate(document)]


def without(document: Any, place: tuple[Any, ...]) -> Any:
    """Return the document without the field or entry at one place."""
    *parents, last = place
    parent = document
    for key in parents:
        parent = parent[key]
    if isinstance(parent, dict):
        less: Any = {key: value for key, value in parent.items() if key != last}
    else:
        less = [one for at, one in enumerate(parent) if at != last]
    return put(document, tuple(parents), less)


def mutations(document: Any) -> st.SearchStrategy[Any]:
    """Draw the document with one to three things wrong, each at any place."""
    return _mutations(document)


@st.composite
def _mutations(draw: st.DrawFn, document: Any) -> Any:
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        place = draw(st.sampled_from(list(places(document))))
        match draw(st.sampled_from(["replace", "remove", "add", "retype"])):
            case "remove" if place:
                document = without(document, place)
            case "add":
                document = put(document, place, _with_more(draw, _at(document, place)))
            case "retype":
                document = put(document, place, _retyped(draw, _at(document, place)))
            case _:
                document = put(document, place, draw(ANY_VALUE))
    return document


def every_mutation(document: Any, values: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Give the document with each place left out, and with each value at each place.

    Large values, which are slow, take turns: each stands at one place of seven.
    """
    is_large = [len(repr(value)) > LARGE_CHARACTERS for value in values]
    for turn, place in enumerate(places(document)):
        name = "/".join(str(key) for key in place)
        if place:
            yield f"{name} left out", without(document, place)
        for number, value in enumerate(values):
            if not is_large[number] or (turn + number) % _TURNS == 0:
                yield f"{name} = value {number}", put(document, place, value)


def _at(document: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        document = document[key]
    return document


def _with_more(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict):
        return {**value, draw(ANY_TEXT): draw(ANY_VALUE)}
    if isinstance(value, list):
        return [*value, draw(ANY_VALUE)]
    return [value]


def _retyped(draw: st.DrawFn, value: Any) -> Any:
    """Return nearly the same: a number as a text, a text in a list, a yes as a one."""
    return draw(
        st.sampled_from(
            [str(value), [value], {"value": value}, bool(value), None, json.dumps(value)]
        )
    )
