"""`python -m bench`: run every benchmark, or those named; exit 1 when a target is missed."""

import argparse
import importlib
import sys
from pathlib import Path

from rich.console import Console

from bench.figures import Figure, save, show

_HERE = Path(__file__).parent
_RESULTS = _HERE / "results" / "latest.json"


def names() -> list[str]:
    """Return the names of all benchmarks: the files `bench_NAME.py` beside this one."""
    return sorted(path.stem.removeprefix("bench_") for path in _HERE.glob("bench_*.py"))


def main(arguments: list[str] | None = None) -> int:
    """Run benchmarks, print their tables, and write the figures down."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="the part of the full size; 1 is all of it"
    )
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.names) - set(names()))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(names())}")
    if not 0 < asked.scale <= 1:
        parser.error("--scale is a number above 0, and 1 at most")
    console = Console()
    figures: list[Figure] = []
    for name in asked.names or names():
        console.print(f"[bold]{name}[/bold]")
        found = list(importlib.import_module(f"bench.bench_{name}").run(asked.scale))
        show(found, console)
        figures += found
        save(figures, _RESULTS)
    missed = [one.name for one in figures if one.met is False]
    for one in missed:
        console.print(f"missed: {one}", style="red")
    return 1 if missed and asked.scale == 1 else 0


if __name__ == "__main__":
    sys.exit(main())
