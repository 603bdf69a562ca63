"""Rate meter: what Azure's answers said of its limits, on the way from adapter to admission."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from replication.guards.throttling import RateReading, ThrottleScope


@dataclass(slots=True)
class RateMeter:
    """Keeps the newest reading of each limit until somebody takes them; safe between threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _readings: dict[tuple[ThrottleScope, str], RateReading] = field(default_factory=dict)

    def put(self, readings: Iterable[RateReading]) -> None:
        """Keep readings; a newer one replaces that of the same limit."""
        with self._lock:
            for reading in readings:
                self._readings[reading.scope, reading.bucket] = reading

    def take(self) -> tuple[RateReading, ...]:
        """Return what has come since the last time."""
        with self._lock:
            taken = tuple(self._readings.values())
            self._readings.clear()
        return taken
