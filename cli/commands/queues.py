"""Commands about the queues: look, pause, resume."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.session import session_of
from cli.tables.replications import queue_list
from cli.terminal.arguments import AsJson
from cli.terminal.completion import one_of
from cli.terminal.errors import NotFoundError, UsageProblem
from cli.terminal.output import print_human, print_json, text
from replication.ports import QueueName

if TYPE_CHECKING:
    from api.schemas.operations import QueueChange

queues = typer.Typer(help="Show how much waits in each queue; pause and resume them.")

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help=" or ".join(one.value for one in QueueName),
        show_default=False,
        autocompletion=one_of(one.value for one in QueueName),
    ),
]


@queues.callback(invoke_without_command=True)
def show(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Show how much waits in each queue, and which are paused."""
    if ctx.invoked_subcommand is not None:
        return
    found = session_of(ctx).service().queues.all()
    if as_json:
        print_json(found)
        return
    print_human(queue_list(found.items))
    for queue in found.items:
        held = queue.pause
        if held is not None:
            sentence = f"{queue.name}: paused since {held.since} by {held.by}: {held.reason}"
            print_human(text(sentence))


@queues.command()
def pause(
    ctx: typer.Context,
    name: NameArgument,
    *,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; it is shown to everybody.")
    ] = "no reason given",
    as_json: AsJson = False,
) -> None:
    """Let no image version be written until the queue is resumed; following goes on."""
    from replication.guards.pauses import MAX_REASON, is_reason  # noqa: PLC0415 - tenacity, 60 ms

    if not is_reason(reason):
        raise UsageProblem(f"--reason is a text of 1 to {MAX_REASON} printable characters")
    queue = _read_queue(name)
    _tell(session_of(ctx).service().queues.pause(queue, reason=reason), as_json=as_json)


@queues.command()
def resume(ctx: typer.Context, name: NameArgument, *, as_json: AsJson = False) -> None:
    """Let a paused queue go on."""
    queue = _read_queue(name)
    _tell(session_of(ctx).service().queues.resume(queue), as_json=as_json)


def _tell(change: "QueueChange", *, as_json: bool) -> None:
    """Show what came of it; to do it twice is no mistake."""
    if as_json:
        print_json(change)
    else:
        print_human(text(change.reason))


def _read_queue(name: str) -> QueueName:
    try:
        return QueueName(name.lower())
    except ValueError as error:
        known = ", ".join(one.value for one in QueueName)
        raise NotFoundError(f"there is no queue {name[:60]!r}; there are {known}") from error
