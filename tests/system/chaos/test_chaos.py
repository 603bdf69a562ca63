"""The app survives kills, a storage that restarts, an ARM that fails, refuses and forgets."""

import asyncio
import sys
from pathlib import Path

import pytest

from tools.chaos.figures import Figures
from tools.chaos.plan import Plan
from tools.chaos.run import Run
from tools.chaos.world import running_world

SEED = 7


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


async def one_round(plan: Plan, folder: Path) -> Run:
    async with running_world(plan, folder) as world:
        run = Run(world=world, figures=Figures(seed=plan.seed), say=say)
        await run.round(plan, 1)
        return run


@pytest.mark.timeout(240)
def test_nothing_is_lost_whatever_breaks(tmp_path: Path) -> None:
    plan = Plan.short(SEED)
    run = asyncio.run(one_round(plan, tmp_path))
    figures = run.figures
    say(figures.table())
    assert run.problems == [], f"requests.jsonl and the logs are in {tmp_path}"
    assert figures.exports == 150
    assert figures.kills.total() >= 30
    assert figures.storage_restarts == 2
    assert figures.refusals == 1
    assert 0.15 < figures.faults.total() / figures.open_to_faults < 0.25
