# ruff: noqa: S608 - the texts put together are this project's own; values are parameters
"""The export of the ledger as FOCUS 1.2: one row a replica region, charge period and charge."""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from costs.focus.columns import (
    FOCUS_VERSION,
    STORAGE_KNOWN,
    TRANSFER_KNOWN,
    Granularity,
    export_query,
)
from costs.report.query import ReportQuery

_TIME = "%Y-%m-%dT%H:%M:%SZ"
# Rows of a Parquet group: the columns are many, and all of a group are in memory at once.
_GROUP_ROWS = 50_000
# Where the engine's text of an error names the system's own.
_ERRNO = re.compile(r'"errno":"(\d+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusSummary:
    """What became of the ledger's rows.

    `used` rows have at least one charge in the export, and `read` is what is used and set aside.
    `notes` tell of rows that are used without one of their charges. `totals` are by currency.
    """

    granularity: Granularity
    read: int
    used: int
    set_aside: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    written: int
    provisional: int
    totals: Mapping[str, Decimal]


def focus_csv(connection: DuckDBPyConnection, query: ReportQuery) -> str:
    """Return the days of a query as FOCUS CSV, sorted, so that the same ledger is the same text."""
    with tempfile.TemporaryDirectory(prefix="gallery-replicator-") as folder:
        path = Path(folder) / "focus.csv"
        write_focus(connection, query, path, parquet=False, in_order=True)
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()


def write_focus(
    connection: DuckDBPyConnection,
    query: ReportQuery,
    path: Path,
    *,
    parquet: bool,
    granularity: Granularity = Granularity.DAY,
    in_order: bool = False,
) -> FocusSummary:
    """Write the days of a query into a file; the engine streams the rows.

    Months are sorted; days only where `in_order` asks for it, since all of them are then in
    memory at once. A month's row sums up the days of the query in that month. What has no price
    is set aside: a FOCUS row has a cost, and zero would not be it. Raises OSError where the file
    cannot be written.
    """
    how = (
        f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_GROUP_ROWS}, "
        f"KV_METADATA {{DataGenerator: 'gallery-replicator', FocusVersion: '{FOCUS_VERSION}'}}"
        if parquet
        else f"FORMAT csv, HEADER true, DELIMITER ',', TIMESTAMPFORMAT '{_TIME}'"
    )
    rows = export_query(granularity, in_order=in_order or granularity is Granularity.MONTH)
    with _streaming(connection), _told_as_ours(path):
        copied = connection.execute(
            f"COPY ({rows}) TO $path ({how})",
            _parameters(query) | {"path": str(path)},
        ).fetchone()
    return _summary(connection, query, granularity, written=int(copied[0]) if copied else 0)


@contextmanager
def _streaming(connection: DuckDBPyConnection) -> Iterator[None]:
    """Let rows be written as they are read, in any order: to keep one, much is held back."""
    connection.execute("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        connection.execute("SET preserve_insertion_order = true")


@contextmanager
def _told_as_ours(path: Path) -> Iterator[None]:
    """Tell a full disk from a ledger that cannot be read: the engine has one error for both."""
    try:
        yield
    except duckdb.IOException as error:
        if str(path) in str(error):
            number = _ERRNO.search(str(error))
            why = os.strerror(int(number[1])) if number else str(error)
            raise OSError(None, why, str(path)) from error
        raise


def _parameters(query: ReportQuery) -> dict[str, Any]:
    return {"from": query.from_day, "to": query.to_day, "currency": query.currency}


def _summary(
    connection: DuckDBPyConnection, query: ReportQuery, granularity: Granularity, *, written: int
) -> FocusSummary:
    rows = connection.execute(
        f"""
        SELECT currency, stored, sent, to_send, reason, count(*), count(*) FILTER (provisional),
            coalesce(sum(storage_cost) FILTER (stored), 0),
            coalesce(sum(egress_cost) FILTER (sent), 0)
        FROM (
            SELECT currency, {STORAGE_KNOWN} AS stored, {TRANSFER_KNOWN} AS sent,
                egress_gb IS NOT NULL OR egress_unit_price IS NOT NULL OR egress_cost IS NOT NULL
                    AS to_send,
                CASE WHEN NOT stored OR (to_send AND NOT sent)
                    THEN coalesce(unpriced, 'the row does not say why') END AS reason,
                provisional, storage_cost, egress_cost
            FROM ledger WHERE day BETWEEN $from AND $to
        )
        GROUP BY currency, stored, sent, to_send, reason
        ORDER BY count(*) DESC, reason, currency
        """,
        {"from": query.from_day, "to": query.to_day},
    ).fetchall()
    tally = _Tally()
    for currency, stored, sent, to_send, reason, count, provisional, storage, egress in rows:
        tally.read += count
        if query.currency not in (None, currency):
            tally.aside[f"in {currency}, not in {query.currency}"] += count
        elif not stored and not sent:
            tally.aside[f"no price: {reason}"] += count
        else:
            tally.provisional += provisional
            tally.totals[currency] = tally.totals.get(currency, Decimal(0)) + storage + egress
            if not stored:
                tally.without[f"storage: {reason}"] += count
            if to_send and not sent:
                tally.without[f"transfer: {reason}"] += count
    return FocusSummary(
        granularity=granularity,
        read=tally.read,
        used=tally.read - tally.aside.total(),
        set_aside=tuple(tally.aside.most_common()),
        notes=tuple(
            f"1 row is used without its {what}"
            if count == 1
            else f"{count} rows are used without their {what}"
            for what, count in tally.without.most_common()
        ),
        written=written,
        provisional=tally.provisional,
        totals=dict(sorted(tally.totals.items())),
    )


@dataclass(slots=True)
class _Tally:
    read: int = 0
    provisional: int = 0
    aside: Counter[str] = field(default_factory=Counter)
    without: Counter[str] = field(default_factory=Counter)
    totals: dict[str, Decimal] = field(default_factory=dict)
