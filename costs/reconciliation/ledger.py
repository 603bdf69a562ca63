"""What the ledger has of the days that a bill covers, by version, region, month and currency."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from costs.bill.model import Covered, LineKey
from costs.bill.text import Kind, Level, Resource
from costs.reconciliation.lines import LedgerLine

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

# An id that can be compared; a record that cannot be read has none.
_READABLE = "starts_with(image_version_id, '/')"
_COVERED = "JOIN covered ON day BETWEEN covered.first AND covered.last"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRows:
    """The ledger's lines, and how many of its rows are in them and how many have no version."""

    lines: tuple[LedgerLine, ...]
    used: int
    unreadable: int


def read_ledger(connection: "DuckDBPyConnection", months: Mapping[str, Covered]) -> LedgerRows:
    """Sum up the view `ledger` within the days that the bill covers."""
    connection.execute("CREATE OR REPLACE TEMP TABLE covered (first DATE, last DATE)")
    for one in months.values():
        connection.execute("INSERT INTO covered VALUES (?, ?)", [one.first, one.last])
    counts: Sequence[Any] = connection.execute(
        f"SELECT count(*) FILTER ({_READABLE}), count(*) FILTER (NOT {_READABLE}) "  # noqa: S608 - a test of our own
        f"FROM ledger {_COVERED}"
    ).fetchone() or (0, 0)
    return LedgerRows(
        lines=(*_storage(connection), *_transfers(connection)),
        used=int(counts[0]),
        unreadable=int(counts[1]),
    )


def _storage(connection: "DuckDBPyConnection") -> Iterator[LedgerLine]:
    rows = connection.execute(
        f"""
        SELECT arg_max(image_version_id, day), region, currency, min(day), max(day),
            any_value(days_in_month), sum(replicas), count(*), count(*) FILTER (provisional),
            sum(storage_cost), sum(gb * replicas) / any_value(days_in_month)::DECIMAL(3,0),
            count(*) FILTER (storage_cost IS NULL), count(*) FILTER (gb IS NULL),
            any_value(unpriced) FILTER (storage_cost IS NULL),
            arg_min(unit_price, day), arg_max(unit_price, day), arg_max(gb_confidence, day),
            max(gb_high) FILTER (gb_confidence = 'low')
        FROM ledger {_COVERED} WHERE {_READABLE}
        GROUP BY version_key, region, currency, date_trunc('month', day)
        """  # noqa: S608 - tests of our own
    ).fetchall()
    return (_line(Kind.STORAGE, row) for row in rows)


def _transfers(connection: "DuckDBPyConnection") -> Iterator[LedgerLine]:
    """Yield the transfers by the region they come from, where Azure charges them."""
    rows = connection.execute(
        f"""
        SELECT arg_max(image_version_id, day), home_region, currency, min(day), max(day),
            any_value(days_in_month), 0, count(*), count(*) FILTER (provisional),
            sum(egress_cost), sum(egress_gb),
            count(*) FILTER (egress_cost IS NULL), count(*) FILTER (egress_gb IS NULL),
            any_value(unpriced) FILTER (egress_cost IS NULL),
            arg_min(egress_unit_price, day), arg_max(egress_unit_price, day),
            arg_max(gb_confidence, day), NULL
        FROM ledger {_COVERED} WHERE {_READABLE}
            AND (egress_gb IS NOT NULL OR egress_unit_price IS NOT NULL OR egress_cost IS NOT NULL)
        GROUP BY version_key, home_region, currency, date_trunc('month', day)
        """  # noqa: S608 - tests of our own
    ).fetchall()
    return (_line(Kind.TRANSFER, row) for row in rows)


def _line(kind: Kind, row: Sequence[Any]) -> LedgerLine:
    version, region, currency, first, last, length, replica_days, rows, provisional = row[:9]
    cost, gb, unpriced_rows, sizeless_rows, unpriced, first_price, last_price = row[9:16]
    confidence, limit = row[16:]
    day: date = first
    return LedgerLine(
        key=LineKey(
            kind=kind,
            resource=Resource(version.lower(), Level.VERSION),
            region=region,
            month=f"{day:%Y-%m}",
            currency=currency,
        ),
        cost=None if unpriced_rows else cost,
        gb=None
        if sizeless_rows or gb is None
        else gb
        if isinstance(gb, Decimal)
        else Decimal(f"{gb:.9f}"),
        replica_days=int(replica_days),
        days_in_month=length,
        first_day=first,
        last_day=last,
        rows=rows,
        versions=(version,),
        confidence=confidence,
        gb_limit=limit,
        first_price=first_price,
        last_price=last_price,
        provisional_rows=provisional,
        unpriced=unpriced,
    )
