"""Command `actions`: what operators did."""

from typing import Annotated

import typer

from cli.client.pages import collect
from cli.session import session_of
from cli.tables.replications import action_list
from cli.terminal.arguments import AsJson
from cli.terminal.output import print_human, print_json, text


def actions(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what, when, and what came of it; the newest first."""
    service = session_of(ctx).service().actions
    items, more = collect(lambda cursor, most: service.page(cursor=cursor, limit=most), limit=limit)
    if as_json:
        print_json({"items": items, "more": more})
        return
    if not items:
        print_human(text("Nobody has done anything yet."))
        return
    print_human(action_list(items))
    if more:
        print_human(text(f"The newest {len(items)}; there are more: raise --limit."))
