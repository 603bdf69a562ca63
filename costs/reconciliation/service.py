"""Reconcile a Cost Management export with the ledger, and learn the sizes that it shows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import duckdb

from costs.bill.file import open_bill
from costs.bill.model import Aside, Covered, FileRead, counted
from costs.bill.reader import BillReader
from costs.books import Costs
from costs.ledger.engine import ledger_connection
from costs.reconciliation.ledger import LedgerRows, read_ledger
from costs.reconciliation.lines import Line, Verdict, pair
from costs.reconciliation.sizes import Learned, derive_sizes
from costs.reconciliation.verdicts import Circumstances, judge, settle_quantities
from costs.report.query import ReportQuery, days_in_month
from costs.report.report import missing_days
from replication.domain.errors import MalformedError
from replication.domain.region_snapshot import shipped_catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sums of a currency; `ledger` counts what has a price, `unpriced` lines have none."""

    currency: str
    bill: Decimal
    ledger: Decimal
    unpriced: int
    verdicts: Mapping[Verdict, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The answer: every line, what was learned, and what became of every row of the bill."""

    files: tuple[FileRead, ...]
    months: Mapping[str, Covered]
    totals: tuple[Total, ...]
    lines: tuple[Line, ...]
    learned: tuple[Learned, ...]
    kept_sizes: int | None
    read: int
    used: int
    out_of_scope: tuple[Aside, ...]
    set_aside: tuple[Aside, ...]
    notes: tuple[str, ...]


def reconcile(
    costs: Costs, paths: Sequence[Path], *, month: str | None = None, keep_sizes: bool = True
) -> Reconciliation:
    """Compare a bill with the ledger; the sizes it shows are kept if told to.

    Raises MalformedError for a file that cannot be used, and what storage raises.
    """
    today = costs.app.ports.clock().astimezone(UTC).date()
    bill = BillReader(regions=shipped_catalog()).read([open_bill(path) for path in paths], month)
    ledger, notes = _read_ledger(costs, bill.months)
    about = Circumstances(
        today=today,
        months=bill.months,
        aside=bill.aside_by_place,
        transfers_elsewhere=bill.transfers_elsewhere,
    )
    pairs = settle_quantities(pair(bill.lines, ledger.lines))
    lines = judge(pairs, about)
    learned = derive_sizes(pairs, about)
    kept = None
    if keep_sizes:
        kept = costs.sizes.merge(one.size for one in learned if not one.why_not)
    return Reconciliation(
        files=bill.files,
        months=bill.months,
        totals=totals(lines),
        lines=lines,
        learned=learned,
        kept_sizes=kept,
        read=bill.rows,
        used=bill.used,
        out_of_scope=bill.out_of_scope,
        set_aside=bill.set_aside,
        notes=(*bill.notes, *notes),
    )


def totals(lines: Iterable[Line]) -> tuple[Total, ...]:
    """Add the lines up, each currency by itself."""
    by_currency: dict[str, list[Line]] = {}
    for line in lines:
        by_currency.setdefault(line.key.currency, []).append(line)
    return tuple(
        Total(
            currency=currency,
            bill=sum((one.bill for one in own if one.bill is not None), Decimal(0)),
            ledger=sum((one.ledger for one in own if one.ledger is not None), Decimal(0)),
            unpriced=sum(1 for one in own if one.ledger is None and one.ledger_rows),
            verdicts=Counter(one.verdict for one in own),
        )
        for currency, own in sorted(by_currency.items())
    )


def _read_ledger(costs: Costs, months: Mapping[str, Covered]) -> tuple[LedgerRows, tuple[str, ...]]:
    """Return the ledger of the days that the bill covers, and what is to be told about them."""
    query = ReportQuery(
        from_day=min(one.first for one in months.values()),
        to_day=max(one.last for one in months.values()),
    )
    with costs.ledger.files(query.from_day, query.to_day) as files:
        try:
            with ledger_connection(files.paths) as connection:
                rows = read_ledger(connection, months)
        except duckdb.Error as error:
            raise MalformedError(f"the ledger's files cannot be read: {error}") from error
        days = frozenset((*files.written_days, *files.provisional_days))
    notes = [
        f"of {month} the bill has {one.first} to {one.last}; the ledger is compared in these days"
        for month, one in sorted(months.items())
        if (one.first.day, one.last.day) != (1, days_in_month(one.last))
    ]
    notes += missing_days(query, days)
    if rows.unreadable:
        notes.append(
            f"{counted(rows.unreadable, 'row')} of the ledger for records that cannot be read"
        )
    return rows, tuple(notes)
