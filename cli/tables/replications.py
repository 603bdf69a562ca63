"""Tables of replications, plans, queues, regions, sweeps and acts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.terminal.output import new_fields, new_table, text

if TYPE_CHECKING:
    from api.schemas.operations import Action, Queue
    from api.schemas.replications import (
        Bounds,
        Cost,
        Plan,
        Region,
        RegionReason,
        Replication,
        ReplicationDetail,
        Stuck,
        TimelineEntry,
    )

type View = Mapping[str, Any]

_ID_PARTS = 5
_STYLES = {
    "completed": "green",
    "succeeded": "green",
    "already_listed": "green",
    "replicating": "cyan",
    "tracking": "cyan",
    "applying": "cyan",
    "wanted": "yellow",
    "planned": "yellow",
    "requested": "yellow",
    "waiting": "yellow",
    "partial": "magenta",
    "failed": "red",
    "left_out": "dim",
    "removed": "dim",
    "skipped": "dim",
    "superseded": "dim",
    "cancelled": "dim",
}


def replication_list(items: "Iterable[Replication]", *, stacked: bool) -> Table:
    """Show many replications, one a line; `stacked` takes two lines and half the width."""
    headings = ("KEY", "PHASE", "IMAGE VERSION", "HOME", "GEOGRAPHY", "REGIONS", "UPDATED")
    pairs = ("IMAGE VERSION", "PHASE", "HOME", "REGIONS")
    table = new_table(
        *(pairs if stacked else headings),
        "REASON",
        folding=("IMAGE VERSION", "HOME", "PHASE", "REASON") if stacked else ("REASON",),
        least={"IMAGE VERSION": 12, "HOME": 7, "PHASE": 9, "REGIONS": 7, "REASON": 9},
    )
    for item in items:
        regions = item.regions
        completed = sum(1 for region in regions if region.state == "completed")
        key, phase, version = (
            text(item.key),
            _phase(item),
            text(short_version(item.image_version_id)),
        )
        home, geography = text(item.home_region), text(item.geography)
        done, updated, reason = (
            text(f"{completed}/{len(regions)}"),
            text(item.updated_at),
            text(item.reason),
        )
        if stacked:
            table.add_row(
                over(version, key), phase, over(home, geography), done, over(reason, updated)
            )
        else:
            table.add_row(key, phase, version, home, geography, done, updated, reason)
    return table


def replication_detail(view: "ReplicationDetail", *, command: str) -> list[RenderableType]:
    """Show one replication with its regions and its timeline; `command` begins what to type."""
    failure = view.failure
    parts: list[RenderableType] = [
        new_fields(
            [
                ("Image version", text(view.image_version_id)),
                ("Key", text(view.key)),
                ("Phase", _phase(view)),
                ("Reason", text(view.reason)),
                ("Failure", text(f"{failure.code}: {failure.message}" if failure else "")),
                ("Meaning", text(failure.advice if failure else "")),
                ("Runbook", text(failure.runbook if failure else "")),
                ("Dead letter", _letter(view.dead_letter_id, command)),
                *_stuck_fields(view.regions),
                ("Home region", text(view.home_region)),
                ("Geography", text(view.geography)),
                ("Size", text("" if view.size_gb is None else f"{view.size_gb} GB")),
                ("Trigger", text(view.trigger)),
                ("Started", text(view.started_at)),
                ("Updated", text(view.updated_at)),
                ("Finished", text(view.finished_at)),
                ("Next look", text(view.next_attempt_at)),
                ("Deadline", text(view.deadline_at)),
                (
                    "ARM calls",
                    text(f"{view.arm_calls} ({view.writes} writes, {view.polls} polls)"),
                ),
                ("Cost", _cost(view.cost)),
                ("Regions from", text(view.catalog)),
            ]
        ),
    ]
    if view.regions or view.left_out:
        parts += ["", _replica_table(view.regions, view.left_out)]
    if view.history:
        parts += ["", timeline_table(view.history)]
    return parts


def plan_detail(view: "Plan") -> list[RenderableType]:
    """Show a plan: every region with its state and reason."""
    parts: list[RenderableType] = [
        new_fields(
            [
                ("Image version", text(view.image_version_id)),
                ("Home region", text(view.home_region)),
                ("Geography", text(view.geography)),
                ("Plan", text(view.reason)),
                ("Cost", _cost(view.cost)),
                *((("Budget", text(f"would be held: {view.held}")),) if view.held else ()),
                ("Regions from", text(view.catalog)),
            ]
        )
    ]
    if view.regions or view.left_out:
        table = new_table("REGION", "STATE", "REASON")
        for planned in view.regions:
            table.add_row(text(planned.region), state_text(planned.state), text(planned.reason))
        for out in view.left_out:
            table.add_row(text(out.region), state_text("left_out"), text(out.reason))
        parts += ["", table]
    return parts


def queue_list(items: "Iterable[Queue]") -> Table:
    """Show the queues."""
    table = new_table("QUEUE", "MESSAGES", "HIDDEN", "OLDEST", "POISON", "PAUSED")
    for queue in items:
        age_s = queue.oldest_age_s
        poison = queue.poison_depth
        table.add_row(
            text(queue.name),
            text(queue.depth),
            text(_or_dash(queue.invisible)),
            text("-" if age_s is None else f"{age_s:.0f} s"),
            text(poison, "red" if poison else ""),
            text("yes" if queue.paused else "no"),
        )
    return table


def region_list(items: Sequence[View]) -> Table:
    """Show regions, each with its geography, and whether the provider offers them if known."""
    offers_known = any(one["offered"] is not None for one in items)
    table = new_table(
        "GEOGRAPHY", "REGION", "NAME", *(["IMAGE VERSIONS OFFERED"] if offers_known else [])
    )
    for region in items:
        cells = [text(region["geography"]), text(region["region"]), text(region["display_name"])]
        if offers_known:
            cells.append(text("yes" if region["offered"] else "no"))
        table.add_row(*cells)
    return table


def finding_list(items: Iterable[View]) -> Table:
    """Show what a sweep found."""
    table = new_table("IMAGE VERSION", "REASON", folding=("IMAGE VERSION", "REASON"))
    for finding in items:
        table.add_row(text(finding["image_version_id"]), text(finding["reason"]))
    return table


def action_list(items: "Iterable[Action]") -> Table:
    """Show what operators did."""
    table = new_table("AT", "ACT", "ABOUT", "BY", "DONE", "OUTCOME")
    for action in items:
        done = {None: "not known", True: "yes", False: "no"}[action.done]
        table.add_row(
            text(action.at),
            text(action.action),
            text(_about(action)),
            text(action.by),
            text(done, "" if action.done else "yellow"),
            text(action.outcome),
        )
    return table


def timeline_table(entries: "Iterable[TimelineEntry]") -> Table:
    """Show a timeline."""
    table = new_table("AT", "EVENT", "REASON")
    for entry in entries:
        table.add_row(text(entry.at), text(entry.event), text(entry.reason))
    return table


def short_version(image_version_id: str) -> str:
    """Return gallery/image/version of an image version's ARM id, whole what is none."""
    parts = image_version_id.split("/")
    if len(parts) < _ID_PARTS:
        return image_version_id
    return "/".join((parts[-5], parts[-3], parts[-1]))


