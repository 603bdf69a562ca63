"""The `gallery-replicator` command: its table of contents."""

import io
import logging
import sys
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated

import typer

from cli.client.address import KEY_VARIABLE, SCOPE_VARIABLE, URL_VARIABLE, Remote
from cli.commands.actions import actions
from cli.commands.costs import costs
from cli.commands.dead_letters import dead_letters
from cli.commands.notices import notices
from cli.commands.policy import policy
from cli.commands.queues import queues
from cli.commands.regions import regions
from cli.commands.replications import cancel, plan, release, replicate, status, sweep
from cli.session import Session
from cli.terminal.errors import ReportingGroup

cli = typer.Typer(
    cls=ReportingGroup,
    help="Replicate image versions of an Azure Compute Gallery to their whole geography.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not allowed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _command in (plan, replicate, status, cancel, release, regions, sweep):
    cli.command()(_command)
cli.command()(notices)
cli.command()(actions)
cli.add_typer(queues, name="queues")
cli.add_typer(dead_letters, name="dead-letters")
cli.add_typer(policy, name="policy")
cli.add_typer(costs, name="costs")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        print(f"gallery-replicator {version('gallery-replicator')}")  # noqa: T201 - the answer
        raise typer.Exit


@cli.callback()
def _root(
    ctx: typer.Context,
    *,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Call the deployed app at this address, such as https://app.azurewebsites.net, "
            f"and not storage; or {URL_VARIABLE}. A function key comes from {KEY_VARIABLE} alone.",
            show_default=False,
        ),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="Sign in with Entra for this app registration, api://<client id>; "
            f"or {SCOPE_VARIABLE}.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", hidden=True)] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    session: Session = ctx.obj or Session()
    ctx.call_on_close(session.closing.close)
    ctx.obj = replace(session, remote=Remote.read(url, scope, session.env))
    if debug:
        logging.basicConfig(level=logging.INFO)


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A region or a reason that the terminal's encoding lacks must not end the command.
            stream.reconfigure(errors="backslashreplace")
    # Errors are told once, in a sentence; the adapters' log lines come with --debug.
    logging.getLogger("gallery_replicator").addHandler(logging.NullHandler())
    logging.getLogger("azure").addHandler(logging.NullHandler())
    cli()
