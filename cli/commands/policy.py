"""Command `policy check`: every mistake in a policy file, before the app reads it."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.regions import nearest_region
from cli.session import Session, session_of
from cli.terminal.arguments import AsJson
from cli.terminal.errors import ExitCode
from cli.terminal.output import print_human, print_json, text
from replication.config.settings import CLOUDS
from replication.domain.policy import ReplicationPolicy

policy = typer.Typer(help="Work with the replication policy.", no_args_is_help=True)


@policy.callback()
def _policy() -> None:
    """Work with the replication policy."""


@policy.command()
def check(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="The file; without it, the one that REPLICATION_POLICY names.",
            show_default=False,
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a policy file: each mistake with its line, and region names that nothing has."""
    # Imported here: the file's model would slow down every other command.
    from replication.config.policy_file import PolicyFileError, load_policy  # noqa: PLC0415 - loads YAML

    session = session_of(ctx)
    path = file if file is not None else session.policy_path()
    fingerprint, problems, warnings = None, [], []
    try:
        found = load_policy(path)
    except PolicyFileError as error:
        problems = list(error.problems)
    else:
        fingerprint = found.fingerprint
        warnings = _warnings(found, session)
    if as_json:
        print_json(
            {
                "file": str(path),
                "valid": not problems,
                "problems": problems,
                "warnings": warnings,
                "fingerprint": fingerprint,
            }
        )
    else:
        for problem in problems:
            print_human(text(f"{path}: {problem}", "red"))
        for warning in warnings:
            print_human(text(f"{path}: warning: {warning}", "yellow"))
        if not problems:
            print_human(text(f"{path}: valid (fingerprint {fingerprint})", "green"))
    if problems:
        raise typer.Exit(ExitCode.NOT_FOUND if _is_missing(path) else ExitCode.FAILED)


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):  # a name that no file can have
        return False
    return False


def _warnings(found: ReplicationPolicy, session: Session) -> list[str]:
    named = [("extra", one) for one in sorted(found.extra_regions)]
    named += [("denied", one) for one in sorted(found.denied_regions)]
    if not named:
        return []
    if session.cloud() != CLOUDS[0]:
        unchecked = (
            f"the region names were not checked: the shipped snapshot is of {CLOUDS[0]}, "
            f"and AZURE_CLOUD is {session.cloud()}"
        )
        return [unchecked]
    catalog = session.catalog(None)
    return [
        f"regions.{key}: {region.name!r} is in no catalog ({catalog.source}); "
        f"the nearest is {nearest_region(catalog, region.name).name!r}"
        for key, region in named
        if region not in catalog.details
    ]
