"""The recorded data: cases of one kind a file, each a JSON object on a line of its own."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "v1"
_MOMENT = "$datetime"

type Raw = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was stored, and what it means; `made` says where it comes from."""

    made: str
    raw: Any
    facts: Any


@cache
def cases(kind: str) -> tuple[Case, ...]:
    """Return the recorded cases of a kind."""
    return tuple(Case(**line) for line in lines(kind))


def lines(name: str) -> Iterator[Any]:
    """Yield the JSON of each line of a file."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def recorded_kinds() -> set[str]:
    """Return the kinds of rows, messages and files for which there is a file."""
    return {path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz")}


def as_json(columns: Raw) -> Raw:
    """Return a row's columns as JSON; a column that holds a moment says so."""
    return {
        name: {_MOMENT: value.isoformat()} if isinstance(value, datetime) else value
        for name, value in columns.items()
    }


def from_json(columns: Raw) -> Raw:
    """Return the columns as they were stored."""
    return {
        name: datetime.fromisoformat(value[_MOMENT]) if isinstance(value, dict) else value
        for name, value in columns.items()
    }
