"""A report's groups as CSV, with the account of the rows as its last lines."""

import csv
import io
from collections.abc import Iterable

from costs.report.facts import Group, Money, amount
from costs.report.groups import key_names
from costs.report.report import CostReport

# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MONEY = ("currency", "storage", "egress", "total", "replica_days", "rows", "unpriced_rows")


def report_csv(report: CostReport) -> str:
    """Return the groups, one a line; the column `section` tells them from the lines after them.

    An amount without a price is empty. A text that a spreadsheet would take for a formula gets an
    apostrophe before it.
    """
    groups = report.groups
    keys = key_names(report.query.group_by)
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(["section", *keys, *_MONEY, "note"])
    for group in groups.items:
        lines.writerow(["group", *_cells(group), *_amounts(group.money), ""])
    blank = [""] * len(keys)
    for money in groups.left_out_money.values():
        lines.writerow(["left_out", *blank, *_amounts(money), f"{groups.left_out} more groups"])
    for money in report.totals.values():
        lines.writerow(["total", *blank, *_amounts(money), ""])
    rows = report.rows
    lines.writerow(_count("rows_read", blank, rows.read, ""))
    lines.writerow(_count("rows_used", blank, rows.used, ""))
    for reason, count in rows.set_aside:
        lines.writerow(_count("rows_set_aside", blank, count, reason))
    for note in rows.notes:
        lines.writerow(_count("note", blank, "", note))
    return text.getvalue()


def safe_cell(text: str | None) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula; None is empty."""
    if text is None:
        return ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(group: Group) -> Iterable[str]:
    return (safe_cell(value) for value in group.keys.values())


def _amounts(money: Money) -> list[str | int]:
    return [
        money.currency,
        amount(money.storage) or "",
        amount(money.egress) or "",
        amount(money.total) or "",
        money.replica_days,
        money.rows,
        money.unpriced_rows,
    ]


def _count(section: str, blank: list[str], count: int | str, note: str) -> list[str | int]:
    cells: list[str | int] = [""] * len(_MONEY)
    cells[_MONEY.index("rows")] = count
    return [section, *blank, *cells, safe_cell(note)]
