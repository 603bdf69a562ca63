"""Commands about replications: plan, replicate, status, cancel, release and sweep."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from api.parameters import read_list_query
from cli.client.pages import collect
from cli.commands.watch import Watch
from cli.session import Session, session_of
from cli.tables.replications import finding_list, plan_detail, replication_detail, replication_list
from cli.terminal.arguments import (
    AsJson,
    VersionArgument,
    read_key,
    read_version_id,
)
from cli.terminal.completion import comma_list, complete_geography, one_of
from cli.terminal.errors import CommandError, ExitCode, NotFoundError, UsageProblem
from cli.terminal.output import in_terminal, print_human, print_json, text
from replication.domain.errors import MalformedError
from replication.domain.job import Phase
from replication.listing.query import ListOrder, ListQuery

if TYPE_CHECKING:
    from api.schemas.replications import ReplicationDetail, ReplicationPage

MAX_LIMIT = 10_000
_INTERVAL_S = 5.0


def plan(ctx: typer.Context, image_version_id: VersionArgument, *, as_json: AsJson = False) -> None:
    """Show where an image version would be replicated, and why; changes nothing."""
    version_id = read_version_id(image_version_id)
    view = session_of(ctx).service().replications.plan(version_id)
    if view is None:
        raise NotFoundError(f"there is no image version {version_id}")
    if as_json:
        print_json(view)
    else:
        print_human(*plan_detail(view))


def replicate(
    ctx: typer.Context, image_version_id: VersionArgument, *, as_json: AsJson = False
) -> None:
    """Replicate an image version now, with fresh budgets, whatever the record says."""
    version_id = read_version_id(image_version_id)
    session = session_of(ctx)
    taken = session.service().replications.replicate(version_id)
    if as_json:
        print_json(taken)
        return
    print_human(
        text(f"{taken.action}: {taken.reason}"),
        text(f"follow it with: {session.command} status {version_id.key}"),
    )


def status(
    ctx: typer.Context,
    image_version: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="ARM id of the image version, or the key of its record; without it, all.",
            show_default=False,
        ),
    ] = None,
    *,
    phase: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these phases; several with commas.",
            show_default=False,
            autocompletion=comma_list(one_of(one.value for one in Phase)),
        ),
    ] = None,
    gallery: Annotated[
        str | None, typer.Option(help="Only this gallery.", show_default=False)
    ] = None,
    geography: Annotated[
        str | None,
        typer.Option(
            help='Only this geography, such as "United States".',
            show_default=False,
            autocompletion=complete_geography,
        ),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            help="Only galleries and images whose names begin so, or gallery/image; by name.",
            show_default=False,
        ),
    ] = None,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="Only those with a copy that stands still.")
    ] = False,
    sort: Annotated[
        ListOrder | None,
        typer.Option(
            help="By the time of the last change of phase, or by name; newest if not given.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_LIMIT, help="How many at most; 50 if not given."),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Follow it until it ends (exit 0 when it is done, 1 when it is not), or the table "
            "until Ctrl-C.",
        ),
    ] = False,
    interval: Annotated[
        float | None,
        typer.Option(
            min=1, max=3600, metavar="S", help="Seconds between two looks; 5 if not given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one replication with its regions and timeline, or all in a table."""
    if interval is not None and not watch:
        raise UsageProblem("--interval goes with --watch")
    interval_s = _INTERVAL_S if interval is None else interval
    filters = {
        "--phase": phase,
        "--gallery": gallery,
        "--geography": geography,
        "--search": search,
        "--stuck": stuck,
        "--sort": sort,
        "--limit": limit,
    }
    if image_version is not None:
        given = [name for name, value in filters.items() if value]
        if given:
            raise UsageProblem(f"{given[0]} is for the table of all and does not go with an id")
        _show_one(
            session_of(ctx),
            image_version,
            interval_s=interval_s if watch else None,
            as_json=as_json,
        )
        return
    query = _read_query(
        phase=",".join(phase or ()).replace(" ", ""),
        gallery=gallery,
        geography=geography,
        search=search,
        stuck="yes" if stuck else None,
        sort=sort,
    )
    session = session_of(ctx)
    service = session.service()

    def page(cursor: str | None, most: int) -> "ReplicationPage":
        return service.replications.page(replace(query, cursor=cursor, limit=most))

    look = partial(collect, page, limit=limit or query.limit)
    if watch:
        Watch(session=session, now=service.now, interval_s=interval_s, as_json=as_json).all(look)
    items, more = look()
    if as_json:
        print_json({"items": items, "more": more})
    elif items:
        print_human(replication_list(items, stacked=in_terminal()))
        if more:
            print_human(text(f"The first {len(items)}; there are more: raise --limit."))
    else:
        print_human(text("No replication on record matches."))


