"""Run many seeds, or replay one: `python -m tools.simulation --seed 12345 --trace`."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tools.simulation.figures import Figures, replay_command, run_seeds
from tools.simulation.simulation import Simulation

_CHUNK = 25
_SHOWN = 20


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="how many (1000)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first seed (0)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--seed", type=int, metavar="N", help="replay this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: print every step")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _replay(asked.seed, trace=asked.trace)
    return _run_many(range(asked.first, asked.first + asked.seeds), workers=asked.workers)


def _replay(seed: int, *, trace: bool) -> int:
    run = Simulation(seed, out=_print if trace else None).run()
    for name, number in sorted(run.counts.items()):
        _print(f"{name:26} {number}")
    for problem in run.problems:
        _print(f"VIOLATED: {problem}")
    _print(f"seed {seed}: " + ("violated" if run.problems else "all invariants hold"))
    return 1 if run.problems else 0


def _run_many(seeds: range, *, workers: int) -> int:
    console = Console()
    began = time.monotonic()
    figures = Figures()
    for done in _in_processes(seeds, workers, console):
        figures.add(done)
    took_s = time.monotonic() - began
    title = f"Simulation, seeds {seeds.start} to {seeds.stop - 1}"
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    table.add_column("number", justify="right")
    table.add_row("seeds", f"{figures.seeds:,}")
    table.add_row("seeds per second", f"{figures.seeds / took_s:.1f} ({workers} processes)")
    for name, number in sorted(figures.counts.items()):
        table.add_row(name, f"{number:,}")
    table.add_row("violations", f"{len(figures.violations):,}")
    console.print(table)
    for seed, problem in figures.violations[:_SHOWN]:
        _print(f"VIOLATED by seed {seed}: {problem}\n  {replay_command(seed)}")
    return 1 if figures.violations else 0


def _in_processes(seeds: range, workers: int, console: Console) -> Iterator[Figures]:
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with (
        ProcessPoolExecutor(workers) as pool,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        bar = progress.add_task("seeds", total=len(seeds))
        told = 0
        for number, figures in enumerate(pool.map(run_seeds, chunks), start=1):
            progress.advance(bar, figures.seeds)
            if not console.is_terminal and number * 10 // len(chunks) > told:
                told = number * 10 // len(chunks)
                _print(f"{told * 10} % of {len(seeds):,} seeds")
            yield figures


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's voice


if __name__ == "__main__":
    sys.exit(main())
