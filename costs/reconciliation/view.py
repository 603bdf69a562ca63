"""Show a reconciliation as JSON: money is a text with all its digits, the currency beside it."""

from collections.abc import Sequence
from typing import Any

from costs.bill.model import Aside
from costs.reconciliation.lines import Line, Verdict
from costs.reconciliation.service import Reconciliation, Total
from costs.reconciliation.sizes import Learned
from costs.report.view import amount

type View = dict[str, Any]


def reconciliation_view(found: Reconciliation) -> View:
    """Return the whole answer."""
    return {
        "files": [
            {"name": one.name, "layout": one.layout, "rows": one.rows} for one in found.files
        ],
        "months": [
            {"month": month, "from": f"{one.first}", "to": f"{one.last}"}
            for month, one in sorted(found.months.items())
        ],
        "totals": [_total(one) for one in found.totals],
        "lines": [_line(one) for one in found.lines],
        "learned": [_learned(one) for one in found.learned],
        "sizes_kept": found.kept_sizes,
        "notes": list(found.notes),
        "rows": {
            "read": found.read,
            "used": found.used,
            "out_of_scope": _asides(found.out_of_scope),
            "set_aside": _asides(found.set_aside),
        },
    }


def _total(one: Total) -> View:
    return {
        "currency": one.currency,
        "bill": amount(one.bill),
        "ledger": amount(one.ledger),
        "difference": amount(one.bill - one.ledger),
        "unpriced_lines": one.unpriced,
        "lines": {verdict.value: one.verdicts.get(verdict, 0) for verdict in Verdict},
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
            "reason": one.reason,
            "rows": one.rows,
            "amounts": [
                {"currency": currency, "amount": amount(value)}
                for currency, value in sorted(one.amounts.items())
            ],
        }
        for one in found
    ]
