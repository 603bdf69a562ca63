"""Runs functions in the worker, ends those that run too long, and logs one line for each call.

The real host has a worker process and kills it with all that runs in it. Here a function of a dead
worker is broken off where it stands, and what it did or still does is not heard of.
"""

import asyncio
import logging
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

from localcloud.functions.catalog import ServedFunction
from localcloud.functions.worker import IndexedFunction, Payload, Returned

_log = logging.getLogger("localcloud.functions")

# How long after its time is over a function may still end by itself.
KILL_AFTER_S = 2.0
# How long the real host then takes to answer, although the new worker is there at once.
RESTART_S = 10.0


class Worker(Protocol):
    """What the invoker needs of the worker."""

    async def invoke(
        self, function: IndexedFunction, payload: Payload, *, invocation_id: str | None = None
    ) -> Returned: ...

    def renew(self) -> None:
        """End all that runs, and take calls again."""
        ...


@dataclass(slots=True, eq=False)
class _Life:
    """One life of the worker: what runs in it dies with it, and nobody is told."""

    works: dict[asyncio.Future[Returned], str] = field(default_factory=dict)
    is_over: bool = False


class Invoker:
    """Counts what is running, so that a stop can wait for it; no `timeout_s` means no limit."""

    def __init__(self, worker: Worker, timeout_s: float | None = None) -> None:
        self._worker = worker
        self._timeout_s = timeout_s
        self._life = _Life()
        self._killed: list[str] = []
        self._running: dict[str, str] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def function_of(self, invocation_id: str) -> str | None:
        """Name the function of an invocation that runs."""
        return self._running.get(invocation_id)

    async def invoke(self, function: ServedFunction, payload: Payload) -> Returned:
        """Run a function to its end, or to that of its time, and log how it went."""
        invocation_id = str(uuid.uuid4())
        label = f"{function.name} {invocation_id}"
        clock = asyncio.get_running_loop().time
        started = clock()
        self._running[invocation_id] = function.name
        self._idle.clear()
        try:
            work = asyncio.ensure_future(
                self._worker.invoke(function.indexed, payload, invocation_id=invocation_id)
            )
            returned = await self._result(work, label)
        finally:
            del self._running[invocation_id]
            if not self._running:
                self._idle.set()
        elapsed_ms = (clock() - started) * 1000
        if returned.ok:
            _log.info("%s succeeded in %.0f ms", label, elapsed_ms)
        else:
            _log.error("%s failed in %.0f ms: %s", label, elapsed_ms, returned.error)
        return returned

    async def drain(self) -> None:
        """Wait until every call is answered."""
        await self._idle.wait()

    def left_running(self) -> list[str]:
        """Name the functions that run on, those included of which nobody hears any more."""
        return sorted([*self._life.works.values(), *self._killed])

    async def _result(self, work: asyncio.Future[Returned], label: str) -> Returned:
        life = self._life
        life.works[work] = label
        work.add_done_callback(life.works.pop)
        if await _ends(work, life, self._timeout_s):
            return work.result()
        sentence = f"functionTimeout of {self._timeout_s:g} s exceeded"
        _log.error("%s: %s", label, sentence)
        if not await _ends(work, life, KILL_AFTER_S) and not life.is_over:
            _log.warning("%s runs on: the worker is killed with all that runs in it", label)
            life.is_over = True
            self._life = _Life()
            self._killed += life.works.values()
            for other in tuple(life.works):
                other.cancel()
            self._worker.renew()
            await asyncio.sleep(RESTART_S)
        return Returned(ok=False, error=sentence)


async def _ends(work: asyncio.Future[Returned], life: _Life, within_s: float | None) -> bool:
    """Wait for a function's end; of one in a worker that is dead the whole time is waited out."""
    limit = asyncio.ensure_future(_pass(within_s))
    try:
        waits: set[asyncio.Future[Any]] = {work, limit}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if work.done() and not life.is_over:
            return True
        await limit
    finally:
        limit.cancel()
    return False


async def _pass(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.get_running_loop().create_future()
    else:
        await asyncio.sleep(seconds)
