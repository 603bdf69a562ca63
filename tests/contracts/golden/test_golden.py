"""What a released version wrote is read as it was meant, and written so that it reads the same."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from replication.domain.errors import FailureCode, NewerFormatError, Operation
from replication.domain.job import Phase, ReplicaState
from replication.operations.journal import ActionKind
from replication.ports import LetterState
from tests.contracts.golden.codecs import CODECS, newer
from tests.contracts.golden.data import Case, Raw, cases
from tests.contracts.golden.facts import facts, parts, possible_uses, uses

WRITTEN = [kind for kind, codec in CODECS.items() if codec.write is not None]
WITH_FORMAT = [kind for kind, codec in CODECS.items() if codec.format is not None]
# Where rows of a kind stand depends on what the store is told beside the object.
_PLACED_BY_THE_STORE = {"timeline": ("PartitionKey",)}
# Never written: why what came as a trace could not be read.
_NEVER_STORED = {("JobMessage.trace_fault", True)}
# A letter that cannot be read is shown as one that cannot, so that it hides no other.
_SHOWN_AS_UNREADABLE = ("letter",)
# Words that came after that commit.
_LATER = frozenset({FailureCode.COPY_IMPOSSIBLE, FailureCode.SOURCE_MISSING})
_FEWEST = 10
_FEWEST_OF_THE_SIMULATION = 300


@cache
def objects(kind: str) -> tuple[tuple[Case, Any], ...]:
    """Return each case of a kind with what is read of it."""
    return tuple((one, CODECS[kind].read(one.raw)) for one in cases(kind))


@pytest.mark.parametrize("kind", CODECS)
def test_what_was_written_is_read_as_it_was_meant(kind: str) -> None:
    assert len(cases(kind)) >= _FEWEST
    assert [one.made for one, value in objects(kind) if facts(value) != one.facts] == []


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_is_written_again_reads_the_same_and_stands_in_the_same_place(kind: str) -> None:
    codec = CODECS[kind]
    assert codec.write is not None
    for one, value in objects(kind):
        again = json.loads(json.dumps(codec.write(value)))
        assert facts(codec.read(again)) == one.facts, one.made
        assert places(kind, again) == places(kind, one.raw), one.made


def places(kind: str, raw: Any) -> list[Raw]:
    """Return the keys of the rows; nothing for what is no row."""
    free = _PLACED_BY_THE_STORE.get(kind, ())
    rows = [raw] if isinstance(raw, dict) else raw if isinstance(raw, list) else []
    names = [name for name in ("PartitionKey", "RowKey") if name not in free]
    return [{name: row[name] for name in names} for row in rows]


def test_every_field_was_recorded_both_with_something_and_without() -> None:
    known = list(_all_parts())
    wanted = {use for cls in {type(part) for part in known} for use in possible_uses(cls)}
    found = {use for part in known for use in uses(part)}
    assert wanted - found - _NEVER_STORED == set()
    assert len(wanted) > 150


def _all_parts() -> Iterator[Any]:
    for kind in WRITTEN:
        for _, value in objects(kind):
            yield from parts(value)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("job", "phase", Phase),
        ("job", "code", FailureCode),
        ("job", "state", ReplicaState),
        ("letter", "code", FailureCode),
        ("letter", "state", LetterState),
        ("listed_job", "phase", Phase),
        ("listed_letter", "state", LetterState),
        ("gate", "operation", Operation),
        ("journal", "action", ActionKind),
    ],
)
def test_every_word_was_recorded(kind: str, name: str, words: Any) -> None:
    found = {word for one in cases(kind) for word in _words(one.facts, name)}
    assert {word.value for word in words if word not in _LATER} <= found


def _words(found: Any, name: str) -> Iterator[str]:
    if isinstance(found, dict):
        yield from (value for key, value in found.items() if key == name and value is not None)
        for value in found.values():
            yield from _words(value, name)
    elif isinstance(found, list):
        for value in found:
            yield from _words(value, name)


def test_several_hundred_records_were_written_by_the_simulation() -> None:
    made = [one.made for kind in CODECS for one in cases(kind)]
    assert made.count("simulation") > 2 * _FEWEST_OF_THE_SIMULATION
    jobs = [one for one in cases("job") if one.made == "simulation"]
    assert len(jobs) > _FEWEST_OF_THE_SIMULATION


@pytest.mark.parametrize("kind", [one for one in WITH_FORMAT if one not in _SHOWN_AS_UNREADABLE])
def test_a_newer_format_is_refused_as_such(kind: str) -> None:
    codec = CODECS[kind]
    written = [one for one in cases(kind) if not one.made.startswith("by hand: format")]
    for one in written:
        with pytest.raises(NewerFormatError, match=f"format {(codec.format or 0) + 1}"):
            codec.read(newer(one.raw))


@pytest.mark.parametrize("kind", _SHOWN_AS_UNREADABLE)
def test_a_newer_letter_is_shown_as_one_that_cannot_be_read(kind: str) -> None:
    for one in cases(kind):
        if "v" in one.raw:
            letter = CODECS[kind].read(newer(one.raw))
            assert (letter.id, letter.code) == (one.facts["id"], "newer_format")
            assert letter.raw == one.facts["raw"]
