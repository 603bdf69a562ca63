"""What a benchmark measures, and how it is shown."""

import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number; `target` in words where one is promised, `met` whether it is kept."""

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None


@dataclass(slots=True)
class Stopwatch:
    """How long the block took, in seconds."""

    seconds: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Time a block."""
    watch = Stopwatch()
    began = time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - began


def peak_mb() -> float:
    """Return the most memory that this process had, in MB of a million bytes.

    What the process that started it had is not counted, as getrusage would.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that must not be above a limit."""
    return Figure(
        name=name, value=value, unit=unit, target=f"at most {limit:g}", met=value <= limit
    )


def at_least(name: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that must not be below a limit."""
    return Figure(
        name=name, value=value, unit=unit, target=f"at least {limit:g}", met=value >= limit
    )


def show(figures: Iterable[Figure], console: Console) -> None:
    """Print the figures as a table."""
    table = Table("figure", "value", "unit", "target", "met")
    for one in figures:
        met = "" if one.met is None else "yes" if one.met else "NO"
        table.add_row(one.name, f"{one.value:,.3f}", one.unit, one.target, met)
    console.print(table)


def save(figures: Iterable[Figure], path: Path, now: Callable[[], datetime] | None = None) -> None:
    """Write the figures and where they were measured as JSON."""
    at = now() if now else datetime.now(UTC)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "at": at.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [asdict(one) for one in figures],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
