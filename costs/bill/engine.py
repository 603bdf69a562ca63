"""DuckDB on a bill's file, and in words what is wrong with the file."""

import glob
import re
from pathlib import Path

import duckdb

from costs.ledger.engine import connection
from replication.domain.errors import MalformedError

_LINE = re.compile(r"CSV Error on Line: ([0-9]+)")
_COUNTS = re.compile(r"Expected Number of Columns: ([0-9]+) Found: ([0-9]+)")
MOST_PER_LINE = 4_000_000
_SHOWN = 200
# What DuckDB says of a broken file, in small letters, and what that means to its owner.
_MEANINGS = (
    ("gzip", "it is a gzip file that ends too soon"),
    (
        "unterminated quote",
        "a quoted field does not end: the export was cut off there, or a program has changed it",
    ),
    (
        "maximum line size",
        f"the line is longer than {MOST_PER_LINE:,} bytes: a quote is not closed, or it is no bill",
    ),
    ("state machine", "a quote stands where none may be, or the lines end in different ways"),
)


def parquet_columns(path: Path) -> list[str]:
    """Return the names of a Parquet file's columns; raises MalformedError for a broken one."""
    with connection() as engine:
        try:
            return [
                str(one[0])
                for one in engine.read_parquet(
                    plain_path(path), hive_partitioning=False
                ).description
            ]
        except duckdb.Error as error:
            raise MalformedError(explain(error, path.name)) from error


def plain_path(path: Path) -> str:
    """Return the path so that DuckDB takes no bracket in it for a pattern."""
    return glob.escape(str(path))


def explain(error: duckdb.Error, name: str) -> str:
    """Return what is wrong with a file, for the person who has it."""
    sentence = str(error)
    plain = sentence.lower()
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"{name} needs more memory or disk space than there is: {sentence.splitlines()[0]}"
    if "not utf-8" in plain or "invalid unicode" in plain:
        return not_utf8(name)
    where = _LINE.search(sentence)
    meaning = next((means for word, means in _MEANINGS if word in plain), sentence.splitlines()[0])
    counts = _COUNTS.search(sentence)
    if counts:
        meaning = (
            f"it has {counts[2]} fields where the header has {counts[1]}: it was cut off there, or "
            "is parted by another sign than the header (a decimal comma between commas?)"
        )
    line = f"{name}, line {where[1]}" if where else name
    return f"{line} cannot be read: {meaning[:_SHOWN]}. Fetch it again; nothing was counted"


def not_utf8(name: str) -> str:
    """Say that a file is in another encoding, and what helps."""
    return (
        f"{name} is not UTF-8; exports are, so a program in between has changed it: take the "
        "export itself, or iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
    )
