"""Exports through real queue listeners over a queue service that fails on order.

The host's listeners and its client are those of the local host, on a clock that leaps; another host
follows one that a fault ended, as the platform does, and Event Grid tries again what found nobody.
"""

import asyncio
import base64
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bootstrap import use
from localcloud.functions.backoff import PollingBackoff
from localcloud.functions.catalog import QueueTrigger, ServedFunction
from localcloud.functions.config import load_host_config
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_listener import QueueListener
from localcloud.functions.queue_ports import QueueServiceError
from localcloud.functions.storage_queues import Account, StorageQueues
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase
from tests.support.builders import version_body, version_id, written_event
from tests.support.documents import PROJECT
from tests.support.fakes import World, build_world
from tests.support.localcloud.queue_service import Fault, MemoryQueueService
from tests.support.queue_functions import queue_functions, succeeds
from tests.support.virtual_time import run_in_virtual_time

# The id of the message that is sent first.
FIRST = "m0"
_OPTIONS = load_host_config(PROJECT, development=False).queues
_ACCOUNT = Account(name="a", key=b"key", endpoint="http://storage/a")
_START_S = 5.0
_STOPPING_TAKES_S = 30.0
_STOP_WITHIN_S = 10.0
_SWEEP_EVERY_S = 900.0
_LATEST_S = 6 * 3600.0
_DELIVERIES_S = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)


