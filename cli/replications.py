"""The commands about replications: plan, replicate, status, cancel, queues and sweep."""

import uuid
from typing import Annotated, Any

import typer

from cli.arguments import AsJson, VersionArgument, read_key, read_name, read_phases, read_version_id
from cli.failures import (
    CommandError,
    ExitCode,
    NotAllowedError,
    NotFoundError,
    UsageProblem,
)
from cli.output import in_terminal, print_human, print_json, text
from cli.session import BY, session_of
from cli.tables import finding_list, plan_detail, replication_detail, replication_list
from replication.ports import JobQuery
from replication.queries import Queries

MAX_LIMIT = 10_000
_PAGE = 200


def plan(ctx: typer.Context, image_version_id: VersionArgument, *, as_json: AsJson = False) -> None:
    """Show where an image version would be replicated, and why; changes nothing."""
    version_id = read_version_id(image_version_id)
    view = session_of(ctx).app().queries.plan(version_id)
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
    app = session_of(ctx).app()
    out_of_scope = app.policy.why_out_of_scope(version_id)
    if out_of_scope:
        raise NotAllowedError(out_of_scope)
    taken = app.intake.request(
        version_id, trigger="asked for on the command line", correlation_id=uuid.uuid4().hex
    )
    if taken.action == "not_found":
        raise NotFoundError(f"{version_id}: {taken.reason}")
    if as_json:
        print_json(
            {
                "action": taken.action,
                "reason": taken.reason,
                "image_version_id": str(version_id),
                "key": version_id.key,
            }
        )
        return
    print_human(
        text(f"{taken.action}: {taken.reason}"),
        text(f"follow it with: gallery-replicator status {version_id.key}"),
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
        typer.Option(help="Only these phases; several with commas.", show_default=False),
    ] = None,
    gallery: Annotated[
        str | None, typer.Option(help="Only this gallery.", show_default=False)
    ] = None,
    geography: Annotated[
        str | None,
        typer.Option(help='Only this geography, such as "United States".', show_default=False),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_LIMIT, help="How many at most; 50 if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one replication with its regions and timeline, or all in a table."""
    filters = {"--phase": phase, "--gallery": gallery, "--geography": geography, "--limit": limit}
    if image_version is not None:
        given = [name for name, value in filters.items() if value]
        if given:
            raise UsageProblem(f"{given[0]} is for the table of all and does not go with an id")
        key = read_key(image_version)
        view = session_of(ctx).app().queries.replication(key)
        if view is None:
            raise NotFoundError(f"no replication is on record for {image_version}")
        if as_json:
            print_json(view)
        else:
            print_human(*replication_detail(view))
        return
    query = JobQuery(
        phases=read_phases(phase),
        gallery=read_name("--gallery", gallery),
        geography=read_name("--geography", geography),
    )
    items, more = _collect(session_of(ctx).app().queries, query, limit=limit or query.limit)
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
    cancelled = session_of(ctx).app().canceller.cancel(key, remove=remove, by=BY)
    if cancelled is None:
        raise NotFoundError(f"no replication is on record for {image_version}")
    if as_json:
        print_json({"key": key, "done": cancelled.done, "reason": cancelled.reason})
    elif cancelled.done:
        print_human(text(cancelled.reason))
    if not cancelled.done:
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
    released = session_of(ctx).app().releaser.release(key, by=BY)
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
    report = session_of(ctx).app().sweep.run(dry_run=dry_run)
    findings = [
        {
            "image_version_id": str(one.image_version_id),
            "key": one.image_version_id.key,
            "reason": one.reason,
        }
        for one in report.findings
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


def _collect(queries: Queries, query: JobQuery, *, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Return as many items as asked for, and whether there are more."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = queries.replications(
            JobQuery(
                phases=query.phases,
                gallery=query.gallery,
                geography=query.geography,
                cursor=cursor,
                limit=min(_PAGE, limit - len(items) + 1),
            )
        )
        items += page["items"]
        cursor = page["next"]
        if cursor is None or len(items) > limit:
            return items[:limit], len(items) > limit
