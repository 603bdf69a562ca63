"""Timers of the local host, played on a clock that leaps, on a storage in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from localcloud.functions.catalog import ServedFunction, TimerTrigger, build_catalog
from localcloud.functions.errors import HostStartError
from localcloud.functions.timers.listener import Timer
from localcloud.functions.timers.monitor import ScheduleStatus
from localcloud.functions.worker import IndexedFunction, Payload, Returned
from tests.support.virtual_time import run_in_virtual_time


@dataclass
class MemoryTimerStore:
    """Statuses and leases in memory, shared by hosts; `told` hears of what is written."""

    statuses: dict[str, str] = field(default_factory=dict)
    leases: dict[str, tuple[str, float]] = field(default_factory=dict)


@dataclass
class HostStore:
    """The store as one host sees it."""

    shared: MemoryTimerStore
    host: str
    told: list[tuple[str, float, str]]

    async def read(self, name: str) -> str:
        return self.shared.statuses.get(name, "")

    async def write(self, name: str, status: ScheduleStatus) -> None:
        document = status.document()
        self.shared.statuses[name] = _json(document)
        self.told.append(("status", asyncio.get_running_loop().time(), _json(document)))

    async def acquire(self, name: str, lease_s: float) -> bool:
        now_s = asyncio.get_running_loop().time()
        holder, until_s = self.shared.leases.get(name, ("", 0.0))
        if holder not in ("", self.host) and until_s > now_s:
            return False
        self.shared.leases[name] = (self.host, now_s + lease_s)
        return True

    async def renew(self, name: str) -> None:
        self.shared.leases[name] = (self.host, asyncio.get_running_loop().time() + 60)

    async def release(self, name: str) -> None:
        self.shared.leases.pop(name, None)


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One thing that happened, `at_s` after the start, in which host and function."""

    what: str
    at_s: float
    text: str = ""
    host: str = "A"
    function: str = "sweep"


@dataclass(kw_only=True)
class Play:
    """One scenario: `given` as recorded, begun at a moment of the clock on the wall."""

    given: Mapping[str, Any]
    start: datetime
    zone: tzinfo = UTC
    happened: list[Happening] = field(default_factory=list)
    served: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Play it to its end."""
        run_in_virtual_time(self._run())

    async def _run(self) -> None:
        shared = MemoryTimerStore()
        if "status_before" in self.given:
            shared.statuses["sweep"] = self.given["status_before"]
        hosts = ["A", "B"][: self.given.get("hosts", 1)]
        tasks: dict[str, list[asyncio.Task[None]]] = {}
        for host in hosts:
            timers = self._timers(shared, host)
            tasks[host] = [asyncio.ensure_future(timer.run()) for timer in timers]
            await asyncio.sleep(0)
            if len(hosts) == 1:
                for after_s in self.given.get("by_hand_s", ()):
                    tasks[host].append(asyncio.ensure_future(_by_hand(timers[0], after_s)))
        if len(hosts) > 1:
            await asyncio.sleep(self.given["ends_s"])
            held = dict(shared.leases)
            await _end(tasks["A"])
            if self.given["kills"]:
                shared.leases.update(held)
            await asyncio.sleep(130)
        else:
            # It counts from when the host has started, and that waits for a run at the start.
            at_start_s = self.given.get("work_s", 0) if self.given.get("run_on_startup") else 0
            await asyncio.sleep(self.given.get("run_s", 5) + at_start_s)
        # What ends now ends beyond what was recorded.
        frozen = list(self.happened)
        for running in tasks.values():
            await _end(running)
        self.happened = frozen

    def _timers(self, shared: MemoryTimerStore, host: str) -> list[Timer]:
        told = _Told(self, host)
        timers = []
        for function in self._functions():
            trigger = function.trigger
            assert isinstance(trigger, TimerTrigger)
            self.served.append(function.name)
            timers.append(
                Timer(
                    function=function,
                    trigger=trigger,
                    invoke=_Invoked(self, host),
                    store=HostStore(shared, host, told),
                    now=self._now,
                )
            )
        return timers

    def _functions(self) -> Sequence[ServedFunction]:
        given = self.given
        schedules = {"sweep": given["schedule"]}
        if given.get("partial"):
            schedules["other"] = "*/2 * * * * *"
        elif given.get("two"):
            schedules["other"] = given["schedule"]
        indexed = [
            IndexedFunction(
                name=name,
                function_id=name,
                bindings=[
                    {
                        "type": "timerTrigger",
                        "name": "timer",
                        "schedule": schedule,
                        "runOnStartup": given.get("run_on_startup", False),
                        "useMonitor": given.get("use_monitor", True),
                    }
                ],
            )
            for name, schedule in sorted(schedules.items())
        ]
        try:
            return build_catalog(indexed, {}, route_prefix="").started
        except HostStartError:
            return []

    def _now(self) -> datetime:
        passed = timedelta(seconds=asyncio.get_running_loop().time())
        return (self.start + passed).astimezone(self.zone)


class _Told(list[tuple[str, float, str]]):
    """A list that hands on to the play what is put into it."""

    def __init__(self, play: Play, host: str) -> None:
        super().__init__()
        self._play, self._host = play, host

    def append(self, told: tuple[str, float, str]) -> None:
        what, at_s, text = told
        self._play.happened.append(Happening(what=what, at_s=at_s, text=text, host=self._host))


@dataclass
class _Invoked:
    play: Play
    host: str

    async def __call__(self, function: ServedFunction, payload: Payload) -> Returned:
        loop = asyncio.get_running_loop()
        self._tell("call", function, loop.time(), str(payload.value[1]))
        work_s = self.play.given.get("work_s", 0)
        await asyncio.sleep(work_s)
        if work_s:
            self._tell("end", function, loop.time())
        fails = self.play.given.get("throws", False)
        return Returned(ok=not fails, error="told to fail" if fails else "")

    def _tell(self, what: str, function: ServedFunction, at_s: float, text: str = "") -> None:
        self.play.happened.append(
            Happening(what=what, at_s=at_s, text=text, host=self.host, function=function.name)
        )


async def _by_hand(timer: Timer, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await timer.fire()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _json(document: Mapping[str, str]) -> str:
    pairs = ",".join(f'"{name}":"{value}"' for name, value in document.items())
    return f"{{{pairs}}}"
