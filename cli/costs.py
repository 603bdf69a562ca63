"""The commands about costs; without one, the audit report."""

from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import AsJson
from cli.cost_export import export_command
from cli.cost_ledger import audit, recompute
from cli.cost_prices import refresh_prices_command
from cli.cost_reconcile import reconcile_command
from cli.cost_what_if import what_if_command
from cli.failures import UsageProblem
from cli.new_file import replacing
from cli.output import print_human, print_json
from cli.session import Session, session_of
from replication.errors import MalformedError

if TYPE_CHECKING:
    from costs.books import Costs
    from costs.report_query import ReportQuery

costs = typer.Typer(help="What every replica costs, and why it exists.")

_SHOWN = 20
_MOST = 10_000


class ReportFormat(StrEnum):
    """In what form a report is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    FOCUS = "focus"
    HTML = "html"


FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DAY",
        help="First day (2026-11-23) or month (2026-11); two months back unless told.",
        show_default=False,
    ),
]
ToOption = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="DAY", help="Last day or month; today unless told.", show_default=False
    ),
]
GroupOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORD",
        help="gallery, definition, version, region, geography, rule, lab, cost_center, tag, month, "
        "day, subscription or storage_type; several with commas.",
        show_default=False,
    ),
]
CurrencyOption = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="This currency alone, such as EUR.", show_default=False),
]


@costs.callback(invoke_without_command=True)
def report(
    ctx: typer.Context,
    *,
    from_text: FromOption = None,
    to_text: ToOption = None,
    group_by: GroupOption = None,
    currency: CurrencyOption = None,
    output_format: Annotated[
        ReportFormat, typer.Option("--format", help="How to print it.")
    ] = ReportFormat.TABLE,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write into a file.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST,
            metavar="N",
            help=f"How many entries a list has: {_SHOWN} in a table, {_MOST} elsewhere, unless "
            "told; what is left out is summed up.",
            show_default=False,
        ),
    ] = None,
    azure: Annotated[
        bool,
        typer.Option(
            "--azure/--no-azure",
            help="Ask Azure which versions nobody uses, and what is not on our books.",
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show what every replica costs, and why it exists; without a command, the audit report."""
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx, ctx.invoked_subcommand)
        return
    wanted = ReportFormat.JSON if as_json else output_format
    if output is not None and wanted is ReportFormat.TABLE:
        raise UsageProblem("--output goes with --format csv, json, focus or html")
    if wanted is ReportFormat.HTML and output is None:
        raise UsageProblem("--format html goes with --output FILE")
    session = session_of(ctx)
    opened, query = open_query(
        session,
        from_text=from_text,
        to_text=to_text,
        group_by=group_by,
        currency=currency,
        limit=limit or (_SHOWN if wanted is ReportFormat.TABLE else _MOST),
    )
    if wanted is ReportFormat.TABLE:
        _print_tables(opened, query, ask_azure=azure)
        return
    if wanted is ReportFormat.JSON and output is None:
        from costs.report_view import report_view  # noqa: PLC0415 - only the audit needs DuckDB
        from costs.reporting import make_report  # noqa: PLC0415 - likewise

        print_json(report_view(make_report(opened, query, ask_azure=azure)))
        return
    from costs.report_text import TooLongError, report_text  # noqa: PLC0415 - likewise

    try:
        content = report_text(opened, query, wanted.value, ask_azure=azure)
    except TooLongError as error:
        raise UsageProblem(f"--{error}") from error
    if output is None:
        print(content, end="")  # noqa: T201 - the answer
        return
    with replacing(output) as part:
        part.write_text(content, encoding="utf-8", newline="")


def open_query(
    session: Session,
    *,
    from_text: str | None,
    to_text: str | None,
    group_by: list[str] | None,
    currency: str | None,
    limit: int = _MOST,
) -> tuple["Costs", "ReportQuery"]:
    """Return the cost services, and the query that the words mean; raises UsageProblem."""
    from costs.opening import open_costs  # noqa: PLC0415 - only the audit needs DuckDB
    from costs.report_query import read_report_query  # noqa: PLC0415 - likewise

    app = session.app()
    try:
        query = read_report_query(
            today=app.ports.clock().astimezone(UTC).date(),
            from_text=from_text,
            to_text=to_text,
            group_by=group_by or (),
            currency=currency,
            limit=limit,
        )
    except MalformedError as error:
        raise UsageProblem(f"--{error}".replace("group_by", "group-by", 1)) from error
    return open_costs(app), query


def _print_tables(opened: "Costs", query: "ReportQuery", *, ask_azure: bool) -> None:
    from cli.cost_tables import report_tables  # noqa: PLC0415 - only the audit needs DuckDB
    from costs.reporting import make_report  # noqa: PLC0415 - likewise

    print_human(*report_tables(make_report(opened, query, ask_azure=ask_azure)))


def _refuse_options(ctx: typer.Context, command: str) -> None:
    """Refuse the report's options before a command, which would not heed them."""
    for option in ctx.command.params:
        source = ctx.get_parameter_source(option.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise UsageProblem(
                f"{option.opts[0]} before {command} is an option of the report; {command} takes "
                "its own after its name"
            )


costs.command("refresh-prices")(refresh_prices_command)
costs.command()(audit)
costs.command()(recompute)
costs.command("what-if")(what_if_command)
costs.command("reconcile")(reconcile_command)
costs.command("export")(export_command)
