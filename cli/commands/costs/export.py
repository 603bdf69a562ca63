"""`costs export`: the ledger as a FOCUS 1.2 file, for other tools."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from cli.commands.costs.reports import open_query
from cli.session import session_of
from cli.tables.costs import money
from cli.terminal.arguments import AsJson
from cli.terminal.atomic_file import replacing
from cli.terminal.errors import UsageProblem
from cli.terminal.output import print_human, print_json, text
from costs.focus.columns import FOCUS_VERSION, Granularity

if TYPE_CHECKING:
    from costs.focus.export import FocusSummary
    from costs.report.query import ReportQuery

_SHOWN_NAME = 200
_SHOWN_REASONS = 20


class FocusFile(StrEnum):
    """The forms of a FOCUS file, by its name's ending."""

    CSV = ".csv"
    PARQUET = ".parquet"


def export_command(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What to write: NAME.csv or NAME.parquet.")
    ],
    *,
    from_text: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DAY",
            help="First day (2026-11-23) or month (2026-11); two months back unless told.",
            show_default=False,
        ),
    ] = None,
    to_text: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="DAY", help="Last day or month; today unless told.", show_default=False
        ),
    ] = None,
    granularity: Annotated[
        Granularity, typer.Option(help="One row a day, or one a month.")
    ] = Granularity.DAY,
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="This currency alone, such as EUR.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the ledger as FOCUS 1.2, CSV or Parquet: estimates of this app, not a bill."""
    form = _form(file)
    costs, query = open_query(
        session_of(ctx), from_text=from_text, to_text=to_text, currency=currency
    )
    with replacing(file) as part:
        summary = costs.export(
            query, part, parquet=form is FocusFile.PARQUET, granularity=granularity
        )
    if as_json:
        print_json(_view(summary, query, file))
    else:
        print_human(*_told(summary, query, file))


def _form(file: Path) -> FocusFile:
    ending = file.suffix.lower()
    if ending not in FocusFile:
        raise UsageProblem(
            f"{str(file)[:_SHOWN_NAME]!r} ends in neither .csv nor .parquet, which tells what to "
            "write"
        )
    return FocusFile(ending)


def _view(summary: "FocusSummary", query: "ReportQuery", file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "focus_version": FOCUS_VERSION,
        "granularity": summary.granularity.value,
        "from": query.from_day.isoformat(),
        "to": query.to_day.isoformat(),
        "currency": query.currency,
        "rows_written": summary.written,
        "rows": {
            "read": summary.read,
            "used": summary.used,
            "set_aside": [{"reason": reason, "rows": count} for reason, count in summary.set_aside],
        },
        "provisional_rows": summary.provisional,
        "notes": list(summary.notes),
        # To the last digit, as the sum of the file's column BilledCost.
        "billed_cost": [
            {"currency": currency, "amount": f"{total:f}"}
            for currency, total in summary.totals.items()
        ],
    }


def _told(summary: "FocusSummary", query: "ReportQuery", file: Path) -> list[RenderableType]:
    sums = " and ".join(f"{money(total)} {code}" for code, total in summary.totals.items())
    aside = sum(count for _, count in summary.set_aside)
    head = (
        f"{file}: FOCUS {FOCUS_VERSION}, {query.from_day} to {query.to_day}, a row a "
        f"{summary.granularity}; {sums or 'no costs'}, estimated by this app, not billed."
    )
    rows = (
        f"{summary.read} rows of the ledger read, {summary.used} used, {aside} set aside; "
        f"{summary.written} rows written."
    )
    lines = [head, rows]
    lines += [
        f"{count} set aside: {reason}" for reason, count in summary.set_aside[:_SHOWN_REASONS]
    ]
    if rest := summary.set_aside[_SHOWN_REASONS:]:
        lines.append(
            f"{sum(count for _, count in rest)} set aside for {len(rest)} more reasons (--json "
            "has them all)"
        )
    lines += summary.notes[:_SHOWN_REASONS]
    if summary.provisional:
        lines.append(
            f"{summary.provisional} rows are provisional: days that are not on the books yet."
        )
    return [text(line) for line in lines]
