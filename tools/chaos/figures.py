"""The figures of a run, and the table that they make."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Figures:
    """What was done, what happened and what was seen, over all rounds."""

    seed: int
    exports: int = 0
    rounds: int = 0
    events: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    starts_s: list[float] = field(default_factory=list)
    storage_restarts: int = 0
    refusals: int = 0
    refused_s: float = 0.0
    answers_cut: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failed_copies: int = 0
    patches: Counter[int] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: int = 0
    rivals: int = 0
    stale_writes: int = 0
    open_to_faults: int = 0
    letters: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    to_completed_s: list[float] = field(default_factory=list)
    settle_s: list[float] = field(default_factory=list)
    lost: int = 0

    def rows(self) -> list[tuple[str, str]]:
        """Return names and values, in the order of a report."""
        struck = self.faults.total()
        share = 100 * struck / max(1, self.open_to_faults)
        return [
            ("seed", str(self.seed)),
            ("rounds", str(self.rounds)),
            ("exports", str(self.exports)),
            ("events sent", _counts(self.events)),
            ("kill -9 of instances", _counts(self.kills)),
            ("instance starts, s", _spread(self.starts_s)),
            ("storage restarts", str(self.storage_restarts)),
            ("ARM refusals", f"{self.refusals}, {self.refused_s:.0f} s in all"),
            ("answers cut off after acceptance", str(self.answers_cut)),
            ("ARM requests by status", _counts(self.requests)),
            ("faults by kind", f"{_counts(self.faults)} ({share:.1f} % of {self.open_to_faults})"),
            ("copies told to fail", str(self.failed_copies)),
            (
                "accepted PATCHes per version",
                ", ".join(
                    f"{count} with {number}" for number, count in sorted(self.patches.items())
                ),
            ),
            ("second PATCHes explained", _counts(self.explained)),
            ("second PATCHes unexplained", str(self.unexplained)),
            ("regions added by a rival before a write", str(self.rivals)),
            ("PATCHes refused as stale", str(self.stale_writes)),
            ("dead letters", _counts(self.letters)),
            ("dead letters replayed", str(self.replayed)),
            ("export to Completed, s", _spread(self.to_completed_s)),
            ("end of faults to all Completed, s", _spread(self.settle_s)),
            ("lost", str(self.lost)),
        ]

    def table(self) -> str:
        """Return the figures as text."""
        rows = self.rows()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all do not exceed; 0 for none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _counts(counts: Counter[str]) -> str:
    if not counts:
        return "0"
    parts = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return f"{counts.total()}: {parts}"


def _spread(values: Sequence[float]) -> str:
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    return f"p50 {p50:.1f}, p95 {p95:.1f}, max {max(values, default=0.0):.1f}"
