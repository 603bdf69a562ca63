"""Run seeds and add up what they came to."""

import gc
from collections import Counter
from dataclasses import dataclass, field

from tools.simulation.simulation import Simulation


@dataclass(slots=True)
class Figures:
    """What many runs came to."""

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Figures") -> None:
        """Add the figures of other runs."""
        self.seeds += other.seeds
        self.counts.update(other.counts)
        self.violations += other.violations


def run_seeds(seeds: range) -> Figures:
    """Run these seeds one after the other."""
    figures = Figures()
    for seed in seeds:
        # Each run leaves a web of cycles; collecting it in small steps takes longer.
        gc.disable()
        run = Simulation(seed).run()
        gc.enable()
        figures.seeds += 1
        figures.counts.update(run.counts)
        figures.violations += [(seed, problem) for problem in run.problems]
    return figures


def replay_command(seed: int) -> str:
    """Return the command that replays a seed step by step."""
    return f".venv/bin/python -m tools.simulation --seed {seed} --trace"
