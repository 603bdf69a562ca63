"""The comparison of a Cost Management export with the ledger, and the sizes that it shows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.bill.file import open_bill
from costs.bill.model import Aside, Covered, FileRead, counted
from costs.bill.reader import BillReader
from costs.ledger.ledger import Ledger
from costs.pricing.sizes import OccupiedSizes
from costs.reconciliation.ledger import LedgerRows, read_ledger
from costs.reconciliation.lines import Line, Verdict, pair
from costs.reconciliation.sizes import Learned, derive_sizes
from costs.reconciliation.verdicts import Circumstances, judge, settle_quantities
from costs.report.facts import amount
from costs.report.query import ReportQuery, days_in_month
from costs.report.report import missing_days
from replication.domain.region_snapshot import shipped_catalog

type View = dict[str, Any]


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

    def as_json(self) -> View:
        """Return the answer; money is a text with all its digits, the currency beside it."""
        return {
            "files": [
                {"name": one.name, "layout": one.layout, "rows": one.rows} for one in self.files
            ],
            "months": [
                {"month": month, "from": f"{one.first}", "to": f"{one.last}"}
                for month, one in sorted(self.months.items())
            ],
            "totals": [_total(one) for one in self.totals],
            "lines": [_line(one) for one in self.lines],
            "learned": [_learned(one) for one in self.learned],
            "sizes_kept": self.kept_sizes,
            "notes": list(self.notes),
            "rows": {
                "read": self.read,
                "used": self.used,
                "out_of_scope": _asides(self.out_of_scope),
                "set_aside": _asides(self.set_aside),
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BillAudit:
    """Compares a bill with the ledger."""

    ledger: Ledger
    sizes: OccupiedSizes
    clock: Callable[[], datetime]

    def reconcile(
        self, paths: Sequence[Path], *, month: str | None = None, keep_sizes: bool = True
    ) -> Reconciliation:
        """Compare a bill with the ledger; the sizes it shows are kept if told to.

        Raises MalformedError for a file that cannot be used, and what storage raises.
        """
        today = self.clock().astimezone(UTC).date()
        bill = BillReader(regions=shipped_catalog()).read(
            [open_bill(path) for path in paths], month
        )
        ledger, notes = self._read_ledger(bill.months)
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
            kept = self.sizes.merge(one.size for one in learned if not one.why_not)
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

    def _read_ledger(self, months: Mapping[str, Covered]) -> tuple[LedgerRows, tuple[str, ...]]:
        """Return the ledger of the days that the bill covers, and what is to be told about them."""
        query = ReportQuery(
            from_day=min(one.first for one in months.values()),
            to_day=max(one.last for one in months.values()),
        )
        with self.ledger.open(query.from_day, query.to_day) as (connection, days):
            rows = read_ledger(connection, months)
        notes = [
            f"of {month} the bill has {one.first} to {one.last}; the ledger is compared in these "
            "days"
            for month, one in sorted(months.items())
            if (one.first.day, one.last.day) != (1, days_in_month(one.last))
        ]
        notes += missing_days(query, days)
        if rows.unreadable:
            notes.append(
                f"{counted(rows.unreadable, 'row')} of the ledger for records that cannot be read"
            )
        return rows, tuple(notes)


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
            verdicts={
                verdict: sum(1 for one in own if one.verdict is verdict) for verdict in Verdict
            },
        )
        for currency, own in sorted(by_currency.items())
    )


def _total(one: Total) -> View:
    return {
        "currency": one.currency,
        "bill": amount(one.bill),
        "ledger": amount(one.ledger),
        "difference": amount(one.bill - one.ledger),
        "unpriced_lines": one.unpriced,
        "lines": {verdict.value: lines for verdict, lines in one.verdicts.items()},
    }


def _line(one: Line) -> View:
    key = one.key
    return {
        "verdict": one.verdict.value,
        "kind": key.kind.value,
        "resource": key.resource.id,
        "level": key.resource.level.value,
        "region": key.region or None,
        "month": key.month,
        "currency": key.currency,
        "bill": amount(one.bill),
        "ledger": amount(one.ledger),
        "difference": amount(one.difference),
        "bill_gb": amount(one.gb),
        "ledger_gb": amount(one.ledger_gb),
        "replica_days": one.replica_days,
        "bill_rows": one.bill_rows,
        "ledger_rows": one.ledger_rows,
        "causes": list(one.causes),
    }


def _learned(one: Learned) -> View:
    return {
        "definition": one.size.definition_id,
        "version": one.size.version,
        "month": one.size.month,
        "gb": amount(one.size.gb),
        "counted_gb": amount(one.counted_gb),
        "replica_months": amount(one.replica_months),
        "average_of_versions": one.average_of,
        "safe": not one.why_not,
        "why_not": one.why_not or None,
    }


def _asides(found: Sequence[Aside]) -> list[View]:
    return [
        {
            "reason": aside.reason,
            "rows": aside.rows,
            "amounts": [
                {"currency": currency, "amount": amount(value)}
                for currency, value in sorted(aside.amounts.items())
            ],
        }
        for aside in found
    ]
