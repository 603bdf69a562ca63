"""`costs what-if`: what the replicas of today would cost if they were kept otherwise."""

from collections.abc import Collection
from datetime import UTC, date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from cli.session import session_of
from cli.tables.costs import money
from cli.terminal.arguments import AsJson
from cli.terminal.errors import UsageProblem
from cli.terminal.output import new_table, print_human, print_json, text
from costs.report.query import Change
from replication.domain.regions import InvalidRegionNameError, Region

if TYPE_CHECKING:
    from costs.report.what_if import WhatIf

STORAGE_TYPES = ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
_MOST_REPLICAS = 100
_SHOWN = 20


def what_if_command(
    ctx: typer.Context,
    *,
    deny_region: Annotated[
        list[str] | None,
        typer.Option(metavar="REGION", help="No replicas in this region; several times for more."),
    ] = None,
    storage_type: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE", help=f"{', '.join(STORAGE_TYPES)} everywhere.", show_default=False
        ),
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Only the newest N of each definition.", show_default=False
        ),
    ] = None,
    replica_count: Annotated[
        int | None,
        typer.Option(
            min=1, max=_MOST_REPLICAS, metavar="N", help="N replicas a region.", show_default=False
        ),
    ] = None,
    azure: Annotated[
        bool, typer.Option("--azure/--no-azure", help="Ask Azure which versions are in use.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show what a month would cost with other rules; nothing is written."""
    change = Change(
        deny_regions=frozenset(_region(name) for name in deny_region or ()),
        storage_type=_storage_type(storage_type),
        keep_last=keep_last,
        replica_count=replica_count,
    )
    if change.is_none:
        raise UsageProblem(
            "name a change: --deny-region, --storage-type, --keep-last or --replica-count"
        )
    app = session_of(ctx).app()
    today = app.ports.clock().astimezone(UTC).date()
    answer = app.costs.reports.what_if(change, today, ask_azure=azure)
    if as_json:
        print_json(answer.as_json(today))
        return
    print_human(*_tables(answer, today))


def _tables(answer: "WhatIf", day: date) -> list[RenderableType]:
    parts: list[RenderableType] = [text(f"A month at the ledger of {day}; nothing was written.")]
    table = new_table("GALLERY", "CURRENCY", "NOW", "THEN", "SAVING A MONTH", "ONCE")
    galleries = {gallery for gallery, _ in answer.galleries}
    by_saving = sorted(answer.galleries.items(), key=lambda one: (one[0][1], -one[1].saving))
    for (gallery, currency), one in by_saving[:_SHOWN]:
        figures = (one.before, one.after, one.saving, one.once)
        table.add_row(
            text(_short(gallery, galleries)),
            text(currency),
            *(text(money(each)) for each in figures),
        )
    for currency, one in sorted(answer.currencies.items()):
        figures = (one.before, one.after, one.saving, one.once)
        table.add_row(
            text("in all", "bold"), text(currency), *(text(money(each), "bold") for each in figures)
        )
    aside = sum(answer.set_aside.values())
    parts.append(table)
    if len(by_saving) > _SHOWN:
        parts.append(text(f"and {len(by_saving) - _SHOWN} more galleries, which are in the sum"))
    parts += [
        text(
            f"{len(answer.versions_gone)} versions and {answer.regions_gone} replica regions would "
            f"go, {answer.regions_changed} would be kept otherwise."
        ),
        *(text(note) for note in answer.notes),
        text(f"{answer.rows} rows read, {answer.rows - aside} used, {aside} set aside"),
        *(text(f"set aside: {count} {why}") for why, count in answer.set_aside.most_common()),
    ]
    return parts


def _short(gallery_id: str, others: Collection[str]) -> str:
    """Return a gallery's name, with its place where another has the same one."""
    parts = gallery_id.split("/")
    same = [one for one in others if one.rpartition("/")[2] == parts[-1]]
    return parts[-1] if len(same) == 1 else "/".join((parts[2], parts[4], parts[-1]))


def _region(name: str) -> str:
    try:
        return Region.parse(name).name
    except InvalidRegionNameError as error:
        raise UsageProblem(f"--deny-region: {error}") from error


def _storage_type(name: str | None) -> str | None:
    if name is None:
        return None
    for known in STORAGE_TYPES:
        if known.casefold() == name.strip().casefold():
            return known
    raise UsageProblem(f"--storage-type is {name[:40]!r}; it is one of {', '.join(STORAGE_TYPES)}")
