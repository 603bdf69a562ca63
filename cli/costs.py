"""The commands about costs; without one, the audit report."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    pass

costs = typer.Typer(help="What every replica costs, and why it exists.")


@costs.callback(invoke_without_command=True)
def report(ctx: typer.Context) -> None:
    """Print what the replicas cost, by whatever is asked for."""
    if ctx.invoked_subcommand is not None:
        return
