"""What the demo shows: a live table in a terminal, plain lines in a pipe."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from rich.box import SIMPLE
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_STYLES = {
    "planned": "dim",
    "requested": "cyan",
    "replicating": "yellow",
    "completed": "green",
    "failed": "red",
    "removed": "magenta",
}
_BAR_WIDTH = 30
_PIPE_WIDTH = 160


# Percents by region, by lower-cased version id.
Copies = dict[str, dict[str, int]]


class LiveView(Protocol):
    """Shows the records again and again."""

    def show(self, seen: list[dict[str, Any]], copies: Copies) -> None:
        """Show the newest records, and how far Azure's copies are."""
        ...

    def note(self, text: str) -> None:
        """Say what just happened."""
        ...


class Screen:
    """Writes to the terminal, or plainly where there is none."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console = Console(
                file=self._console.file, highlight=False, no_color=True, width=_PIPE_WIDTH
            )

    def step(self, text: str) -> None:
        """Say what happens now."""
        self._console.print(f"[bold blue]▸[/] {escape(text)}")

    def failure(self, text: str) -> None:
        """Say why the demo ends here."""
        self._console.print(f"[bold red]✗[/] {escape(text)}")

    def end(self, *, done: bool, took_s: float) -> None:
        """Say how it ended."""
        if done:
            self._console.print(
                f"[bold green]✓[/] Every planned replica is Completed; {took_s:.0f} s in all, "
                "everything is stopped."
            )
        else:
            self.failure("Not every planned replica is Completed.")

    @contextmanager
    def live(self) -> Iterator[LiveView]:
        """Show records live in a terminal, and every change as a line in a pipe."""
        if not self._console.is_terminal:
            yield _Lines(self._console)
            return
        with Live(console=self._console, refresh_per_second=8) as live:
            yield _Tables(live)

    def results(self, finished: list[dict[str, Any]], *, time_scale: float) -> None:
        """Print the table of results."""
        table = Table(title="Replicas", title_justify="left")
        for name in ("version", "geography", "region", "state", "took", "simulated"):
            table.add_column(name, justify="right" if name in ("took", "simulated") else "left")
        for one in finished:
            for region in one["regions"]:
                took_s = _seconds(region["requested_at"], region["completed_at"])
                state = region["state"]
                table.add_row(
                    _version(one),
                    escape(str(one["geography"])),
                    region["region"],
                    f"[{_STYLES.get(state, '')}]{state}[/]" if state in _STYLES else state,
                    f"{took_s:.1f} s",
                    f"{took_s * time_scale / 60:.0f} min",
                )
            table.add_section()
        self._console.print(table)
        summary = Table(title="What it took", title_justify="left")
        for name in ("version", "home", "added", "ARM calls", "writes", "a month", "once"):
            summary.add_column(name, justify="left" if name in ("version", "home") else "right")
        for one in finished:
            cost = one["cost"]
            summary.add_row(
                _version(one),
                one["home_region"],
                str(sum(1 for region in one["regions"] if region["managed"])),
                str(one["arm_calls"]),
                str(one["writes"]),
                _money(cost["monthly"], cost["currency"]),
                _money(cost["egress_once"], cost["currency"]),
            )
        self._console.print(summary)
        basis = finished[0]["cost"]["basis"] if finished else ""
        self._console.print(f"[dim]Cost: {escape(basis)}[/]")


class _Tables:
    """A table for each record, with a bar for each region."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, seen: list[dict[str, Any]], copies: Copies) -> None:
        tables = (_progress_table(one, copies.get(_id(one), {})) for one in seen)
        self._live.update(Group(*tables))

    def note(self, text: str) -> None:
        self._live.console.print(f"[bold blue]▸[/] {escape(text)}")


class _Lines:
    """A line for each change of a state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._known: dict[tuple[str, str], str] = {}

    def show(self, seen: list[dict[str, Any]], copies: Copies) -> None:  # noqa: ARG002 - no bars
        for one in seen:
            for region in one["regions"]:
                place = (one["key"], region["region"])
                if self._known.get(place) != region["state"]:
                    self._known[place] = region["state"]
                    self._console.print(
                        f"  {_version(one)} {region['region']}: {region['state']}", markup=False
                    )

    def note(self, text: str) -> None:
        self._console.print(f"▸ {text}", markup=False)


def _progress_table(one: dict[str, Any], percents: dict[str, int]) -> Table:
    table = Table(
        title=f"{_version(one)} · {one['phase']} · {one['geography']}",
        title_justify="left",
        title_style="bold",
        box=SIMPLE,
    )
    table.add_column("region", min_width=16)
    table.add_column("state", min_width=12)
    table.add_column("progress", min_width=_BAR_WIDTH)
    table.add_column("%", justify="right", min_width=4)
    for region in one["regions"]:
        percent = percents.get(region["region"], 0)
        state = region["state"]
        table.add_row(
            region["region"],
            Text(state, style=_STYLES.get(state, "")),
            ProgressBar(total=100, completed=percent, width=_BAR_WIDTH),
            str(percent),
        )
    return table


def _version(one: dict[str, Any]) -> str:
    parts = str(one["image_version_id"]).split("/")
    return escape(f"{parts[-3]} {parts[-1]}")


def _id(one: dict[str, Any]) -> str:
    return str(one["image_version_id"]).lower()


def _money(amount: float | None, currency: str) -> str:
    return "unknown" if amount is None else f"{amount:.2f} {currency}"


def _seconds(start: str | None, end: str | None) -> float:
    if start is None or end is None:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
