"""Progress of one replication as a picture: a bar for each region, and when it may be ready."""

from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.tables.replications import short_version, state_text
from cli.terminal.output import new_fields, text
from replication.domain.copy_progress import expected_end

if TYPE_CHECKING:
    from api.schemas.replications import Region, Replication

_WHOLE = 100
_BAR_WIDTH, _LEAST_BAR_WIDTH = 24, 6
_MINUTE_S, _HOUR_S = 60, 3600
# A guess that far away says nothing.
_LONGEST_S = 48 * _HOUR_S
_READY = "completed"
_OVER = (_READY, "failed", "removed")
_STATE_ORDER = ("failed", "replicating", "requested", "planned", _READY, "removed")


def progress_picture(view: "Replication", *, now: datetime) -> RenderableType:
    """Return the phase and its reason, and a bar for each region; those not ready come first."""
    regions = sorted(view.regions, key=_rank)
    ready = sum(1 for one in regions if one.state == _READY)
    failure = view.failure
    fields = new_fields(
        [
            ("Image version", text(short_version(view.image_version_id))),
            ("Phase", state_text(view.phase, stuck=view.stuck)),
            ("Reason", text(view.reason)),
            ("Failure", text(f"{failure.code}: {failure.message}" if failure else "")),
            ("Regions", text(f"{ready} of {len(regions)} ready{_ready_in(regions, now)}")),
            ("Next look", text(view.next_attempt_at)),
        ]
    )
    if not regions:
        return fields
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    # A bar says the same as its figure, so that it gives way, as the reason does.
    table.add_column(min_width=_LEAST_BAR_WIDTH, max_width=_BAR_WIDTH)
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column()
    for region in regions:
        left_s = eta_s(region, now=now)
        progress = region.progress
        table.add_row(
            text(region.region),
            _bar(region),
            text("" if progress is None else f"{progress} %"),
            state_text(region.state, stuck=region.stuck is not None),
            text("" if left_s is None else _when(left_s)),
            _one_line(region.reason),
        )
    return Group(fields, "", table)


def eta_s(region: "Region", *, now: datetime) -> float | None:
    """Return in how many seconds a copy is complete at its speed so far, None for no telling."""
    if region.state in _OVER or region.stuck is not None:
        return None
    since, moved = _moment(region.copying_since), _moment(region.progressed_at)
    end = expected_end(region.progress, since, moved)
    if end is None:
        return None
    left_s = (end - now).total_seconds()
    return max(0.0, left_s) if left_s <= _LONGEST_S else None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ready_in(regions: "list[Region]", now: datetime) -> str:
    """Say when the last region is ready, if that can be told of all that are under way."""
    under_way = [one for one in regions if one.state not in _OVER]
    etas = [eta_s(one, now=now) for one in under_way]
    known = [one for one in etas if one is not None]
    return f", all {_when(max(known))}" if known and len(known) == len(etas) else ""


def _bar(region: "Region") -> ProgressBar:
    progress = _WHOLE if region.state == _READY else region.progress or 0
    style = "red" if region.state == "failed" or region.stuck is not None else "cyan"
    return ProgressBar(
        total=_WHOLE,
        completed=min(max(progress, 0), _WHOLE),
        width=None,
        complete_style=style,
        finished_style="green",
    )


def _one_line(reason: str) -> Text:
    line = text(reason, "dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _rank(region: "Region") -> tuple[int, str]:
    state = region.state
    place = _STATE_ORDER.index(state) if state in _STATE_ORDER else 1
    return (-1 if region.stuck is not None else place, region.region)


def _when(left_s: float) -> str:
    if left_s < 1:
        return "soon"
    if left_s < _MINUTE_S:
        return f"in {left_s:.0f} s"
    if left_s < _HOUR_S:
        return f"in {left_s / _MINUTE_S:.0f} min"
    return f"in {left_s // _HOUR_S:.0f} h {left_s % _HOUR_S // _MINUTE_S:.0f} min"
