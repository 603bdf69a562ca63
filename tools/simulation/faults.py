"""What may break, how often, and whether it does now: drawn once for each run by its seed."""

import random
from collections import Counter
from dataclasses import dataclass, field

_KINDS = (
    "throttled",
    "throttled_without_a_time",
    "unavailable",
    "answer_lost",
    "conflict",
    "unknown_refusal",
    "write_lost",
    "copy_failed",
    "copy_stalled",
    "storage_blip",
    "storage_answer_lost",
    "message_lost",
    "message_doubled",
    "list_broken",
    "thought_gone",
)
_HIGHEST = {
    "copy_failed": 0.35,
    "copy_stalled": 0.15,
    "unknown_refusal": 0.03,
    "thought_gone": 0.02,
}
_COMMON = 0.08


@dataclass(slots=True)
class Faults:
    """Rolls the dice of one run; nothing breaks while it is not active."""

    chance: random.Random
    active: bool = True
    rejects_while_updating: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    _shares: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Some runs are calm, some see one kind often: both find what an even mix does not.
        mood = self.chance.choice((0.0, 0.3, 1.0, 1.0, 2.0))
        self.rejects_while_updating = self.chance.random() < 0.4
        for kind in _KINDS:
            likely = self.chance.random() * _HIGHEST.get(kind, _COMMON) * mood
            self._shares[kind] = likely

    def strikes(self, kind: str) -> bool:
        """Tell whether this kind of fault happens now, and count it."""
        if not self.active or self.chance.random() >= self._shares[kind]:
            return False
        self.counts[kind] += 1
        return True
