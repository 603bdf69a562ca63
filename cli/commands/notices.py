"""Command `notices`: send what is news, show it, or try the receivers."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import session_of
from cli.terminal.arguments import AsJson
from cli.terminal.errors import ExitCode, UsageProblem
from cli.terminal.output import print_human, print_json, text
from replication.notices.digest import cloud_event, lines, summary

if TYPE_CHECKING:
    from replication.notices.service import ChannelReport

_SITE = "WEBSITE_HOSTNAME"


def notices(
    ctx: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be told.")
    ] = False,
    test: Annotated[bool, typer.Option("--test", help="Send a test to every receiver.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell the webhook and Teams what began to fail and what is over, as the timer does."""
    if dry_run and test:
        raise UsageProblem("--dry-run and --test are two different things; choose one")
    session = session_of(ctx)
    service = session.app().notices
    site = session.env.get(_SITE) or None
    if not service.channels and not dry_run:
        raise UsageProblem("nobody is told: set NOTICE_WEBHOOK_URL or NOTICE_TEAMS_URL")
    if dry_run:
        reports = service.preview(site=site)
    else:
        reports = service.test(site=site) if test else service.run(site=site)
    if as_json:
        print_json({"channels": [_view(one) for one in reports]})
    else:
        for report in reports:
            _show(report, would="would be told" if dry_run else "was told")
    if any(report.problem for report in reports):
        raise typer.Exit(ExitCode.FAILED)


def _view(report: "ChannelReport") -> dict[str, Any]:
    return {
        "channel": report.channel,
        "problem": report.problem,
        "event": cloud_event(report.digest) if report.digest else None,
    }


def _show(report: "ChannelReport", *, would: str) -> None:
    if report.problem is not None:
        print_human(text(f"{report.channel}: {report.problem}", "red"))
        return
    if report.digest is None:
        print_human(text(f"{report.channel}: nothing new."))
        return
    print_human(text(f"{report.channel} {would}: {summary(report.digest)}", "bold"))
    for notice in report.digest.notices:
        title, *rest = lines(notice, site=report.digest.site)
        print_human("", text(title, "bold"), *(text(f"  {one}") for one in rest))