def cancel(
    ctx: typer.Context,
    image_version: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="ARM id of the image version, or the key of its record.",
            show_default=False,
        ),
    ],
    *,
    remove: Annotated[
        bool,
        typer.Option(
            "--remove",
            help="Take out of Azure's list again the regions that this app added and whose copies "
            "are not Completed. Without it, the list stays as it is.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Stop following and retrying a replication; no completed copy is touched."""
    key = read_key(image_version)
    session = session_of(ctx)
    cancelled = session.service().replications.cancel(key, remove=remove)
    if cancelled is None:
        raise NotFoundError(f"no replication is on record for {image_version}")
    if as_json:
        print_json({"key": key, "done": cancelled.done, "reason": cancelled.reason})
    elif cancelled.stands:
        print_human(text(cancelled.reason))
        if remove and cancelled.done:
            sentence = f"see what came of the removal with: {session.command} status {key}"
            print_human(text(sentence))
    if not cancelled.stands:
        raise CommandError(f"not cancelled: {cancelled.reason}", exit_code=ExitCode.FAILED)


def release(
    ctx: typer.Context,
    image_version: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="ARM id of the image version, or the key of its record.",
            show_default=False,
        ),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Let a replication go that a budget holds back; what is planned later is held again."""
    key = read_key(image_version)
    released = session_of(ctx).service().replications.release(key)
    if released is None:
        raise NotFoundError(f"no replication is on record for {image_version}")
    if as_json:
        print_json({"key": key, "done": released.done, "reason": released.reason})
    elif released.done:
        print_human(text(released.reason))
    if not released.done:
        raise CommandError(f"not released: {released.reason}", exit_code=ExitCode.FAILED)


def sweep(
    ctx: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be queued.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare every image version in scope with its plan and queue what was missed."""
    report = session_of(ctx).service().replications.sweep(dry_run=dry_run)
    findings = [
        {
            "image_version_id": str(finding.image_version_id),
            "key": finding.image_version_id.key,
            "reason": finding.reason,
        }
        for finding in report.findings
    ]
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "versions_seen": report.versions_seen,
                "out_of_scope": report.out_of_scope,
                "findings": findings,
                "stuck_replicas": report.stuck,
                "errors": report.errors,
            }
        )
    else:
        if findings:
            print_human(finding_list(findings), "")
        done = "would be queued (dry run)" if dry_run else "queued"
        print_human(
            text(
                f"{report.versions_seen} image versions seen, {report.out_of_scope} out of scope, "
                f"{len(findings)} {done}, {report.stuck} replicas stuck."
            )
        )
    report.raise_if_incomplete()


def _read_query(**texts: str | None) -> ListQuery:
    try:
        return read_list_query({name: text for name, text in texts.items() if text})
    except MalformedError as error:
        raise UsageProblem(f"--{error}") from error


def _show_one(
    session: Session, image_version: str, *, interval_s: float | None, as_json: bool
) -> None:
    """Show one replication, or follow it with so many seconds between two looks."""
    key = read_key(image_version)
    service = session.service()

    def look() -> "ReplicationDetail":
        found = service.replications.one(key)
        if found is None:
            raise NotFoundError(f"no replication is on record for {image_version}")
        return found

    if interval_s is not None:
        Watch(session=session, now=service.now, interval_s=interval_s, as_json=as_json).one(look)
    view = look()
    if as_json:
        print_json(view)
    else:
        print_human(*replication_detail(view, command=session.command))
