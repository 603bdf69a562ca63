"""The reader of a bill of any size: DuckDB streams the rows, each word is read once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from costs.bill.engine import MOST_PER_LINE, explain, parquet_columns, plain_path
from costs.bill.file import BillFile
from costs.bill.model import Bill, Covered, FileRead, counted
from costs.bill.sums import sum_up
from costs.bill.text import (
    Charge,
    Days,
    Kind,
    meter_kind,
    read_charge,
    read_currency,
    read_days,
    read_region,
    read_resource,
    read_unit,
)
from costs.ledger.engine import connection
from replication.domain.errors import MalformedError
from replication.domain.regions import RegionCatalog

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

_MOST_DATES = 200_000
# Less than that of a bill is no month of its own.
_LATE_SHARE = 0.01
_TEXTS = ("day", "currency", "resource", "region", "meter", "unit", "charge", "class")
_FIGURES = ("quantity", "cost")
_GALLERY = "/providers/microsoft.compute/galleries/"
_MEMORY_MB = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BillReader:
    """Reads bills; `memory_mb` bounds what DuckDB holds, the rest goes to its own folder.

    A column with more than `most_dates` different values is not one of dates.
    """

    regions: RegionCatalog
    memory_mb: int = _MEMORY_MB
    threads: int = 2
    most_dates: int = _MOST_DATES

    def read(self, files: Sequence[BillFile], month: str | None = None) -> Bill:
        """Return what the files say together, of one month if told.

        Raises MalformedError for a file that is cut off or cannot be understood; then nothing of
        the others counts either.
        """
        with _engine(self.memory_mb, self.threads) as engine:
            rows = [_stage(engine, number, bill) for number, bill in enumerate(files)]
            names = _names(files)
            for name, count in zip(names, rows, strict=True):
                if count == 0:
                    raise MalformedError(
                        f"{name} has a header and no rows: the export is of a time without costs, "
                        "or was cut off"
                    )
            days = self._read_words(engine, files)
            months, month_notes = _months(engine)
            _check_months(engine, months, month)
            sums = sum_up(engine, names, month)
            read = tuple(
                FileRead(name=name, layout=bill.layout.name, rows=count)
                for name, bill, count in zip(names, files, rows, strict=True)
            )
            return Bill(
                files=read,
                lines=sums.lines,
                months={name: one for name, one in months.items() if month in (None, name)},
                out_of_scope=sums.out_of_scope,
                set_aside=sums.set_aside,
                notes=(
                    *_file_notes(names, files),
                    *_day_notes(engine, days),
                    *month_notes,
                    *sums.notes,
                ),
                aside_by_place=sums.aside_by_place,
                transfers_elsewhere=sums.transfers_elsewhere,
            )

    def _dates(self, engine: "DuckDBPyConnection") -> Iterator[str]:
        rows = engine.execute(
            "SELECT DISTINCT day FROM staged LIMIT ?", [self.most_dates + 1]
        ).fetchall()
        if len(rows) > self.most_dates:
            raise MalformedError(
                f"the column of dates has more than {self.most_dates} different values: it holds "
                "something else"
            )
        return (str(one[0]) for one in rows)

    def _read_words(self, engine: "DuckDBPyConnection", files: Sequence[BillFile]) -> Days:
        days = read_days(self._dates(engine))
        _table(
            engine,
            "days",
            "text VARCHAR, value DATE, shifted BOOLEAN",
            ((text, day, text in days.shifted) for text, day in days.of.items()),
        )
        resources = [(text, read_resource(text)) for text in _distinct(engine, "resource")]
        # Ids are long, and there may be millions of rows: from here on each is a number.
        numbers = {
            found: number for number, found in enumerate({one for _, one in resources if one})
        }
        _table(
            engine,
            "resources",
            "text VARCHAR, resource INTEGER",
            ((text, numbers[found]) for text, found in resources if found),
        )
        _table(
            engine,
            "ids",
            "resource INTEGER, id VARCHAR, level VARCHAR",
            ((number, found.id, found.level.value) for found, number in numbers.items()),
        )
        _table(
            engine,
            "regions",
            "text VARCHAR, value VARCHAR, known BOOLEAN",
            ((text, *read_region(text, self.regions)) for text in _distinct(engine, "region")),
        )
        meters = [(text, meter_kind(text)) for text in _distinct(engine, "meter")]
        _table(
            engine,
            "meters",
            "text VARCHAR, kind VARCHAR",
            ((text, kind.value) for text, kind in meters if kind),
        )
        _table(
            engine,
            "units",
            "text VARCHAR, kind VARCHAR, per INTEGER",
            (
                (text, kind.value, per)
                for text in _distinct(engine, "unit")
                for kind in Kind
                if (per := read_unit(text, kind))
            ),
        )
        currencies = ((text, read_currency(text)) for text in _distinct(engine, "currency"))
        _table(
            engine,
            "currencies",
            "text VARCHAR, code VARCHAR",
            ((text, code) for text, code in currencies if code),
        )
        pairs = engine.execute("SELECT DISTINCT charge, class FROM staged").fetchall()
        _table(
            engine,
            "charges",
            "charge VARCHAR, class VARCHAR, means VARCHAR",
            ((*pair, read_charge(*pair).value) for pair in pairs),
        )
        _table(
            engine,
            "files",
            "number INTEGER, in_blocks BOOLEAN, certain BOOLEAN",
            (
                (number, one.layout.priced_in_blocks, one.layout.name.startswith("FOCUS"))
                for number, one in enumerate(files)
            ),
        )
        return days


@contextmanager
def _engine(memory_mb: int, threads: int) -> Iterator["DuckDBPyConnection"]:
    with connection(memory_mb=memory_mb, threads=threads) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("SET enable_progress_bar = false")
        # The order of rows says nothing, and to keep it costs memory.
        engine.execute("SET preserve_insertion_order = false")
        texts = ", ".join(f"{name} VARCHAR" for name in (*_TEXTS, *_FIGURES))
        engine.execute(f"CREATE TABLE staged (file INTEGER, scope VARCHAR, n BIGINT, {texts})")
        yield engine


def _stage(engine: "DuckDBPyConnection", number: int, bill: BillFile) -> int:
    """Take what is needed of a file in one pass: rows of galleries, all others as counts."""
    columns = _columns(bill)
    named = ", ".join(
        f"coalesce({columns.get(name, 'NULL')}, '') AS {name}" for name in (*_TEXTS, *_FIGURES)
    )
    kept = ", ".join(
        f"CASE WHEN scope IN ('gallery', 'nameless') THEN {name} ELSE '' END AS {name}"
        for name in (*_TEXTS, *_FIGURES)
        if name not in ("day", "charge", "class")
    )
    scope = (
        f"CASE WHEN contains(lower(resource), '{_GALLERY}') THEN 'gallery' "
        "WHEN contains(lower(meter), 'snapshot') "
        "THEN CASE WHEN trim(resource) = '' THEN 'nameless' ELSE 'snapshot' END "
        "WHEN contains(lower(meter), 'inter-region') THEN 'transfer' ELSE 'foreign' END"
    )
    try:
        engine.execute(
            f"INSERT INTO staged BY NAME SELECT {number} AS file, scope, count(*) AS n, day, "  # noqa: S608 - names of our own and quoted ones
            f"charge, class, {kept} FROM (SELECT *, {scope} AS scope FROM "
            f"(SELECT {named} FROM {_source(bill)})) GROUP BY ALL",
            {"path": plain_path(bill.path)},
        )
    except duckdb.Error as error:
        raise MalformedError(explain(error, bill.name)) from error
    found = engine.execute("SELECT coalesce(sum(n), 0) FROM staged WHERE file = ?", [number])
    return int((found.fetchone() or (0,))[0])


def _columns(bill: BillFile) -> dict[str, str]:
    """Return the SQL that reads each thing as a text."""
    if bill.delimiter is not None:
        names = [f"c{number}" for number in range(bill.width)]
    else:
        names = ['"' + one.replace('"', '""') + '"' for one in parquet_columns(bill.path)]
    return {what: f"CAST({names[at]} AS VARCHAR)" for what, at in bill.layout.columns.items()}


def _source(bill: BillFile) -> str:
    """Return the SQL of the rows, as texts and without guessing; `$path` is the file."""
    if bill.delimiter is None:
        return "read_parquet($path, hive_partitioning = false)"
    fields = ", ".join(f"c{number}: 'VARCHAR'" for number in range(bill.width))
    packed = "gzip" if bill.packed else "none"
    return (
        "read_csv($path, auto_detect = false, hive_partitioning = false, header = true, "
        f"delim = '{bill.delimiter}', "
        "quote = '\"', escape = '\"', strict_mode = true, "
        f"max_line_size = {MOST_PER_LINE}, compression = '{packed}', columns = {{{fields}}})"
    )


def _distinct(engine: "DuckDBPyConnection", column: str) -> Iterator[str]:
    rows = engine.execute(
        f"SELECT DISTINCT {column} FROM staged WHERE scope = 'gallery'"  # noqa: S608 - a name of our own
    ).fetchall()
    return (str(one[0]) for one in rows)


def _table(
    engine: "DuckDBPyConnection", name: str, columns: str, rows: Iterable[tuple[object, ...]]
) -> None:
    """Make a table of what was read; whole columns at once, since rows one by one are slow."""
    engine.execute(f"CREATE TABLE word_{name} ({columns})")
    by_column = list(zip(*rows, strict=True))
    if by_column:
        values = ", ".join(f"unnest(${number})" for number in range(1, len(by_column) + 1))
        engine.execute(
            f"INSERT INTO word_{name} SELECT {values}",
            [list(one) for one in by_column],
        )


def _months(engine: "DuckDBPyConnection") -> tuple[dict[str, Covered], tuple[str, ...]]:
    """Return the days of usage by month, and what is to be told about months left out.

    A correction of an earlier month does not make the bill one of that month, nor does some late
    usage of other resources: all replicas would be missing in it.
    """
    rows: list[tuple[str, date, date, int, bool]] = engine.execute(
        "SELECT strftime(value, '%Y-%m'), min(value), max(value), sum(n), "
        "bool_or(scope = 'gallery') FROM staged "
        "JOIN word_days ON day = text JOIN word_charges USING (charge, class) "
        "WHERE means = $usage GROUP BY 1 ORDER BY 1",
        {"usage": Charge.USAGE.value},
    ).fetchall()
    total = sum(row[3] for row in rows)
    late = [row for row in rows if not row[4] and row[3] < total * _LATE_SHARE]
    notes = tuple(
        f"of {name} the bill has {counted(int(count), 'late row')} of other resources; that month "
        "is not compared"
        for name, _, _, count, _ in late
    )
    return {row[0]: Covered(first=row[1], last=row[2]) for row in rows if row not in late}, notes


def _check_months(
    engine: "DuckDBPyConnection", months: Mapping[str, Covered], month: str | None
) -> None:
    if month is not None and months and month not in months:
        raise MalformedError(f"the bill has no usage in {month}; it has {', '.join(months)}")
    if not months:
        row = engine.execute("SELECT min(day), min(charge) FROM staged").fetchone() or ("", "")
        raise MalformedError(
            "the bill has no row of usage with a date that can be read, such as 2026-10-31 or "
            f"10/31/2026; there is {row[0][:40]!r}, for a charge of the kind {row[1][:40]!r}"
        )


def _names(files: Sequence[BillFile]) -> list[str]:
    """Return the files' names, with their folders where two are alike."""
    names = [one.name for one in files]
    return names if len(set(names)) == len(names) else [str(one.path) for one in files]


def _file_notes(names: Sequence[str], files: Sequence[BillFile]) -> Iterator[str]:
    for name, bill in zip(names, files, strict=True):
        if not bill.ends_with_line:
            yield (
                f"{name} does not end with the end of a line: its last row is counted, but it may "
                "have been cut off there"
            )
        if bill.delimiter not in (None, ","):
            yield f"{name} parts its fields with {bill.delimiter!r}, not with commas; read as such"


def _day_notes(engine: "DuckDBPyConnection", days: Days) -> Iterator[str]:
    if days.ambiguous:
        yield (
            "dates such as 10/5/2026 are read as month/day/year; no date of the bill shows "
            "whether that is right"
        )
    elif days.order == "day/month/year":
        yield "dates with slashes or points are read as day/month/year, as some of them can only be"
    found = engine.execute(
        "SELECT sum(n) FROM staged JOIN word_days ON day = text WHERE shifted AND scope = 'gallery'"
    ).fetchone()
    if found and found[0]:
        yield (
            f"{counted(int(found[0]), 'row')} with another hour than midnight in UTC: counted on "
            "the day in UTC on which the period begins, perhaps in the month before or after"
        )
