"""The codec: what it writes it reads, and what is not so is refused in few words."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from replication.codec import DETAILS, MAX_COUNT, NAME, Codec, Form
from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.regions import Region

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    number: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    writes: int = 0
    polls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str | None
    region: Region
    colour: Colour = Colour.RED
    since: datetime
    price: Decimal
    share: float = 0.0
    ready: bool = False
    regions: frozenset[Region] = frozenset()
    parts: tuple[Part, ...] = ()
    text: str = ""
    details: dict[str, object] = field(default_factory=dict)
    tries: Tries = field(default_factory=Tries)


CODEC = Codec(
    shape=Thing,
    what="the thing",
    version=2,
    required={Thing: ("ready",)},
    forms={Thing: {"name": NAME, "details": DETAILS, "text": Form(str.upper, str.lower)}},
    flat={"tries": Tries},
)
THING = Thing(
    name="a",
    region=Region("westus2"),
    since=NOON,
    price=Decimal("12.50"),
    regions=frozenset({Region("eastus"), Region("westus")}),
    parts=(Part(number=1, at=NOON), Part(number=2)),
    text="LOUD",
    details={"half a character": "\ud800"},
    tries=Tries(writes=3),
)
DOCUMENT = CODEC.encode(THING)


def test_a_value_reads_as_it_was_written() -> None:
    assert CODEC.decode_text(CODEC.encode_text(THING)) == THING
    assert DOCUMENT == {
        "v": 2,
        "name": "a",
        "region": "westus2",
        "colour": "red",
        "since": "2026-11-23T12:00:00+00:00",
        "price": "12.50",
        "share": 0.0,
        "ready": False,
        "regions": ["eastus", "westus"],
        "parts": [{"number": 1, "at": "2026-11-23T12:00:00+00:00"}, {"number": 2, "at": None}],
        "text": "loud",
        "details": {"half a character": "\ud800"},
        "writes": 3,
        "polls": 0,
    }


def test_an_older_format_and_a_missing_field_are_read() -> None:
    assert CODEC.decode({**DOCUMENT, "v": 1}) == THING
    left = {key: DOCUMENT[key] for key in DOCUMENT if key not in ("parts", "writes", "polls")}
    read = CODEC.decode({**left, "since": "2026-11-23T13:00:00+01:00", "of another release": []})
    assert (read.parts, read.tries, read.since) == ((), Tries(), NOON)


def test_null_and_what_is_left_out_are_the_same() -> None:
    nothing = dict.fromkeys(("name", "share", "regions", "parts", "text", "details", "writes"))
    without = {key: DOCUMENT[key] for key in DOCUMENT if key not in nothing}
    assert CODEC.decode(DOCUMENT | nothing) == CODEC.decode(without)
    assert CODEC.decode(without) == Thing(
        name=None, region=THING.region, since=NOON, price=THING.price
    )


def _deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "n" * 257}, "name: .*has 257 characters, more than 256"),
        ({"name": "\ud800"}, "name: "),
        ({"name": 5}, "name: int is not a text"),
        ({"region": ""}, "region: .*empty"),
        ({"colour": "blue"}, "colour: Input should be 'red'"),
        ({"since": "2026-11-23T12:00:00"}, "since: .*no time zone"),
        ({"since": "1999-11-23T12:00:00Z"}, "since: .*no time of ours"),
        ({"since": "9000-11-23T12:00:00Z"}, "since: .*no time of ours"),
        ({"since": "0001-01-01T00:00:00+23:59"}, "date value out of range"),
        ({"since": 1700000000}, "since: .*int is not a time"),
        ({"since": "1700000000"}, "since: "),
        ({"price": "NaN"}, "price: .*no amount of money"),
        ({"price": 12.5}, "price: .*no amount of money"),
        ({"share": float("inf")}, "share: "),
        ({"share": -0.5}, "share: "),
        ({"ready": 1}, "ready: Input should be a valid boolean"),
        ({"parts": {"a": 1}}, "parts: "),
        ({"parts": [{}]}, "parts.0.number: "),
        ({"parts": [{"number": "1"}]}, "parts.0.number: Input should be a valid integer"),
        ({"parts": [{"number": True}]}, "parts.0.number: "),
        ({"parts": [{"number": 1.0}]}, "parts.0.number: "),
        ({"parts": [{"number": -1}]}, "parts.0.number: "),
        ({"parts": [{"number": MAX_COUNT + 1}]}, "parts.0.number: "),
        ({"parts": [{"number": 10**4000}]}, "parts.0.number: "),
        ({"details": _deep(30)}, "details: .*nested deeper than 50 levels"),
        ({"details": {"a": [float("nan")]}}, "details: .*no number of JSON"),
        ({"writes": "3"}, "tries.writes: "),
        ({"text": 5}, "descriptor"),
    ],
)
def test_what_is_not_so_is_refused_and_the_field_is_named(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(MalformedError, match=f"^the thing cannot be read: {message}") as raised:
        CODEC.decode(DOCUMENT | changes)
    assert len(str(raised.value)) < 700


def test_a_required_field_must_be_there_though_it_has_a_default() -> None:
    document = dict(DOCUMENT)
    del document["ready"]
    for lacking in (document, DOCUMENT | {"ready": None}):
        with pytest.raises(MalformedError, match="the thing cannot be read: ready: "):
            CODEC.decode(lacking)


@pytest.mark.parametrize("version", [None, True, 0, -1, 1.0, "1", [], {}])
def test_a_format_version_that_is_none_is_named(version: Any) -> None:
    with pytest.raises(MalformedError, match=r"^the thing has no format version 'v'$") as raised:
        CODEC.decode({**DOCUMENT, "v": version})
    assert not isinstance(raised.value, NewerFormatError)


@pytest.mark.parametrize("version", [3, 2**64, 10**4000])
def test_a_newer_format_is_told_apart_whatever_else_the_document_holds(version: int) -> None:
    with pytest.raises(NewerFormatError, match=r"^the thing has format \d{1,20}, this .* reads 2$"):
        CODEC.decode({"v": version, "name": []})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the thing is not JSON: "),
        ("[" * 100_000, "the thing is not JSON: "),
        (b"\xff", "the thing is not JSON: "),
        ("[]", "the thing is not a JSON object"),
        ("null", "the thing is not a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=f"^{message}"):
        CODEC.decode_text(text)


def test_a_text_document_is_as_short_as_json_can_be() -> None:
    text = CODEC.encode_text(THING)
    assert text == json.dumps(json.loads(text), separators=(",", ":"))
