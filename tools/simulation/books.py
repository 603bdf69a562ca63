"""What a run notes beside the app: what was exported, and a line for each step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tools.simulation.cloud import Version
from tools.simulation.scheduler import Clock


class Tell:
    """Says what happens, to whoever wants to hear it."""

    def __init__(self, clock: Clock, out: Callable[[str], None] | None) -> None:
        self._clock = clock
        self._out = out

    def __call__(self, text: str) -> None:
        if self._out is not None:
            self._out(f"{self._clock.now:%d %H:%M:%S} {text}")


@dataclass(slots=True)
class Export:
    """One image version, and what happened to it that excuses it from being replicated."""

    version: Version
    event_lost: bool = False
    accepted_at: datetime | None = None
    cancelled: bool = False
    stays_cancelled: bool = False
    removed_by_rival: set[str] = field(default_factory=set)
