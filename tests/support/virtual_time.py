"""Asyncio on a clock of its own: where every task waits for time, the clock leaps ahead."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Leaping(selectors.DefaultSelector):
    """Tells the loop at once that nothing came, and that the time it wanted to wait is over."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("every task waits, and none for time")
        if not ready:
            self.now_s += timeout or 0
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop for tasks in memory: nothing of the world outside is waited for."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now_s


def run_in_virtual_time[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a clock that begins at nought and leaps over every wait."""
    return asyncio.run(work, loop_factory=VirtualTimeLoop)
