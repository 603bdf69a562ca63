"""`costs reconcile`: compare the bill with the ledger, and learn from it how large images are."""

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from cli.session import session_of
from cli.tables.costs import money
from cli.terminal.arguments import AsJson
from cli.terminal.errors import UsageProblem
from cli.terminal.output import new_fields, new_table, print_human, print_json, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from costs.bill.model import Aside
    from costs.reconciliation.lines import Line
    from costs.reconciliation.service import Reconciliation, Total
    from costs.reconciliation.sizes import Learned

_SHOWN = 20
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_STYLES = {"over": "red", "unexplained": "red", "missing": "yellow", "under": "yellow"}


def reconcile_command(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="A Cost Management export, FOCUS or ActualCost, as .csv, .csv.gz or .parquet; all "
            "parts of it if it has several.",
            show_default=False,
        ),
    ],
    *,
    month: Annotated[
        str | None,
        typer.Option(
            metavar="MONTH", help="This month alone, such as 2026-10.", show_default=False
        ),
    ] = None,
    keep_sizes: Annotated[
        bool,
        typer.Option(
            "--keep-sizes/--no-keep-sizes",
            help="Keep the occupied GB that the bill shows for the next estimates.",
        ),
    ] = True,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many lines a list of a table has.")
    ] = _SHOWN,
    as_json: AsJson = False,
) -> None:
    """Compare the bill with the ledger, line by line, with the likely cause of a difference."""
    if month is not None and not _MONTH.fullmatch(month):
        raise UsageProblem(f"--month is {month[:40]!r}; it is a month such as 2026-10")
    bills = session_of(ctx).app().costs.bills
    found = bills.reconcile(files, month=month, keep_sizes=keep_sizes)
    if as_json:
        print_json(found.as_json())
        return
    print_human(*_tables(found, limit))


def _tables(found: "Reconciliation", limit: int) -> list[RenderableType]:
    months = ", ".join(
        f"{month} ({one.first.day} to {one.last.day})"
        for month, one in sorted(found.months.items())
    )
    files = ", ".join(f"{one.name} ({one.layout}, {one.rows} rows)" for one in found.files)
    differing = [one for one in found.lines if one.verdict.value != "matched"]
    parts: list[RenderableType] = [
        new_fields([("Bill", text(files)), ("Months", text(f"{months}, in UTC"))]),
        *_totals(found.totals),
        *_lines(differing, limit, matched=len(found.lines) - len(differing)),
        *_sizes(found.learned, found.kept_sizes, limit),
        "",
        text("Rows of the bill", "bold"),
        text(_account(found)),
        *_asides("out of scope", found.out_of_scope),
        *_asides("set aside", found.set_aside),
        *(text(note) for note in found.notes),
    ]
    return parts


def _account(found: "Reconciliation") -> str:
    out = sum(one.rows for one in found.out_of_scope)
    aside = sum(one.rows for one in found.set_aside)
    return f"{found.read} read, {found.used} used, {out} out of scope, {aside} set aside"


def _asides(word: str, asides: "Iterable[Aside]") -> list[RenderableType]:
    sentences = []
    for aside in asides:
        amounts = " and ".join(
            f"{money(value)} {currency}" for currency, value in sorted(aside.amounts.items())
        )
        sentences.append(
            text(f"{word}: {aside.rows} {aside.reason}" + (f" ({amounts})" if amounts else ""))
        )
    return [*sentences]


def _totals(totals: "Sequence[Total]") -> list[RenderableType]:
    words = [verdict.upper() for verdict in totals[0].verdicts] if totals else []
    table = new_table("CURRENCY", "BILL", "LEDGER", "DIFFERENCE", *words)
    for total in totals:
        table.add_row(
            text(total.currency),
            text(money(total.bill)),
            text(
                money(total.ledger)
                + (f", {_lines_of(total.unpriced)} unpriced" if total.unpriced else "")
            ),
            text(money(total.bill - total.ledger)),
            *map(text, total.verdicts.values()),
        )
    return ["", table] if totals else ["", text("Neither the bill nor the ledger has a replica.")]


def _lines(lines: "Sequence[Line]", limit: int, *, matched: int) -> list[RenderableType]:
    title: list[RenderableType] = [
        "",
        text("Differences", "bold"),
        text(f"{_lines_of(matched)} matched, {len(lines)} did not"),
    ]
    if not lines:
        return title
    table = new_table(
        "VERDICT",
        "WHAT",
        "RESOURCE",
        "REGION",
        "MONTH",
        "CURRENCY",
        "BILL",
        "LEDGER",
        "DIFFERENCE",
        "LIKELY CAUSE",
        folding=("RESOURCE", "LIKELY CAUSE"),
    )
    ordered = sorted(lines, key=lambda one: (one.key.currency, -_weight(one), one.key))
    for line in ordered[:limit]:
        table.add_row(
            text(line.verdict.value, _STYLES[line.verdict.value]),
            text(line.key.kind.value),
            text(_short(line.key.resource.id)),
            text(line.key.region or "(none)"),
            text(line.key.month),
            text(line.key.currency),
            text(money(line.bill)),
            text(money(line.ledger)),
            text(money(line.difference)),
            text("; ".join(line.causes)),
        )
    return [*title, table, *_more(len(lines) - limit)]


def _sizes(learned: "Sequence[Learned]", kept: int | None, limit: int) -> list[RenderableType]:
    safe = sum(1 for one in learned if not one.why_not)
    sentence = f"learned: {safe}, not safe to learn from: {len(learned) - safe}"
    if kept is None:
        sentence += "; nothing was kept, as told"
    else:
        sentence += f"; new, and kept for the next estimates: {kept}"
    parts: list[RenderableType] = ["", text("Occupied GB of a replica", "bold"), text(sentence)]
    if not learned:
        return parts
    table = new_table(
        "VERSION",
        "MONTH",
        "GB ON THE BILL",
        "GB COUNTED",
        "KEPT",
        folding=("VERSION", "KEPT"),
    )
    for found in sorted(learned, key=lambda each: bool(each.why_not))[:limit]:
        verb = "yes" if kept is not None else "no, as told"
        if found.average_of > 1:
            verb += f", an average of {found.average_of} versions"
        table.add_row(
            text(_short(f"{found.size.definition_id}/versions/{found.size.version}")),
            text(found.size.month),
            text(money(found.size.gb)),
            text(money(found.counted_gb)),
            text(f"no: {found.why_not}" if found.why_not else verb),
        )
    return [*parts, table, *_more(len(learned) - limit)]


def _lines_of(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _weight(line: "Line") -> Decimal:
    """Return how much money is at stake."""
    amounts = (line.difference, line.bill, line.ledger)
    return next((abs(one) for one in amounts if one is not None), Decimal(0))


def _short(resource: str) -> str:
    """Return the names of an ARM id of a gallery, without what leads to them."""
    return "/".join(resource.split("/")[8::2])


def _more(count: int) -> list[RenderableType]:
    return [text(f"and {count} more; --json has all of them")] if count > 0 else []
