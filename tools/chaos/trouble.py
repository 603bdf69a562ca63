"""What goes wrong on purpose beside ARM's own faults: kills, a storage that restarts, no ARM."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tools.chaos.gates import Fate
from tools.chaos.instances import Slot
from tools.chaos.plan import FOREIGN_REGION, Plan
from tools.chaos.world import World

type Say = Callable[[str], None]

_LONGEST_GAP_S = 0.5


@dataclass(slots=True, kw_only=True)
class Trouble:
    """Makes the plan's trouble for one round; `kills` counts by what the moment was."""

    plan: Plan
    world: World
    say: Say
    kills: Counter[str] = field(default_factory=Counter)
    storage_restarts: int = 0
    _restarting: set[asyncio.Task[None]] = field(default_factory=set)

    async def make(self) -> None:
        """Go on for the plan's time, and longer until it has seen all its kills."""
        self.world.gate.decide = self._decide(self.plan.chance("answers"))
        self.world.gate.before_patch = self._rival(self.plan.chance("rivals"))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._kill_at_random())
                group.create_task(self._restart_storage())
                group.create_task(self._refuse_arm())
        finally:
            self.world.gate.decide = self.world.gate.before_patch = None
        while self._restarting:
            await asyncio.gather(*self._restarting)

    async def _kill_at_random(self) -> None:
        chance = self.plan.chance("kills")
        pause_s = self.plan.trouble_s / self.plan.kills
        end = time.monotonic() + self.plan.trouble_s
        while time.monotonic() < end or self.kills.total() < self.plan.kills:
            await asyncio.sleep(min(4 * pause_s, chance.expovariate(1 / pause_s)))
            slot = chance.choice(self.world.instances.slots)
            await self._kill(slot, "at a random moment", chance.uniform(0, _LONGEST_GAP_S))

    async def _kill(self, slot: Slot, moment: str, gap_s: float) -> None:
        async with slot.turn:
            if not await self.world.instances.kill(slot):
                return
            self.kills[moment] += 1
            await asyncio.sleep(gap_s)
            await self.world.instances.start(slot)

    async def _restart_storage(self) -> None:
        chance = self.plan.chance("storage")
        began = time.monotonic()
        for at_s in self.moments(chance, self.plan.storage_restarts, self.plan.trouble_s):
            await asyncio.sleep(began + at_s - time.monotonic())
            await self.world.restart_storage(chance.uniform(0.2, 1.5))
            self.storage_restarts += 1
            self.say("the storage was stopped and is back with its data")

    async def _refuse_arm(self) -> None:
        spans = self.plan.refusals_s
        began = time.monotonic()
        moments = self.moments(self.plan.chance("refusals"), len(spans), self.plan.trouble_s)
        for at_s, for_s in zip(moments, spans, strict=True):
            # A long one must find its end within the trouble.
            begin_s = min(at_s, self.plan.trouble_s - for_s)
            await asyncio.sleep(began + begin_s - time.monotonic())
            self.say(f"ARM refuses connections for {for_s:.0f} s")
            await self.world.gate.refuse(for_s)

    @staticmethod
    def moments(chance: random.Random, count: int, over_s: float) -> list[float]:
        """Return `count` moments, one somewhere within each equal part of the time."""
        part_s = over_s / max(1, count)
        return [part_s * (number + chance.uniform(0.1, 0.7)) for number in range(count)]

    def _rival(self, chance: random.Random) -> Callable[[str], Awaitable[None]]:
        """Return what comes between the app's look at a version and its write."""
        judged = set[str]()

        async def rival(version_id: str) -> None:
            key = version_id.lower()
            if key in judged:
                return
            judged.add(key)
            if chance.random() < self.plan.rivals:
                await self.world.add_region(version_id, FOREIGN_REGION)

        return rival

    def _decide(self, chance: random.Random) -> Callable[[int, str], Fate]:
        """Return what strikes between ARM's acceptance of a write and the app's record of it."""

        def decide(number: int, _path: str) -> Fate:
            if chance.random() >= self.plan.cut_short:
                return Fate.PASS
            if chance.random() < 0.5:
                return Fate.CUT
            slot = self.world.instances.slots[number]
            kill = self._kill(slot, "after a write was accepted", chance.uniform(0, _LONGEST_GAP_S))
            task = asyncio.create_task(kill)
            self._restarting.add(task)
            task.add_done_callback(self._restarting.discard)
            return Fate.KILL

        return decide
