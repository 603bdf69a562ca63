"""Commands about the dead-letter desk: list, show, replay and discard."""

from dataclasses import replace
from typing import Annotated

import typer

from cli.client.pages import collect
from cli.commands.dead_letter_acts import Wish
from cli.commands.dead_letter_filter import (
    CodeOption,
    GalleryOption,
    ImageVersionOption,
    LetterFilter,
    RegionOption,
    SourceOption,
    StateOption,
    code_hint,
    find_letter_id,
    read_letter_ids,
)
from cli.commands.replications import MAX_LIMIT
from cli.session import session_of
from cli.tables.dead_letters import SHORT_ID, letter_detail, letter_list
from cli.terminal.arguments import AsJson
from cli.terminal.output import in_terminal, print_human, print_json, print_whole, text
from replication.ports import LetterAction, LetterState

dead_letters = typer.Typer(
    help="Look at what needs a person, send it again, or discard it.", no_args_is_help=True
)

LetterArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Id of the dead letter, or its first digits, six at least.",
        show_default=False,
    ),
]
LetterArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Ids of dead letters, or their first digits; without any, a filter.",
        show_default=False,
    ),
]
AllOption = Annotated[
    bool, typer.Option("--all", help="Every letter; takes the place of a filter.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        help="Act on exactly the letters that a dry run counted; it prints the token.",
        show_default=False,
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only count.")]


@dead_letters.callback()
def _dead_letters() -> None:
    """Look at what needs a person, send it again, or discard it."""


@dead_letters.command("list")
def list_letters(
    ctx: typer.Context,
    *,
    code: CodeOption = None,
    source: SourceOption = None,
    gallery: GalleryOption = None,
    region: RegionOption = None,
    image_version: ImageVersionOption = None,
    state: StateOption = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the dead letters that still need someone, or those of a filter."""
    wanted = LetterFilter(
        code=code,
        source=source,
        gallery=gallery,
        region=region,
        image_version=image_version,
        state=state,
    )
    query = wanted.query()
    service = session_of(ctx).service()
    items, more = collect(
        lambda cursor, most: service.letters.page(replace(query, cursor=cursor, limit=most)),
        limit=limit,
    )
    if as_json:
        print_json({"items": items, "more": more})
    elif items:
        print_human(letter_list(items, now=service.now(), stacked=in_terminal()))
        if more:
            print_human(text(f"These are {len(items)}; there are more: raise --limit."))
    else:
        print_human(text(f"No dead letter matches.{code_hint(query)}"))


@dead_letters.command()
def show(ctx: typer.Context, letter_id: LetterArgument, *, as_json: AsJson = False) -> None:
    """Show a dead letter whole: cause, what it means, timeline and raw message."""
    (one,) = read_letter_ids([letter_id])
    session = session_of(ctx)
    service = session.service()
    view = service.letters.one(find_letter_id(service.letters, one))
    if as_json:
        print_json(view)
        return
    print_human(*letter_detail(view, now=service.now()))
    print_human("", text("Raw message", "bold"))
    print_whole(view.raw)
    resolved = view.state == LetterState.RESOLVED.value
    act = LetterAction.DISCARD if resolved else LetterAction.REPLAY
    command = f"{session.command} dead-letters {act.value} {view.id[:SHORT_ID]}"
    print_human("", text(f"{act.value.capitalize()} it with: {command}"))


def _add_act(action: LetterAction, summary: str) -> None:
    """Add the command of one act; what can be chosen is the same for each."""

    @dead_letters.command(action.value, help=summary)
    def act(
        ctx: typer.Context,
        letter_ids: LetterArguments = None,
        *,
        code: CodeOption = None,
        source: SourceOption = None,
        gallery: GalleryOption = None,
        region: RegionOption = None,
        image_version: ImageVersionOption = None,
        state: StateOption = None,
        everything: AllOption = False,
        token: TokenOption = None,
        dry_run: DryRunOption = False,
        as_json: AsJson = False,
    ) -> None:
        wanted = LetterFilter(
            code=code,
            source=source,
            gallery=gallery,
            region=region,
            image_version=image_version,
            state=state,
        )
        Wish(
            action=action,
            ids=letter_ids,
            wanted=wanted,
            everything=everything,
            token=token,
            dry_run=dry_run,
            as_json=as_json,
        ).carry_out(session_of(ctx))


_add_act(
    LetterAction.REPLAY,
    "Send letters again; twice is harmless. A filter counts first and gives out a token.",
)
_add_act(
    LetterAction.DISCARD,
    "Delete letters for good. A filter counts first and gives out a token.",
)
