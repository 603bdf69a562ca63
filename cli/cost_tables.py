"""Show an audit report as tables, every amount with its currency."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.output import new_fields, new_table, text
from cli.tables import short_version
from costs.report import CostReport, GhostList, OrphanList, VersionList
from costs.report_facts import Group, Money
from costs.report_maths import percent

_STATES = {"over": "red", "will be over": "yellow", "within": "green"}
_CENT = Decimal("0.01")


def report_tables(report: CostReport) -> list[RenderableType]:
    """Return the whole report; a list that was cut says so."""
    return [
        *_head(report),
        *_groups(report),
        *_months(report),
        *_forecast(report),
        *_top(report),
        *_labs(report),
        *_budgets(report),
        *_version_list("Superseded versions: their definition has a newer one", report.superseded),
        *_version_list("Versions that nobody uses", report.unused),
        *_orphans(report.orphans),
        *_ghosts(report.ghosts),
        *[text(f"Azure: {note}") for note in report.azure_notes],
        *_rows(report),
    ]


def money(value: Decimal | None) -> str:
    """Return an amount in cents; a dash where there is no price, which is not zero."""
    if value is None:
        return "-"
    cents = value.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    if cents == 0 and value != 0:
        return "<0.01" if value > 0 else ">-0.01"
    return f"{cents:f}"


def _head(report: CostReport) -> list[RenderableType]:
    query = report.query
    totals = [_sentence(one) for one in report.totals.values()]
    return [
        new_fields(
            [
                ("Costs", text(f"{query.from_day} to {query.to_day}, both included")),
                ("In all", text("; ".join(totals) or "no rows in the ledger")),
                ("Last day", text(report.last_day)),
            ]
        )
    ]


def _sentence(one: Money) -> str:
    told = (
        f"{money(one.total)} {one.currency} ({money(one.storage)} storage, {money(one.egress)} "
        "transfer)"
    )
    if one.unpriced_rows:
        told += f", without {one.unpriced_rows} rows that have no price"
    return told


def _groups(report: CostReport) -> list[RenderableType]:
    items = report.groups.items
    if not items:
        return []
    headings = [one.value.upper().replace("_", " ") for one in report.query.group_by]
    table = new_table(*headings, *_AMOUNTS, "SHARE", "UNPRICED ROWS")
    ambiguous = _ambiguous(items)
    for one in items:
        table.add_row(
            *(text(cell) for cell in _labels(report, one, full=ambiguous)),
            *_amounts(one.money),
            text(_share(report, one.money)),
            text(one.money.unpriced_rows or ""),
        )
    return [
        *_title("By " + ", ".join(one.value for one in report.query.group_by)),
        table,
        *_more(report.groups.left_out),
    ]


def _months(report: CostReport) -> list[RenderableType]:
    if not report.months:
        return []
    table = new_table(
        "MONTH", "CURRENCY", "STORAGE", "TRANSFER", "TOTAL", "STORAGE A DAY", "CHANGE", "DAYS"
    )
    for one in report.months:
        change = "-" if one.change is None else f"{money(one.change)} a day"
        if one.change_percent is not None:
            change += f" ({one.change_percent:+} %)"
        table.add_row(
            text(one.month),
            text(one.currency),
            text(money(one.storage)),
            text(money(one.egress)),
            text(money(one.total)),
            text(money(one.storage_per_day)),
            text(change),
            text(f"{one.ledger_days} of {one.days}"),
        )
    return [*_title("Growth"), table]


def _forecast(report: CostReport) -> list[RenderableType]:
    if not report.forecasts:
        return []
    table = new_table(
        "MONTH", "CURRENCY", "SO FAR", "WHOLE MONTH", "NEXT MONTH", "BY TREND", "REASON"
    )
    for one in report.forecasts:
        table.add_row(
            text(one.month),
            text(one.currency),
            text(money(one.so_far)),
            text(money(one.month_total)),
            text(money(one.next_month)),
            text(money(one.trend_next_month)),
            text(one.basis),
        )
    return [*_title("Forecast"), table]


def _top(report: CostReport) -> list[RenderableType]:
    if not report.top:
        return []
    table = new_table("IMAGE VERSION", *_AMOUNTS, "SHARE", folding=("IMAGE VERSION",))
    for one in report.top:
        keys = one.keys
        label = "/".join(keys[name] or "?" for name in ("gallery", "definition", "version"))
        table.add_row(text(label), *_amounts(one.money), text(_share(report, one.money)))
    return [*_title("Top spenders"), table]


def _labs(report: CostReport) -> list[RenderableType]:
    items = report.labs.items
    if all(one.keys["lab"] is None for one in items) and not report.labs.left_out:
        return []
    table = new_table("LAB", *_AMOUNTS, "SHARE")
    for one in items:
        lab = one.keys["lab"]
        table.add_row(
            text("(no lab)" if lab is None else lab),
            *_amounts(one.money),
            text(_share(report, one.money)),
        )
    return [*_title("Cost per lab"), table, *_more(report.labs.left_out)]


def _budgets(report: CostReport) -> list[RenderableType]:
    if not report.budgets:
        return [*_title("Budgets"), text(report.budget_note)]
    table = new_table(
        "BUDGET", "GALLERY", "MONTH", "CURRENCY", "LIMIT", "ACTUAL", "EXPECTED", "USED", "STATE"
    )
    for one in report.budgets:
        table.add_row(
            text(one.budget),
            text(one.gallery or "all of it"),
            text(one.month),
            text(one.currency),
            text(money(one.limit)),
            text(money(one.actual)),
            text(money(one.expected)),
            text("-" if one.percent is None else f"{one.percent} %"),
            text(
                one.state + (f", {one.unpriced_rows} rows unpriced" if one.unpriced_rows else ""),
                _STATES.get(one.state, ""),
            ),
        )
    return [*_title("Budgets"), table]


def _version_list(title: str, found: VersionList) -> list[RenderableType]:
    if found.unknown is not None:
        return [*_title(title), text(f"not known: {found.unknown}")]
    parts = [*_title(title), text(_sum(found.count, "versions", found.monthly, found.note))]
    if found.items:
        table = new_table(
            "IMAGE VERSION",
            "LAB",
            "REGIONS",
            "REPLICAS",
            "CURRENCY",
            "A MONTH",
            folding=("IMAGE VERSION",),
        )
        for one in found.items:
            table.add_row(
                text(short_version(one.image_version_id)),
                text(one.lab),
                text(one.regions),
                text(one.replicas),
                text(one.currency),
                text(money(one.monthly)),
            )
        parts += [table, *_more(found.count - len(found.items))]
    return parts


def _orphans(found: OrphanList) -> list[RenderableType]:
    title = _title("Orphans: in Azure, not on our books")
    if found.unknown is not None:
        return [*title, text(f"not known: {found.unknown}")]
    note = f"{found.unpriced} without an estimate are not in it" if found.unpriced else ""
    parts = [*title, text(_sum(found.count, "versions", found.monthly, note))]
    if found.items:
        table = _replica_table()
        for one in found.items:
            regions = ", ".join(replica.region for replica in one.orphan.replicas)
            table.add_row(
                text(short_version(str(one.orphan.version_id))),
                text(regions),
                text(f"{money(one.estimate.monthly)} {one.estimate.currency}"),
                text(one.orphan.reason),
            )
        parts += [table, *_more(found.count - len(found.items))]
    return parts


def _ghosts(found: GhostList) -> list[RenderableType]:
    title = _title("Ghosts: on our books, not in Azure")
    if found.unknown is not None:
        return [*title, text(f"not known: {found.unknown}")]
    parts = [*title, text(_sum(found.count, "versions", found.monthly, ""))]
    if found.items:
        table = _replica_table()
        for one in found.items:
            table.add_row(
                text(short_version(str(one.ghost.version_id))),
                text(", ".join(one.ghost.regions)),
                text(_by_currency(one.monthly) or "-"),
                text(one.ghost.reason),
            )
        parts += [table, *_more(found.count - len(found.items))]
    return parts


def _rows(report: CostReport) -> list[RenderableType]:
    rows = report.rows
    aside = sum(count for _, count in rows.set_aside)
    return [
        *_title("Rows of the ledger"),
        text(f"{rows.read} read, {rows.used} used, {aside} set aside"),
        *[text(f"set aside: {count} {reason}") for reason, count in rows.set_aside],
        *[text(note) for note in rows.notes],
    ]


_AMOUNTS = ("CURRENCY", "STORAGE", "TRANSFER", "TOTAL")


def _amounts(one: Money) -> tuple[Text, ...]:
    return (
        text(one.currency),
        text(money(one.storage)),
        text(money(one.egress)),
        text(money(one.total)),
    )


def _replica_table() -> Table:
    return new_table(
        "IMAGE VERSION",
        "REGIONS",
        "A MONTH",
        "REASON",
        folding=("IMAGE VERSION", "REGIONS", "REASON"),
    )


def _sum(count: int, what: str, monthly: Mapping[str, Decimal | None], note: str) -> str:
    told = f"{count} {what if count != 1 else what.removesuffix('s')}"
    if count and monthly:
        told += f", {_by_currency(monthly)} a month"
    return f"{told}; {note}" if note else told


def _by_currency(amounts: Mapping[str, Decimal | None]) -> str:
    return " and ".join(f"{money(value)} {currency}" for currency, value in amounts.items())


def _share(report: CostReport, one: Money) -> str:
    share = percent(one.total, report.totals[one.currency].total)
    return "-" if share is None else f"{share} %"


def _ambiguous(groups: Iterable[Group]) -> bool:
    """Tell whether two galleries of one name are in different places."""
    places: dict[str | None, set[tuple[str | None, str | None]]] = {}
    for one in groups:
        place = (one.keys.get("subscription"), one.keys.get("resource_group"))
        places.setdefault(one.keys.get("gallery"), set()).add(place)
    return any(len(found) > 1 for found in places.values())


def _labels(report: CostReport, group: Group, *, full: bool) -> Sequence[str]:
    """Return one cell for each dimension; `full` tells a gallery's place as well."""
    keys = group.keys
    cells = []
    for dimension in report.query.group_by:
        names = {
            "gallery": ("gallery",),
            "definition": ("gallery", "definition"),
            "version": ("gallery", "definition", "version"),
        }.get(dimension.value, (dimension.value,))
        if full and names[0] == "gallery":
            names = ("subscription", "resource_group", *names)
        shown = [keys[name] for name in names]
        cells.append(
            f"(no {dimension.value.replace('_', ' ')})"
            if all(one is None for one in shown)
            else "/".join(one or "?" for one in shown)
        )
    return cells


def _title(words: str) -> list[RenderableType]:
    return ["", text(words, "bold")]


def _more(count: int) -> list[RenderableType]:
    return [text(f"and {count} more")] if count > 0 else []
