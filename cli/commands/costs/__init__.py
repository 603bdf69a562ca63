"""Commands about costs; without one, the audit report."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.costs.audit import audit, recompute
from cli.commands.costs.export import export_command
from cli.commands.costs.reconcile import reconcile_command
from cli.commands.costs.refresh_prices import refresh_prices_command
from cli.commands.costs.reports import MOST_ENTRIES, ReportAsked, ReportFormat, reports_of
from cli.commands.costs.what_if import what_if_command
from cli.session import session_of
from cli.tables.costs import report_tables
from cli.terminal.arguments import AsJson
from cli.terminal.atomic_file import replacing
from cli.terminal.errors import UsageProblem
from cli.terminal.output import print_human, print_json
from costs.report.query import Dimension

costs = typer.Typer(help="What every replica costs, and why it exists.")

_SHOWN = 20


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
        help=f"{', '.join(Dimension)} or tag; several with commas.",
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
            max=MOST_ENTRIES,
            metavar="N",
            help=f"How many entries a list has: {_SHOWN} in a table, {MOST_ENTRIES} elsewhere, "
            "unless told; what is left out is summed up.",
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
    asked = ReportAsked(
        from_text=from_text,
        to_text=to_text,
        group_by=tuple(group_by or ()),
        currency=currency,
        limit=limit or (_SHOWN if wanted is ReportFormat.TABLE else MOST_ENTRIES),
        ask_azure=azure,
    )
    reports = reports_of(session_of(ctx))
    if wanted is ReportFormat.TABLE:
        print_human(*report_tables(reports.view(asked)))
        return
    if wanted is ReportFormat.JSON and output is None:
        print_json(reports.view(asked))
        return
    content = reports.text(asked, wanted)
    if output is None:
        print(content, end="")  # noqa: T201 - the answer
        return
    with replacing(output) as part:
        part.write_text(content, encoding="utf-8", newline="")


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
