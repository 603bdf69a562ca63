"""`costs audit` and `costs recompute`: write the books now, and check a day of them."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from cli.session import session_of
from cli.terminal.arguments import AsJson
from cli.terminal.errors import CommandError, ExitCode
from cli.terminal.output import print_human, print_json, text


def audit(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Write the books of every day that is over and not yet written; the timer does so daily."""
    run = session_of(ctx).app().costs.ledger.audit()
    days = [{"day": f"{one.day}", "rows": one.rows, "new": one.new} for one in run.days]
    if as_json:
        print_json({"days": days, "unreadable": run.unreadable})
    elif run.days:
        print_human(*(text(f"{one.day}: {_written(one.rows, new=one.new)}") for one in run.days))
    else:
        print_human(text("Every day that is over is on the books."))
    if run.unreadable:
        listed = "; ".join(run.unreadable)
        raise CommandError(f"records that cannot be read: {listed}", exit_code=ExitCode.FAILED)


def recompute(
    ctx: typer.Context,
    day: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="A day that is on the books, as 2026-11-22."),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Compute every cost of a past day anew, from nothing but the day's own rows."""
    wanted: date = day.date()
    done = session_of(ctx).app().costs.ledger.recompute(wanted)
    differences: list[dict[str, Any]] = [
        {
            "image_version_id": wrong.image_version_id,
            "region": wrong.region,
            "column": wrong.column,
            "written": wrong.written,
            "computed": wrong.computed,
        }
        for wrong in done.discrepancies
    ]
    if as_json:
        print_json({"day": f"{done.day}", "rows": done.rows, "discrepancies": differences})
    else:
        print_human(text(f"{done.day}: {done.rows} rows computed, {len(differences)} differ."))
        print_human(
            *(
                text(
                    f"{wrong.image_version_id} in {wrong.region}: {wrong.column} is "
                    f"{wrong.written}, its figures give {wrong.computed}"
                )
                for wrong in done.discrepancies
            )
        )
    if differences:
        raise CommandError(
            f"{len(differences)} costs of {done.day} are not what their rows say",
            exit_code=ExitCode.FAILED,
        )


def _written(rows: int, *, new: bool) -> str:
    return f"{rows} rows" if new else "another run has written it meanwhile"
