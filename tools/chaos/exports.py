"""Labs that export their templates, all within a short while, and try again where ARM refuses."""

import asyncio
import random
from dataclasses import dataclass

from localcloud.lab_export import ExportRefusedError, export_image
from tools.chaos.plan import HOMES, Plan

_AT_ONCE = 8
_TRIES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An image version that ARM accepted."""

    id: str
    home: str

    @property
    def key(self) -> str:
        return self.id.lower()


async def export_all(plan: Plan, arm_url: str, *, round_number: int) -> list[Exported]:
    """Export one version of every image, spread over the plan's time, whatever ARM answers."""
    chance, homes = plan.chance("exports"), list(HOMES)
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def export(number: int, wait_s: float) -> Exported:
        await asyncio.sleep(wait_s)
        home = homes[number % len(homes)]
        async with at_once:
            return await _export(
                arm_url,
                image=f"image-{number}",
                version=f"1.0.{round_number}",
                home=home,
                chance=chance,
            )

    # The first ones make the galleries; all at once would be throttled for that.
    first = [await export(number, 0.0) for number in range(len(homes))]
    waits = [chance.uniform(0, plan.export_over_s) for _ in range(len(homes), plan.exports)]
    rest = asyncio.gather(
        *(export(number, wait_s) for number, wait_s in enumerate(waits, len(homes)))
    )
    return [*first, *await rest]


async def _export(
    arm_url: str, *, image: str, version: str, home: str, chance: random.Random
) -> Exported:
    for last in range(_TRIES - 1, -1, -1):
        try:
            exported = await export_image(
                arm_url=arm_url,
                image=image,
                version=version,
                region=home,
                size_gb=30,
                gallery=f"gallery_{home}",
            )
        except ExportRefusedError:
            if not last:
                raise
            await asyncio.sleep(chance.uniform(0.05, 0.2))
        else:
            return Exported(id=exported.id, home=home)
    raise AssertionError("unreachable")
