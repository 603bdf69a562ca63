"""A report as JSON: money is a text with all its digits, the currency beside it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from costs.pricing.estimate import CostEstimate
from costs.report.facts import Group, GroupList, Money, VersionFact, amount
from costs.report.maths import BudgetUse, Forecast, MonthGrowth, percent
from costs.report.report import CostReport, GhostList, OrphanList, RowCount, VersionList
from replication.domain.formatting import stamp

type View = dict[str, Any]


def report_view(report: CostReport) -> View:
    """Return the report."""
    query = report.query
    return {
        "from": query.from_day.isoformat(),
        "to": query.to_day.isoformat(),
        "made_at": stamp(report.made_at),
        "last_day": _day(report.last_day),
        "group_by": [one.value for one in query.group_by],
        "currency": query.currency,
        "totals": [money_view(one) for one in report.totals.values()],
        "groups": _groups(report.groups, report.totals),
        "months": [_month(one) for one in report.months],
        "forecast": [_forecast(one) for one in report.forecasts],
        "top_spenders": [group_view(one, report.totals) for one in report.top],
        "labs": _groups(report.labs, report.totals),
        "budgets": {
            "items": [_budget(one) for one in report.budgets],
            "note": report.budget_note or None,
        },
        "unused": _versions(report.unused),
        "superseded": _versions(report.superseded),
        "orphans": _orphans(report.orphans),
        "ghosts": _ghosts(report.ghosts),
        "azure_notes": list(report.azure_notes),
        "rows": rows_view(report.rows),
    }


def money_view(money: Money) -> View:
    """Return what rows of one currency cost."""
    return {
        "currency": money.currency,
        "storage": amount(money.storage),
        "egress": amount(money.egress),
        "total": amount(money.total),
        "replica_days": money.replica_days,
        "unpriced_rows": money.unpriced_rows,
        "incomplete_rows": money.incomplete_rows,
    }


def group_view(group: Group, totals: Mapping[str, Money]) -> View:
    """Return a group with its share of all costs in its currency."""
    whole = totals.get(group.money.currency)
    share = percent(group.money.total, whole.total if whole else None)
    return {
        "key": dict(group.keys),
        **money_view(group.money),
        "share_percent": None if share is None else f"{share}",
    }


def rows_view(rows: RowCount) -> View:
    """Return the account of the rows."""
    return {
        "read": rows.read,
        "used": rows.used,
        "set_aside": [{"reason": reason, "rows": count} for reason, count in rows.set_aside],
        "notes": list(rows.notes),
    }


def amounts_view(amounts: Mapping[str, Decimal | None]) -> list[View]:
    """Return amounts by currency."""
    return [{"currency": currency, "monthly": amount(value)} for currency, value in amounts.items()]


def version_view(one: VersionFact) -> View:
    """Return a version of the last day."""
    return {
        "image_version_id": one.image_version_id,
        "lab": one.lab,
        "cost_center": one.cost_center,
        "currency": one.currency,
        "monthly": amount(one.monthly),
        "in_period": amount(one.in_period),
        "replicas": one.replicas,
        "regions": one.regions,
        "gb": amount(one.gb),
        "unpriced_rows": one.unpriced_rows,
    }


def _groups(groups: GroupList, totals: Mapping[str, Money]) -> View:
    return {
        "items": [group_view(one, totals) for one in groups.items],
        "left_out": groups.left_out,
        "left_out_totals": [money_view(one) for one in groups.left_out_money.values()],
    }


def _month(one: MonthGrowth) -> View:
    return {
        "month": one.month,
        "currency": one.currency,
        "storage": amount(one.storage),
        "egress": amount(one.egress),
        "total": amount(one.total),
        "storage_per_day": amount(one.storage_per_day),
        "change_per_day": amount(one.change),
        "change_percent": None if one.change_percent is None else f"{one.change_percent}",
        "ledger_days": one.ledger_days,
        "days": one.days,
    }


def _forecast(one: Forecast) -> View:
    return {
        "currency": one.currency,
        "month": one.month,
        "so_far": amount(one.so_far),
        "month_total": amount(one.month_total),
        "next_month": amount(one.next_month),
        "next_month_by_trend": amount(one.trend_next_month),
        "basis": one.basis,
    }


def _budget(one: BudgetUse) -> View:
    return {
        "budget": one.budget,
        "gallery": one.gallery,
        "month": one.month,
        "currency": one.currency,
        "limit": amount(one.limit),
        "actual": amount(one.actual),
        "expected": amount(one.expected),
        "percent": None if one.percent is None else f"{one.percent}",
        "unpriced_rows": one.unpriced_rows,
        "state": one.state.value,
    }


def _versions(found: VersionList) -> View:
    known = found.unknown is None
    return {
        "known": known,
        "note": found.note or None if known else found.unknown,
        "count": found.count if known else None,
        "monthly": amounts_view(found.monthly) if known else None,
        "items": [version_view(one) for one in found.items] if known else None,
    }


def _orphans(found: OrphanList) -> View:
    if found.unknown is not None:
        return _unknown(found.unknown)
    return {
        "known": True,
        "note": f"{found.unpriced} without an estimate are in no sum" if found.unpriced else None,
        "count": found.count,
        "monthly": amounts_view(found.monthly),
        "items": [
            {
                "image_version_id": str(item.orphan.version_id),
                "regions": [replica.region for replica in item.orphan.replicas],
                "reason": item.orphan.reason,
                **_estimate(item.estimate),
            }
            for item in found.items
        ],
    }


def _ghosts(found: GhostList) -> View:
    if found.unknown is not None:
        return _unknown(found.unknown)
    return {
        "known": True,
        "note": None,
        "count": found.count,
        "monthly": amounts_view(found.monthly),
        "items": [
            {
                "image_version_id": str(item.ghost.version_id),
                "regions": list(item.ghost.regions),
                "reason": item.ghost.reason,
                "charged": amounts_view(item.monthly),
            }
            for item in found.items
        ],
    }


def _unknown(reason: str) -> View:
    return {"known": False, "note": reason, "count": None, "monthly": None, "items": None}


def _estimate(estimate: CostEstimate) -> View:
    return {
        "currency": estimate.currency,
        "monthly": amount(estimate.monthly),
        "basis": estimate.basis,
        "confidence": estimate.confidence,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
