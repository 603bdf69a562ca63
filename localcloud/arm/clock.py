"""Simulated time: it runs at another speed than the real one, and never back."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class SimulatedClock:
    """Seconds since the simulator's start, `scale` times as fast as real ones."""

    scale: float
    real: Callable[[], float] = time.monotonic
    _base_real_s: float = field(init=False)
    _base_simulated_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        _require_speed(self.scale)
        self._base_real_s = self.real()

    def now(self) -> float:
        """Return the simulated seconds since the start."""
        return self._base_simulated_s + (self.real() - self._base_real_s) * self.scale

    def set_scale(self, scale: float) -> None:
        """Change the speed from here on; what has passed stays passed."""
        _require_speed(scale)
        self._base_simulated_s, self._base_real_s = self.now(), self.real()
        self.scale = scale

    def real_s(self, simulated_s: float) -> float:
        """Return how many real seconds a simulated span takes at today's speed."""
        return simulated_s / self.scale

    def retry_after(self, simulated_s: float) -> str:
        """Return a Retry-After header for a simulated span.

        It is 1 at least: the vendor's client takes 0 for "none" and waits 30 s.
        """
        return str(max(1, math.ceil(self.real_s(simulated_s))))


def _require_speed(scale: float) -> None:
    if not (scale > 0 and math.isfinite(scale)):
        raise ValueError(f"the time scale {scale!r} should be a number above 0")
