"""Asynchronous operations: what they answer, and the moment they end."""

import asyncio
import heapq
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.arm.clock import SimulatedClock
from localcloud.arm.errors import ArmError
from localcloud.arm.event_bodies import Change

RETRY_AFTER_S = 60
_KEPT = 50_000


@dataclass(slots=True, kw_only=True)
class Operation:
    """One asynchronous operation.

    `due` gives the simulated time of its end, infinite for none in sight, and the regions that
    will have failed. A `quiet` one sends no event at its end.
    """

    subscription: str
    location: str
    change: Change
    due: Callable[[], tuple[float, list[str]]]
    name: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    failed_regions: list[str] = field(default_factory=list)
    quiet: bool = False

    def body(self) -> dict[str, Any]:
        """Return what a poll answers."""
        body: dict[str, Any] = {"startTime": _seven_digits(self.started)}
        if self.ended is None:
            return {**body, "status": "InProgress", "name": self.name}
        body["endTime"] = _seven_digits(self.ended)
        if not self.failed_regions:
            return {**body, "status": "Succeeded", "name": self.name}
        failing = ",".join(
            f"{{region:{name}, detail:Failed with internal server error.}}"
            for name in self.failed_regions
        )
        error = {
            "code": "CrpPirReplicationJobsNotCompleted",
            "message": "Gallery replication jobs failed in one or more regions. The failing "
            f"regions' details are as follows: '{failing}'. If retry does not work, then please "
            "do an update by removing the failed regions and update again by adding them back.",
        }
        return {**body, "status": "Failed", "error": error, "name": self.name}


@dataclass(slots=True)
class Operations:
    """All operations; `on_end` is told each one once, when it ends."""

    clock: SimulatedClock
    on_end: Callable[[Operation], None]
    _all: OrderedDict[str, Operation] = field(default_factory=OrderedDict)
    _open: dict[str, list[Operation]] = field(default_factory=dict)
    _deadlines: list[tuple[float, str]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, operation: Operation) -> Operation:
        """Keep an operation, and look at it again when it is due."""
        self._all[operation.name] = operation
        while len(self._all) > _KEPT:
            self._all.popitem(last=False)
        key = operation.change.resource_id.lower()
        self._open.setdefault(key, []).append(operation)
        self._look_again(key)
        return operation

    def get(self, subscription: str, name: str) -> Operation:
        """Return an operation, ended if its time has come; raises ArmError 404."""
        found = self._all.get(name.lower())
        if found is None or found.subscription != subscription:
            raise ArmError(404, "NotFound", f"The operation '{name[:80]}' was not found.")
        if found.ended is None and found.due()[0] <= self.clock.now():
            self._look_again(found.change.resource_id.lower())
        return found

    def poke(self) -> None:
        """Look at the clock again: its speed has changed."""
        self._wake.set()

    async def watch(self) -> None:
        """End operations as their time comes, until cancelled."""
        while True:
            self._wake.clear()
            now = self.clock.now()
            while self._deadlines and self._deadlines[0][0] <= now:
                self._look_again(heapq.heappop(self._deadlines)[1])
            wait_s = self.clock.real_s(self._deadlines[0][0] - now) if self._deadlines else None
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _look_again(self, key: str) -> None:
        """End what is done on a resource, and set the next look for the rest."""
        now, later = self.clock.now(), float("inf")
        waiting = []
        for operation in self._open.pop(key, []):
            due_at, failed = operation.due()
            if due_at > now:
                waiting.append(operation)
                later = min(later, due_at)
                continue
            operation.ended, operation.failed_regions = datetime.now(UTC), failed
            self.on_end(operation)
        if waiting:
            self._open[key] = waiting
        if later < float("inf"):
            heapq.heappush(self._deadlines, (later, key))
            self._wake.set()


def _seven_digits(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+00:00"