@dataclass(kw_only=True)
class Exports:
    """Exports, one each `every_s` seconds, and what became of them.

    The storage is away from `away[0]` for `away[1]` seconds; the first host is told to stop at
    `stop_s`; the queue `missing` is not there at the beginning. A function takes `takes_s`, or
    `slow_s` for the message FIRST, with its work in the middle; of that one it dies as often as
    `deaths` says.
    """

    count: int = 20
    every_s: float = 3.0
    away: tuple[float, float] | None = None
    faults: Sequence[Fault] = ()
    deaths: int = 0
    takes_s: float = 2.0
    slow_s: float = takes_s
    stop_s: float | None = None
    missing: str | None = None
    world: World = field(default_factory=build_world)
    service: MemoryQueueService = field(default_factory=MemoryQueueService)
    ends: list[str] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    done_s: dict[str, float] = field(default_factory=dict)
    _chance: random.Random = field(default_factory=partial(random.Random, 1))
    _serves: bool = False
    _seen: dict[str, tuple[str, int]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.service.faults = list(self.faults)
        self.ids = [version_id(image=f"image-{number}") for number in range(self.count)]
        self._began = self.world.clock()

    def run(self) -> None:
        """Export, and go on until all are done and nothing waits, or for hours."""
        with use(self.world.app):
            run_in_virtual_time(self._run())

    @property
    def all_done(self) -> bool:
        """Tell whether every export has succeeded."""
        return len(self.done_s) == self.count

    @property
    def durations_s(self) -> list[float]:
        """Return how long each export took from its event to its end."""
        order = {one.key: number for number, one in enumerate(self.ids)}
        return [at_s - order[key] * self.every_s for key, at_s in self.done_s.items()]

    @property
    def came_again(self) -> int:
        """Return how many messages a function was called for more than once."""
        return sum(count > 1 for count in self.calls.values())

    @property
    def faults_met(self) -> int:
        """Return how many requests met a fault."""
        return sum(asked.injected for asked in self.service.asked)

    async def _run(self) -> None:
        for _, trigger in queue_functions():
            if trigger.queue != self.missing:
                self.service.queues[trigger.queue] = []
        parts: list[Coroutine[Any, Any, None]] = [
            self._platform(),
            self._storage(),
            self._sweeps(),
            *self._exporting(),
        ]
        world = [asyncio.create_task(part) for part in parts]
        while asyncio.get_running_loop().time() < _LATEST_S and not world[0].done():
            await asyncio.sleep(1)
            self.left = {
                queue: len(alive)
                for queue in self.service.queues
                if (alive := self.service.alive(queue))
            }
            if self.all_done and not self.left:
                break
        for task in world:
            task.cancel()
        for ended in await asyncio.gather(*world, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _storage(self) -> None:
        if self.away:
            from_s, for_s = self.away
            await asyncio.sleep(from_s)
            self.service.refuses = True
            await asyncio.sleep(for_s)
            self.service.refuses = False

    async def _sweeps(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_EVERY_S)
            if self._serves:
                self._at_work(self.world.app.sweep.run)

    def _exporting(self) -> list[Coroutine[Any, Any, None]]:
        return [
            self._export(one, at_s=number * self.every_s) for number, one in enumerate(self.ids)
        ]

    async def _export(self, one: ImageVersionId, *, at_s: float) -> None:
        await asyncio.sleep(at_s)
        self.world.gallery.add(one, version_body())
        event = written_event(one, at=self._now())
        for wait_s in _DELIVERIES_S:
            if self._serves and self._at_work(
                lambda: self.world.app.intake.receive(event, {}) is not None
            ):
                return
            await asyncio.sleep(wait_s)

    async def _platform(self) -> None:
        while True:
            self.ends.append(await self._host())
            await asyncio.sleep(_START_S)

    async def _stop(self) -> None:
        """Tell the first host to stop: it shuts its port, and goes on taking messages."""
        if self.stop_s is None or self.ends:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(self.stop_s)
            self._serves = False
            await asyncio.sleep(_STOPPING_TAKES_S)

    async def _host(self) -> str:
        """Run a host until a fault or a stop ends it; return which."""
        before = asyncio.all_tasks()
        listeners = [
            QueueListener(
                queue=trigger.queue,
                service=StorageQueues(
                    _ACCOUNT, exchange=self.service, uniform=self._chance.uniform
                ),
                options=_OPTIONS,
                backoff=PollingBackoff(maximum_s=_OPTIONS.max_polling_interval_s, rng=self._chance),
                invoke=self._invoke(one, trigger),
            )
            for one, trigger in queue_functions()
        ]
        polling = [asyncio.create_task(listener.run()) for listener in listeners]
        polling.append(asyncio.create_task(self._stop()))
        self._serves = True
        try:
            ended, _ = await asyncio.wait(polling, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._serves = False
            for task in polling:
                task.cancel()
        await asyncio.gather(*polling, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_WITHIN_S):
                await asyncio.gather(*(listener.drain() for listener in listeners))
        # The process ends, and all that is under way in it.
        for task in asyncio.all_tasks() - before:
            task.cancel()
        error = ended.pop().exception()
        assert error is None or isinstance(error, QueueServiceError), error
        return str(error or "stopped")

    def _invoke(
        self, one: ServedFunction, trigger: QueueTrigger
    ) -> Callable[[QueueMessage, bytes], Awaitable[bool]]:
        async def invoke(message: QueueMessage, body: bytes) -> bool:
            self.calls[one.name, message.message_id] += 1
            is_first = message.message_id == FIRST
            takes_s = self.slow_s if is_first else self.takes_s
            await asyncio.sleep(takes_s / 2)
            if is_first and self.deaths:
                self.deaths -= 1
                return False
            done = self._at_work(lambda: succeeds(one, trigger, message, body))
            await asyncio.sleep(takes_s / 2)
            return done

        return invoke

    def _now(self) -> datetime:
        return self._began + timedelta(seconds=asyncio.get_running_loop().time())

    def _at_work(self, work: Callable[[], object]) -> bool:
        """Do a piece of the app's work now, and send what it sends; tell whether it was done.

        The app has no other storage than the host, so that nothing is done while that is away.
        """
        if self.service.refuses:
            return False
        self.world.clock.now = self._now()
        done = bool(work())
        waiting, self.world.queues.waiting[:] = list(self.world.queues.waiting), []
        for due, _, queue, body in waiting:
            self.service.put(queue.value, base64.b64encode(body.encode()).decode())
            self.service.queues[queue.value][-1].visible_s = (due - self._began).total_seconds()
        for key, row in self.world.store.rows.items():
            if self._seen.get(key) != row:
                self._seen[key] = row
                stored = self.world.store.load(key)
                if stored is not None and stored.job.phase is Phase.SUCCEEDED:
                    self.done_s.setdefault(key, asyncio.get_running_loop().time())
        return done
