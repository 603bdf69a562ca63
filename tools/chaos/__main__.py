"""`python -m tools.chaos`: rounds of exports and trouble until the time is up."""

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tools.chaos.figures import Figures
from tools.chaos.plan import Plan
from tools.chaos.run import Run
from tools.chaos.world import running_world

# A round is not begun if less than this is left, since it would not come to its end.
_LEAST_LEFT_S = 60.0
_BROKEN_OFF = 130


async def run(seed: int, minutes: float, folder: Path, console: Console) -> Run:
    """Repeat rounds until the time is up or a promise is broken."""
    began = time.monotonic()
    figures = Figures(seed=seed)

    # The bar is drawn in a terminal only; the lines stay in both.
    bar = Progress(
        *(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task("starting", total=minutes * 60)

    def say(text: str) -> None:
        passed_s = time.monotonic() - began
        minute, second = divmod(int(passed_s), 60)
        console.print(f"[{minute:2}:{second:02}] {text}", markup=False, soft_wrap=True)
        bar.update(task, completed=passed_s, description=f"round {figures.rounds + 1}")

    with bar:
        async with running_world(Plan.of_round(seed, 1), folder) as world:
            running = Run(world=world, figures=figures, say=say)
            while True:
                number = figures.rounds + 1
                say(f"round {number}")
                await running.round(Plan.of_round(seed, number), number)
                say(f"round {number} is over: {len(running.problems)} promises broken")
                left_s = minutes * 60 - (time.monotonic() - began)
                if running.problems or left_s < _LEAST_LEFT_S:
                    return running


def main() -> int:
    """Return 0 only if every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default 10)")
    parser.add_argument("--seed", type=int, default=None, help="default: a random one")
    asked = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    console = Console(highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    console.print(f"seed {seed}; state and logs in {folder}", soft_wrap=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        ended = asyncio.run(run(seed, asked.minutes, folder, console))
    except KeyboardInterrupt:
        console.print(f"broken off; state and logs are in {folder}", soft_wrap=True)
        return _BROKEN_OFF
    except BaseException:
        console.print(f"broken off; state and logs are kept in {folder}", soft_wrap=True)
        raise
    for problem in ended.problems:
        console.print(f"BROKEN: {problem}", markup=False, soft_wrap=True)
    console.print(ended.figures.table(), markup=False, soft_wrap=True)
    if ended.problems:
        console.print(
            f"state and logs are kept in {folder}; again with --seed {seed}", soft_wrap=True
        )
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
