"""One round of exports and trouble, and what must hold when it is over."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tools.chaos.checks import (
    dropped_regions,
    failed_copies,
    foreign_versions,
    second_patches,
    stale_writes,
    unexplained_letters,
    writes_without_a_look,
)
from tools.chaos.exports import Exported, export_all
from tools.chaos.figures import Figures
from tools.chaos.gates import Fate
from tools.chaos.logs import Logs
from tools.chaos.plan import FOREIGN_REGION, Plan
from tools.chaos.settling import Settled, behind_in_arm, settle, silent_instances
from tools.chaos.trouble import Say, Trouble
from tools.chaos.world import World


@dataclass(slots=True, kw_only=True)
class Run:
    """A run of one or more rounds in one world; `problems` are the promises that were broken."""

    world: World
    figures: Figures
    say: Say
    logs: Logs = field(default_factory=Logs)
    problems: list[str] = field(default_factory=list)

    async def round(self, plan: Plan, number: int) -> None:
        """Export, make trouble, end it, and check everything."""
        trouble = Trouble(plan=plan, world=self.world, say=self.say)
        await self.logs.collect(self.world)
        before = max(self.logs.requests, default=0)
        await self.world.control("PUT", "faults", plan.faults())
        async with asyncio.TaskGroup() as group:
            exporting = group.create_task(export_all(plan, self.world.arm_url, round_number=number))
            making = group.create_task(trouble.make())
            group.create_task(self._tell(trouble, making))
        exported = exporting.result()
        await self.world.control("PUT", "faults", [])
        self.say(f"the faults end after {trouble.kills.total()} kills; all must be Completed now")
        await self.logs.collect(self.world)
        self.figures.open_to_faults += sum(
            number > before and one["method"] in ("GET", "PATCH")
            for number, one in self.logs.requests.items()
        )
        settled = await settle(self.world, exported, within_s=plan.settle_within_s, say=self.say)
        await self.logs.collect(self.world)
        self._count(plan, trouble, settled, exported)
        await self._check(settled, exported)
        self.logs.write(self.world.folder / "requests.jsonl")

    async def _tell(self, trouble: Trouble, making: asyncio.Task[None]) -> None:
        """Report what happens and fetch the logs while it does."""
        while not making.done():
            await asyncio.wait({making}, timeout=10)
            await self.logs.collect(self.world)
            self.say(
                f"{trouble.kills.total()} kills, {len(self.logs.requests)} requests to ARM, "
                f"{self.logs.events.total()} events sent"
            )

    async def _check(self, settled: Settled, exported: Sequence[Exported]) -> None:
        log = list(self.logs.requests.values())
        behind = settled.behind(exported)
        self.figures.lost += len(behind)
        letters = settled.letters
        self.figures.letters = Counter(str(letter["code"]) for letter in letters)
        seconds = second_patches(log)
        self.figures.patches, self.figures.explained = seconds.per_version, seconds.explained
        self.figures.unexplained = len(seconds.unexplained)
        self.figures.failed_copies = failed_copies(log).total()
        with_foreign = foreign_versions(log, FOREIGN_REGION)
        self.figures.rivals = len(with_foreign)
        self.figures.stale_writes, would_have_dropped = stale_writes(log)
        self.problems = [
            *behind,
            *await silent_instances(self.world),
            *await behind_in_arm(self.world, exported, with_foreign),
            *dropped_regions(log),
            *would_have_dropped,
            *writes_without_a_look(log),
            *seconds.unexplained,
            *unexplained_letters(letters, log, broken_off=self._broken_off),
        ]

    @property
    def _broken_off(self) -> int:
        return self.figures.kills.total() + self.figures.storage_restarts

    def _count(
        self, plan: Plan, trouble: Trouble, settled: Settled, exported: Sequence[Exported]
    ) -> None:
        figures, gate = self.figures, self.world.gate
        figures.rounds += 1
        figures.exports += plan.exports
        figures.kills += trouble.kills
        figures.storage_restarts += trouble.storage_restarts
        figures.starts_s = list(self.world.instances.start_s)
        figures.refusals, figures.refused_s = gate.refusals, gate.refused_s
        figures.answers_cut = gate.fates[Fate.CUT] + gate.fates[Fate.KILL]
        figures.events = Counter(self.logs.events)
        requests = self.logs.requests.values()
        figures.requests = Counter(_status(one["status"]) for one in requests)
        figures.faults = Counter(str(one["fault"]) for one in requests if "fault" in one)
        figures.replayed += settled.replays
        figures.settle_s.append(settled.took_s)
        created = self.logs.created_at()
        for one in exported:
            finished = settled.records.get(one.key, {}).get("finished_at")
            if finished and one.key in created:
                took = datetime.fromisoformat(finished) - created[one.key]
                figures.to_completed_s.append(took.total_seconds())


def _status(status: Any) -> str:
    return "no answer" if status is None else str(status)
