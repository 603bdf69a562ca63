"""Show an audit report as tables, every amount with its currency; the report is the API's."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.tables.replications import short_version
from cli.terminal.output import new_fields, new_table, text

type View = Mapping[str, Any]

_STATES = {"over": "red", "will be over": "yellow", "within": "green"}
_CENT = Decimal("0.01")


def report_tables(report: View) -> list[RenderableType]:
    """Return the whole report; a list that was cut says so."""
    return [
        *_head(report),
        *_groups(report),
        *_months(report),
        *_forecast(report),
        *_top(report),
        *_labs(report),
        *_budgets(report),
        *_version_list(
            "Superseded versions: their definition has a newer one", report["superseded"]
        ),
        *_version_list("Versions that nobody uses", report["unused"]),
        *_orphans(report["orphans"]),
        *_ghosts(report["ghosts"]),
        *[text(f"Azure: {note}") for note in report["azure_notes"]],
        *_rows(report["rows"]),
    ]


def money(value: Decimal | None) -> str:
    """Return an amount in cents; a dash where there is no price, which is not zero."""
    if value is None:
        return "-"
    cents = value.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    if cents == 0 and value != 0:
        return "<0.01" if value > 0 else ">-0.01"
    return f"{cents:f}"


def _money(value: str | None) -> str:
    return money(None if value is None else Decimal(value))


def _head(report: View) -> list[RenderableType]:
    totals = [_sentence(one) for one in report["totals"]]
    return [
        new_fields(
            [
                ("Costs", text(f"{report['from']} to {report['to']}, both included")),
                ("In all", text("; ".join(totals) or "no rows in the ledger")),
                ("Last day", text(report["last_day"])),
            ]
        )
    ]


def _sentence(one: View) -> str:
    told = (
        f"{_money(one['total'])} {one['currency']} ({_money(one['storage'])} storage, "
        f"{_money(one['egress'])} transfer)"
    )
    if one["unpriced_rows"]:
        told += f", without {one['unpriced_rows']} rows that have no price"
    return told


def _groups(report: View) -> list[RenderableType]:
    items, dimensions = report["groups"]["items"], report["group_by"]
    if not items:
        return []
    headings = [text(one.upper().replace("_", " ")).plain for one in dimensions]
    table = new_table(*headings, *_AMOUNTS, "SHARE", "UNPRICED ROWS")
    ambiguous = _ambiguous(items)
    for one in items:
        table.add_row(
            *(text(cell) for cell in _labels(dimensions, one["key"], full=ambiguous)),
            *_amounts(one),
            text(_share(one)),
            text(one["unpriced_rows"] or ""),
        )
    return [
        *_title("By " + ", ".join(dimensions)),
        table,
        *_more(report["groups"]["left_out"]),
    ]


def _months(report: View) -> list[RenderableType]:
    if not report["months"]:
        return []
    table = new_table(
        "MONTH", "CURRENCY", "STORAGE", "TRANSFER", "TOTAL", "STORAGE A DAY", "CHANGE", "DAYS"
    )
    for one in report["months"]:
        change = "-"
        if one["change_per_day"] is not None:
            change = f"{_money(one['change_per_day'])} a day"
        if one["change_percent"] is not None:
            change += f" ({Decimal(one['change_percent']):+} %)"
        table.add_row(
            text(one["month"]),
            *_amounts(one),
            text(_money(one["storage_per_day"])),
            text(change),
            text(f"{one['ledger_days']} of {one['days']}"),
        )
    return [*_title("Growth"), table]


def _forecast(report: View) -> list[RenderableType]:
    if not report["forecast"]:
        return []
    table = new_table(
        "MONTH", "CURRENCY", "SO FAR", "WHOLE MONTH", "NEXT MONTH", "BY TREND", "REASON"
    )
    for one in report["forecast"]:
        table.add_row(
            text(one["month"]),
            text(one["currency"]),
            text(_money(one["so_far"])),
            text(_money(one["month_total"])),
            text(_money(one["next_month"])),
            text(_money(one["next_month_by_trend"])),
            text(one["basis"]),
        )
    return [*_title("Forecast"), table]


def _top(report: View) -> list[RenderableType]:
    if not report["top_spenders"]:
        return []
    table = new_table("IMAGE VERSION", *_AMOUNTS, "SHARE", folding=("IMAGE VERSION",))
    for one in report["top_spenders"]:
        keys = one["key"]
        label = "/".join(keys.get(name) or "?" for name in ("gallery", "definition", "version"))
        table.add_row(text(label), *_amounts(one), text(_share(one)))
    return [*_title("Top spenders"), table]


def _labs(report: View) -> list[RenderableType]:
    items, left_out = report["labs"]["items"], report["labs"]["left_out"]
    if all(one["key"].get("lab") is None for one in items) and not left_out:
        return []
    table = new_table("LAB", *_AMOUNTS, "SHARE")
    for one in items:
        lab = one["key"].get("lab")
        table.add_row(text("(no lab)" if lab is None else lab), *_amounts(one), text(_share(one)))
    return [*_title("Cost per lab"), table, *_more(left_out)]


def _budgets(report: View) -> list[RenderableType]:
    items = report["budgets"]["items"]
    if not items:
        return [*_title("Budgets"), text(report["budgets"]["note"])]
    table = new_table(
        "BUDGET", "GALLERY", "MONTH", "CURRENCY", "LIMIT", "ACTUAL", "EXPECTED", "USED", "STATE"
    )
    for one in items:
        unpriced = f", {one['unpriced_rows']} rows unpriced" if one["unpriced_rows"] else ""
        table.add_row(
            text(one["budget"]),
            text(one["gallery"] or "all of it"),
            text(one["month"]),
            text(one["currency"]),
            text(_money(one["limit"])),
            text(_money(one["actual"])),
            text(_money(one["expected"])),
            text("-" if one["percent"] is None else f"{one['percent']} %"),
            text(f"{one['state']}{unpriced}", _STATES.get(one["state"], "")),
        )
    return [*_title("Budgets"), table]


def _version_list(title: str, found: View) -> list[RenderableType]:
    if not found["known"]:
        return _not_known(title, found)
    parts = [*_title(title), text(_sum("versions", found))]
    if found["items"]:
        table = new_table(
            "IMAGE VERSION",
            "LAB",
            "REGIONS",
            "REPLICAS",
            "CURRENCY",
            "A MONTH",
            folding=("IMAGE VERSION",),
        )
        for one in found["items"]:
            table.add_row(
                text(short_version(one["image_version_id"])),
                text(one["lab"]),
                text(one["regions"]),
                text(one["replicas"]),
                text(one["currency"]),
                text(_money(one["monthly"])),
            )
        parts += [table, *_more((found["count"] or 0) - len(found["items"]))]
    return parts


def _orphans(found: View) -> list[RenderableType]:
    title = "Orphans: in Azure, not on our books"
    if not found["known"]:
        return _not_known(title, found)
    parts = [*_title(title), text(_sum("versions", found))]
    if found["items"]:
        table = _replica_table()
        for one in found["items"]:
            table.add_row(
                text(short_version(one["image_version_id"])),
                text(", ".join(one["regions"])),
                text(f"{_money(one['monthly'])} {one['currency']}"),
                text(one["reason"]),
            )
        parts += [table, *_more((found["count"] or 0) - len(found["items"]))]
    return parts


def _ghosts(found: View) -> list[RenderableType]:
    title = "Ghosts: on our books, not in Azure"
    if not found["known"]:
        return _not_known(title, found)
    parts = [*_title(title), text(_sum("versions", found))]
    if found["items"]:
        table = _replica_table()
        for one in found["items"]:
            table.add_row(
                text(short_version(one["image_version_id"])),
                text(", ".join(one["regions"])),
                text(_by_currency(one["charged"]) or "-"),
                text(one["reason"]),
            )
        parts += [table, *_more((found["count"] or 0) - len(found["items"]))]
    return parts


def _rows(rows: View) -> list[RenderableType]:
    aside = sum(one["rows"] for one in rows["set_aside"])
    return [
        *_title("Rows of the ledger"),
        text(f"{rows['read']} read, {rows['used']} used, {aside} set aside"),
        *[text(f"set aside: {one['rows']} {one['reason']}") for one in rows["set_aside"]],
        *[text(note) for note in rows["notes"]],
    ]


_AMOUNTS = ("CURRENCY", "STORAGE", "TRANSFER", "TOTAL")


def _amounts(one: View) -> tuple[Text, ...]:
    return (
        text(one["currency"]),
        text(_money(one["storage"])),
        text(_money(one["egress"])),
        text(_money(one["total"])),
    )


def _replica_table() -> Table:
    return new_table(
        "IMAGE VERSION",
        "REGIONS",
        "A MONTH",
        "REASON",
        folding=("IMAGE VERSION", "REGIONS", "REASON"),
    )


def _not_known(title: str, found: View) -> list[RenderableType]:
    return [*_title(title), text(f"not known: {found['note']}")]


def _sum(what: str, found: View) -> str:
    count, monthly = found["count"], found["monthly"]
    told = f"{count} {what if count != 1 else what.removesuffix('s')}"
    if count and monthly:
        told += f", {_by_currency(monthly)} a month"
    return f"{told}; {found['note']}" if found["note"] else told


def _by_currency(amounts: Iterable[View]) -> str:
    return " and ".join(f"{_money(one['monthly'])} {one['currency']}" for one in amounts)


def _share(one: View) -> str:
    return "-" if one["share_percent"] is None else f"{one['share_percent']} %"


def _ambiguous(groups: Iterable[View]) -> bool:
    """Tell whether two galleries of one name are in different places."""
    places: dict[str | None, set[tuple[str | None, str | None]]] = {}
    for one in groups:
        key = one["key"]
        place = (key.get("subscription"), key.get("resource_group"))
        places.setdefault(key.get("gallery"), set()).add(place)
    return any(len(found) > 1 for found in places.values())


def _labels(dimensions: Sequence[str], key: View, *, full: bool) -> Sequence[str]:
    """Return one cell for each dimension; `full` tells a gallery's place as well."""
    cells = []
    for dimension in dimensions:
        names: tuple[str, ...] = {
            "gallery": ("gallery",),
            "definition": ("gallery", "definition"),
            "version": ("gallery", "definition", "version"),
        }.get(dimension, (dimension,))
        if full and names[0] == "gallery":
            names = ("subscription", "resource_group", *names)
        shown = [key.get(name) for name in names]
        cells.append(
            f"(no {dimension.replace('_', ' ')})"
            if all(one is None for one in shown)
            else "/".join(one or "?" for one in shown)
        )
    return cells


def _title(words: str) -> list[RenderableType]:
    return ["", text(words, "bold")]


def _more(count: int) -> list[RenderableType]:
    return [text(f"and {count} more")] if count > 0 else []
