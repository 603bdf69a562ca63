"""Timer triggers: one run at a time, at the schedule's moments or by hand."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from localcloud.functions.catalog import ServedFunction, TimerTrigger
from localcloud.functions.payloads import timer_payload
from localcloud.functions.worker import Payload, Returned

_log = logging.getLogger("localcloud.functions")

Invoke = Callable[[ServedFunction, Payload], Awaitable[Returned]]
# Sleeps are cut short so that a clock that jumps (a laptop waking up) is noticed soon.
_LONGEST_SLEEP_S = 60.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Timer:
    """Runs one timer function; a run that is still going on delays the next, never overlaps it."""

    function: ServedFunction
    trigger: TimerTrigger
    invoke: Invoke
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _last: datetime | None = None

    async def run(self) -> None:
        """Fire until cancelled."""
        if self.trigger.run_on_startup:
            await self.fire()
        while True:
            due = self.trigger.schedule.next_after(self.now())
            while (left_s := (due - self.now()).total_seconds()) > 0:
                await self.sleep(min(left_s, _LONGEST_SLEEP_S))
            await self.fire()

    async def fire(self) -> Returned:
        """Run the function now, or as soon as its running invocation has ended."""
        async with self._turn:
            at = self.now()
            payload = timer_payload(
                self.function.parameter,
                last=self._last,
                following=self.trigger.schedule.next_after(at),
            )
            self._last = at
            # A stop ends the waiting, not the run: the host drains runs by itself.
            return await asyncio.shield(asyncio.ensure_future(self.invoke(self.function, payload)))
