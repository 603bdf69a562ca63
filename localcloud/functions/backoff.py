"""How long a queue listener waits between polls of an empty queue."""

import random
from dataclasses import dataclass, field

MINIMUM_S = 0.1


@dataclass(slots=True, kw_only=True)
class PollingBackoff:
    """Delays from 100 ms to `maximum_s`, doubling with a fifth of jitter while nothing comes."""

    maximum_s: float
    rng: random.Random = field(default_factory=random.Random)
    _exponent: int = 0
    _current_s: float = 0.0

    def next_delay_s(self, *, found: bool) -> float:
        """Return the next delay; `found` says whether a message came since the last one."""
        if found:
            self._exponent = 1
            self._current_s = MINIMUM_S
        elif self._current_s < self.maximum_s:
            growth_s = 0.0
            if self._exponent > 0:
                growth_s = self.rng.uniform(0.8, 1.2) * 2 ** (self._exponent - 1) * MINIMUM_S
            self._current_s = min(MINIMUM_S + growth_s, self.maximum_s)
            self._exponent += 1
        return self._current_s
