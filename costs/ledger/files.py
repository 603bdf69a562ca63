"""Ledger files: rows to Parquet and back, and copies of the blobs on this machine."""

import csv
import hashlib
import tempfile
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import duckdb

from costs.ledger.columns import LEDGER_COLUMNS, VERSION_COLUMNS
from costs.ledger.engine import connection
from costs.ledger.rows import VersionRows
from costs.ports import BlobInfo, LedgerBlobs
from replication.domain.errors import MalformedError

_PREFIX = "days/"
_SUFFIX = ".parquet"
_ROWS_AT_ONCE = 5_000
_NAMES = tuple(name for name, _ in LEDGER_COLUMNS)
_REGION_COLUMNS = tuple(name for name in _NAMES if name not in VERSION_COLUMNS)
# A row holds a few sentences; the longest may be an error of another program.
_MAX_LINE = 2**24


def blob_name(day: date) -> str:
    """Return the name of a day's blob."""
    return f"{_PREFIX}{day:%Y/%m/%Y-%m-%d}{_SUFFIX}"


def written_days(blobs: LedgerBlobs) -> dict[date, BlobInfo]:
    """Return the days that are on the books, with their blobs."""
    found = {}
    for blob in blobs.list(_PREFIX):
        day = _day_of(blob.name)
        if day is not None:
            found[day] = blob
    return found


def open_lines(path: Path) -> TextIO:
    """Open a file for `write_lines`; half characters, which no file can hold, become ?."""
    return path.open("w", encoding="utf-8", errors="replace", newline="")


def write_lines(rows: VersionRows, lines: TextIO) -> int:
    """Append the rows of a version to a CSV file that `to_parquet` reads; returns how many.

    What the rows share is put into words once: that is most of what an audit does. A NUL in a
    text, which Parquet readers stumble over, becomes a replacement character.
    """
    text = StringIO(newline="")
    # Only texts are quoted, so that a missing one and an empty one stay apart.
    writer = csv.writer(text, quoting=csv.QUOTE_STRINGS, lineterminator="\n")
    writer.writerow([rows.shared.get(name) for name in VERSION_COLUMNS])
    shared = text.getvalue().removesuffix("\n") + ","
    text.seek(0)
    text.truncate()
    for one in rows.regions:
        text.write(shared)
        writer.writerow([one.get(name) for name in _REGION_COLUMNS])
    lines.write(text.getvalue().replace("\0", "\N{REPLACEMENT CHARACTER}"))
    return len(rows.regions)


def to_parquet(lines: Path, parquet: Path) -> None:
    """Make a ledger file of CSV lines, in the order of versions and regions."""
    kinds = dict(LEDGER_COLUMNS)
    written = (*VERSION_COLUMNS, *_REGION_COLUMNS)
    columns = ", ".join(f"{name}: '{kinds[name]}'" for name in written)
    with connection() as engine:
        engine.execute(
            f"COPY (SELECT {', '.join(_NAMES)} FROM read_csv($lines, header = false,"  # noqa: S608 - column names of our own
            " auto_detect = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n',"
            " allow_quoted_nulls = false,"
            f" max_line_size = {_MAX_LINE}, columns = {{{columns}}}) ORDER BY version_key, region)"
            " TO $parquet (FORMAT parquet, COMPRESSION zstd)",
            {"lines": str(lines), "parquet": str(parquet)},
        )


def read_rows(parquet: Path) -> Iterator[dict[str, Any]]:
    """Return the rows of a ledger file; raises MalformedError for a file that is none."""
    names = ", ".join(_NAMES)
    with connection() as engine:
        try:
            engine.execute(
                f"SELECT {names} FROM read_parquet($path)",  # noqa: S608 - names of our own
                {"path": str(parquet)},
            )
        except duckdb.Error as error:
            raise MalformedError(f"{parquet.name} is no ledger file: {error}") from error
        while some := engine.fetchmany(_ROWS_AT_ONCE):
            for values in some:
                yield dict(zip(_NAMES, values, strict=True))


def local_copy(blobs: LedgerBlobs, blob: BlobInfo, *, folder: Path | None = None) -> Path:
    """Return a copy of a day's blob on this machine, downloaded if it is not there yet.

    Ledger files never change, so that a copy under the blob's tag stays good.
    """
    folder = folder or Path(tempfile.gettempdir()) / "gallery-replicator-ledger"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tag = hashlib.sha256(f"{blob.name}\n{blob.etag}\n{blob.size}".encode()).hexdigest()[:16]
    path = folder / f"{Path(blob.name).stem}-{tag}{_SUFFIX}"
    if not path.exists() or path.stat().st_size != blob.size:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as whole:
            part = Path(whole.name)
        try:
            blobs.download(blob.name, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def _day_of(name: str) -> date | None:
    stem = name.rpartition("/")[2].removesuffix(_SUFFIX)
    try:
        day = date.fromisoformat(stem)
    except ValueError:
        return None
    return day if name == blob_name(day) else None
