"""The command about what operators did."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.session import session_of
from cli.tables.replications import action_list
from cli.terminal.arguments import AsJson
from cli.terminal.output import print_human, print_json, text

if TYPE_CHECKING:
    from cli.client.protocol import Document

_PAGE = 200


def actions(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what, when, and what came of it; the newest first."""
    service = session_of(ctx).service().actions
    items: list[Document] = []
    cursor: str | None = None
    while True:
        page = service.page(cursor=cursor, limit=min(_PAGE, limit - len(items)))
        items += page["items"]
        cursor = page["next"]
        if cursor is None or len(items) >= limit:
            break
    if as_json:
        print_json({"items": items, "more": cursor is not None})
        return
    if not items:
        print_human(text("Nobody has done anything yet."))
        return
    print_human(action_list(items))
    if cursor is not None:
        print_human(text(f"The newest {len(items)}; there are more: raise --limit."))
