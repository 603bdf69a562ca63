"""Timer triggers: one scheduled run at a time, in one host of all that share a storage.

As recorded of the vendor's: a run that was missed is made up for at the start, one that takes too
long is followed at once by the next, and a run by hand waits for nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from azure.core.exceptions import AzureError

from localcloud.functions.catalog import ServedFunction, TimerTrigger
from localcloud.functions.timers.monitor import ScheduleStatus, begin, read_status, timer_payload
from localcloud.functions.timers.store import TimerStore
from localcloud.functions.worker import Payload, Returned

_log = logging.getLogger("localcloud.functions")

Invoke = Callable[[ServedFunction, Payload], Awaitable[Returned]]
LEASE_S = 60.0
# Sleeps are cut short so that a clock that jumps (a laptop waking up) is noticed soon.
_LONGEST_SLEEP_S = 60.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Timer:
    """Runs one timer function, as long as this host holds its lease."""

    function: ServedFunction
    trigger: TimerTrigger
    invoke: Invoke
    store: TimerStore
    lease_s: float = LEASE_S
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _status: ScheduleStatus | None = None
    _is_monitored: bool = field(init=False)

    def __post_init__(self) -> None:
        # As the vendor's: once, by the minute in which the host starts.
        self._is_monitored = self.trigger.use_monitor and self.trigger.schedule.is_monitored(
            self.now()
        )

    async def run(self) -> None:
        """Fire until cancelled; a stored status that cannot be read ends this timer alone."""
        name = self.function.name
        while not await self.store.acquire(name, self.lease_s):
            await self.sleep(self.lease_s)
        renewing = asyncio.ensure_future(self._renew())
        try:
            await self._fire_for_ever()
        except ValueError as error:
            _log.error("The listener for function %r was unable to start: %s", name, error)
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            await asyncio.shield(self.store.release(name))

    async def fire(self) -> Returned:
        """Run the function now, beside whatever runs; nothing is kept of it."""
        status = None
        if self._is_monitored:
            try:
                status = read_status(await self.store.read(self.function.name), self._zone())
            except (AzureError, ValueError) as error:
                _log.error("%s failed before its call: %s", self.function.name, error)
                return Returned(ok=False, error=str(error))
        return await self._call(status, is_past_due=False)

    async def _fire_for_ever(self) -> None:
        at = await self._begin()
        while True:
            while (left_s := self.trigger.schedule.wait_s(at, self.now())) > 0:
                await self.sleep(min(left_s, _LONGEST_SLEEP_S))
            at = await self._scheduled(is_past_due=False)

    async def _begin(self) -> datetime:
        """Make up for a run that was missed; return the moment from which the next one counts."""
        is_past_due, now = False, self.now()
        if self._is_monitored:
            text = await self.store.read(self.function.name)
            known = begin(read_status(text, self._zone()), self.trigger.schedule, now)
            if known.kept is not None:
                await self._keep(known.kept)
            self._status, is_past_due = known.told, known.is_past_due
        if is_past_due or self.trigger.run_on_startup:
            return await self._scheduled(is_past_due=is_past_due)
        return now

    async def _scheduled(self, *, is_past_due: bool) -> datetime:
        at = self.now()
        # A stop ends the waiting, not the run: the host drains runs by itself.
        await self._call(self._status, is_past_due=is_past_due)
        if self._is_monitored:
            following = self.trigger.schedule.next_after(at)
            self._status = ScheduleStatus(last=at, next=following, last_updated=at)
            await self._keep(self._status)
        return at

    async def _call(self, status: ScheduleStatus | None, *, is_past_due: bool) -> Returned:
        payload = timer_payload(
            self.function.parameter, self.trigger.schedule, status, is_past_due=is_past_due
        )
        run = asyncio.ensure_future(self.invoke(self.function, payload))
        return await asyncio.shield(run)

    async def _keep(self, status: ScheduleStatus) -> None:
        try:
            await self.store.write(self.function.name, status)
        except AzureError as error:
            # Whether the host goes on without its storage is for the queue listeners to say.
            _log.warning("%s: its status cannot be kept: %s", self.function.name, error)

    async def _renew(self) -> None:
        while True:
            await self.sleep(self.lease_s / 2)
            try:
                await self.store.renew(self.function.name)
            except AzureError as error:
                _log.warning("%s: its lease cannot be renewed: %s", self.function.name, error)

    def _zone(self) -> tzinfo:
        return self.now().tzinfo or UTC
