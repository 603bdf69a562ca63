"""Tables of an audit report, every amount with its currency; the report is the API's."""

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
    sentence = (
        f"{_money(one['total'])} {one['currency']} ({_money(one['storage'])} storage, "
        f"{_money(one['egress'])} transfer)"
    )
    if one["unpriced_rows"]:
        sentence += f", without {one['unpriced_rows']} rows that have no price"
    return sentence


def _groups(report: View) -> list[RenderableType]:
    items, dimensions = report["groups"]["items"], report["group_by"]
    if not items:
        return []
    headings = [text(one.upper().replace("_", " ")).plain for one in dimensions]
    table = new_table(*headings, *_AMOUNTS, "SHARE", "UNPRICED ROWS")
    ambiguous = _ambiguous(items)
    for group in items:
        table.add_row(
            *(text(cell) for cell in _labels(dimensions, group["key"], full=ambiguous)),
            *_amounts(group),
            text(_share(group)),
            text(group["unpriced_rows"] or ""),
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
    for month in report["months"]:
        change = "-"
        if month["change_per_day"] is not None:
            change = f"{_money(month['change_per_day'])} a day"
        if month["change_percent"] is not None:
            change += f" ({Decimal(month['change_percent']):+} %)"
        table.add_row(
            text(month["month"]),
            *_amounts(month),
            text(_money(month["storage_per_day"])),
            text(change),
            text(f"{month['ledger_days']} of {month['days']}"),
        )
    return [*_title("Growth"), table]


def _forecast(report: View) -> list[RenderableType]:
    if not report["forecast"]:
        return []
    table = new_table(
        "MONTH", "CURRENCY", "SO FAR", "WHOLE MONTH", "NEXT MONTH", "BY TREND", "REASON"
    )
    for forecast in report["forecast"]:
        table.add_row(
            text(forecast["month"]),
            text(forecast["currency"]),
            text(_money(forecast["so_far"])),
            text(_money(forecast["month_total"])),
            text(_money(forecast["next_month"])),
            text(_money(forecast["next_month_by_trend"])),
            text(forecast["basis"]),
        )
    return [*_title("Forecast"), table]


def _top(report: View) -> list[RenderableType]:
    if not report["top_spenders"]:
        return []
    table = new_table("IMAGE VERSION", *_AMOUNTS, "SHARE", folding=("IMAGE VERSION",))
    for spender in report["top_spenders"]:
        keys = spender["key"]
        label = "/".join(keys.get(name) or "?" for name in ("gallery", "definition", "version"))
        table.add_row(text(label), *_amounts(spender), text(_share(spender)))
    return [*_title("Top spenders"), table]


def _labs(report: View) -> list[RenderableType]:
    items, left_out = report["labs"]["items"], report["labs"]["left_out"]
    if all(one["key"].get("lab") is None for one in items) and not left_out:
        return []
    table = new_table("LAB", *_AMOUNTS, "SHARE")
    for group in items:
        lab = group["key"].get("lab")
        name = text("(no lab)" if lab is None else lab)
        table.add_row(name, *_amounts(group), text(_share(group)))
    return [*_title("Cost per lab"), table, *_more(left_out)]


def _budgets(report: View) -> list[RenderableType]:
    items = report["budgets"]["items"]
    if not items:
        return [*_title("Budgets"), text(report["budgets"]["note"])]
    table = new_table(
        "BUDGET", "GALLERY", "MONTH", "CURRENCY", "LIMIT", "ACTUAL", "EXPECTED", "USED", "STATE"
    )
    for budget in items:
        unpriced = f", {budget['unpriced_rows']} rows unpriced" if budget["unpriced_rows"] else ""
        table.add_row(
            text(budget["budget"]),
            text(budget["gallery"] or "all of it"),
            text(budget["month"]),
            text(budget["currency"]),
            text(_money(budget["limit"])),
            text(_money(budget["actual"])),
            text(_money(budget["expected"])),
            text("-" if budget["percent"] is None else f"{budget['percent']} %"),
            text(f"{budget['state']}{unpriced}", _STATES.get(budget["state"], "")),
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
        for version in found["items"]:
            table.add_row(
                text(short_version(version["image_version_id"])),
                text(version["lab"]),
                text(version["regions"]),
                text(version["replicas"]),
                text(version["currency"]),
                text(_money(version["monthly"])),
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
        for orphan in found["items"]:
            table.add_row(
                text(short_version(orphan["image_version_id"])),
                text(", ".join(orphan["regions"])),
                text(f"{_money(orphan['monthly'])} {orphan['currency']}"),
                text(orphan["reason"]),
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
        for ghost in found["items"]:
            table.add_row(
                text(short_version(ghost["image_version_id"])),
                text(", ".join(ghost["regions"])),
                text(_by_currency(ghost["charged"]) or "-"),
                text(ghost["reason"]),
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
    sentence = f"{count} {what if count != 1 else what.removesuffix('s')}"
    if count and monthly:
        sentence += f", {_by_currency(monthly)} a month"
    return f"{sentence}; {found['note']}" if found["note"] else sentence


def _by_currency(amounts: Iterable[View]) -> str:
    return " and ".join(f"{_money(one['monthly'])} {one['currency']}" for one in amounts)


def _share(one: View) -> str:
    return "-" if one["share_percent"] is None else f"{one['share_percent']} %"


def _ambiguous(groups: Iterable[View]) -> bool:
    """Tell whether two galleries of one name are in different places."""
    places: dict[str | None, set[tuple[str | None, str | None]]] = {}
    for group in groups:
        key = group["key"]
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
