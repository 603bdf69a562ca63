"""Simulated time: it runs faster than the real one, and never back."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class SimulatedClock:
    """Seconds since the simulator's start, `scale` times as fast as real ones."""

    scale: float
    real: Callable[[], float] = time.monotonic
    _base_real: float = field(init=False)
    _base_simulated: float = 0.0

    def __post_init__(self) -> None:
        self._base_real = self.real()

    def now(self) -> float:
        """Return the simulated seconds since the start."""
        return self._base_simulated + (self.real() - self._base_real) * self.scale

    def set_scale(self, scale: float) -> None:
        """Change the speed from here on; what has passed stays passed."""
        self._base_simulated, self._base_real = self.now(), self.real()
        self.scale = scale

    def real_s(self, simulated_s: float) -> float:
        """Return how many real seconds a simulated span takes."""
        return simulated_s / self.scale