def over(upper: Text, lower: Text) -> Text:
    """Return two values, one over the other."""
    return Text.assemble(upper, "\n", (lower.plain, "dim"))


def _replica_table(regions: "Iterable[Region]", left_out: "Iterable[RegionReason]") -> Table:
    table = new_table("REGION", "STATE", "PROGRESS", "ATTEMPTS", "COMPLETED", "REASON")
    for region in regions:
        progress = region.progress
        table.add_row(
            text(region.region),
            state_text(region.state, stuck=region.stuck is not None),
            text("-" if progress is None else f"{progress} %"),
            text(region.attempts),
            text(_or_dash(region.completed_at)),
            text(region.reason),
        )
    for out in left_out:
        dash = text("-")
        table.add_row(text(out.region), state_text("left_out"), dash, dash, dash, text(out.reason))
    return table


def state_text(word: str, *, stuck: bool = False) -> Text:
    shown = word.replace("_", " ")
    return text(f"{shown}, stuck", "red") if stuck else text(shown, _STYLES.get(word, ""))


def _phase(view: "Replication") -> Text:
    return state_text(view.phase, stuck=view.stuck)


def _letter(letter_id: str | None, command: str) -> Text:
    if letter_id is None:
        return text(None)
    return text(f"{letter_id} ({command} dead-letters show {letter_id[:12]})")


def _stuck_fields(regions: "Iterable[Region]") -> list[tuple[str, Text]]:
    return [
        ("Stuck", text(f"{one.region}: {_stuck(one.stuck)}", "red"))
        for one in regions
        if one.stuck is not None
    ]


def _stuck(view: "Stuck") -> str:
    speed = view.expected_percent_per_min
    expected = "no progress was ever seen" if speed is None else f"{speed:g} % a minute expected"
    return f"no progress since {view.since}, {expected}"


def _cost(cost: "Cost") -> Text:
    """Show both amounts with their bounds, the confidence, and what they rest on."""
    monthly = _amount(cost.monthly, cost.monthly_range, cost.currency)
    egress = _amount(cost.egress_once, cost.egress_range, cost.currency)
    figures = f"{monthly} a month, {egress} once for the transfer"
    if cost.monthly is None and cost.egress_once is None:
        figures = "unknown"
    return over(text(f"{figures}; confidence: {cost.confidence}"), text(cost.basis))


def _amount(figure: float | None, bounds: "Bounds | None", currency: str) -> str:
    if figure is None or bounds is None:
        return "an unknown amount"
    if bounds.low == bounds.high:
        return f"{figure:.2f} {currency}"
    return f"{figure:.2f} {currency} ({bounds.low} to {bounds.high})"


def _about(action: "Action") -> str:
    about = action.about
    version_id, letter_id = about.get("image_version_id"), about.get("dead_letter_id")
    parts = [
        short_version(version_id) if version_id else about.get("key"),
        about.get("queue"),
        f"dead letter {letter_id[:12]}" if letter_id else None,
        f"dead letters {about['filter']}" if "filter" in about else None,
        f"({action.why})" if action.why else None,
    ]
    return " ".join(one for one in parts if one)


def _or_dash(value: object) -> object:
    return "-" if value is None else value
