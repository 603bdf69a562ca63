"""After the faults: wait until every export is Completed, and bring back what ended on the desk."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from azure.data.tables import TableServiceClient

from tools.chaos.exports import Exported
from tools.chaos.instances import PROJECT
from tools.chaos.plan import APP_SETTINGS, HOMES
from tools.chaos.processes import bare_environment
from tools.chaos.trouble import Say
from tools.chaos.world import World

_PAGE = 200
_MOST_REPLAYS = 3
_CLI = "from cli.main import main; main()"


@dataclass(slots=True, kw_only=True)
class Settled:
    """What the app had on record in the end, by the lower-cased id of the version."""

    records: dict[str, Mapping[str, Any]]
    letters: Sequence[Mapping[str, Any]]
    took_s: float
    replays: int = 0

    def behind(self, exported: Sequence[Exported]) -> list[str]:
        """Return a sentence for every export that is not succeeded with all it should have."""
        problems = []
        for one in exported:
            record = self.records.get(one.key)
            if record is None:
                problems.append(f"{one.id} is not on record")
                continue
            states = Counter(region["state"] for region in record["regions"])
            if record["phase"] != "succeeded" or states != {"completed": HOMES[one.home]}:
                problems.append(
                    f"{one.id} is {record['phase']} with {dict(states)}: {record['reason']}"
                )
        return problems


async def settle(
    world: World, exported: Sequence[Exported], *, within_s: float, say: Say
) -> Settled:
    """Wait until all are succeeded and no dead letter is open; replay each that is."""
    began = time.monotonic()
    replays: Counter[str] = Counter()
    while True:
        letters = await dead_letters(world)
        records = await _records(world)
        settled = Settled(
            records=records,
            letters=letters,
            took_s=time.monotonic() - began,
            replays=replays.total(),
        )
        waiting = [str(one["RowKey"]) for one in letters if one["state"] == "open"]
        if not (waiting or settled.behind(exported)) or settled.took_s > within_s:
            return settled
        due = [one for one in waiting if replays[one] < _MOST_REPLAYS]
        if due:
            say(f"replays {len(due)} dead letters")
            await _replay(world, due)
            replays.update(due)
        await asyncio.sleep(1.0)


async def dead_letters(world: World) -> list[dict[str, Any]]:
    """Return all that lies on the desk, open or not."""
    return await asyncio.to_thread(_letters, world.storage)


async def behind_in_arm(
    world: World, exported: Sequence[Exported], with_foreign: Collection[str]
) -> list[str]:
    """Return a sentence for every version whose list or copies are not what they should be."""
    problems = []
    for one in exported:
        properties = (await world.version(one.id))["properties"]
        listed = [entry["name"] for entry in properties["publishingProfile"]["targetRegions"]]
        states = Counter(entry["state"] for entry in properties["replicationStatus"]["summary"])
        expected = HOMES[one.home] + 1 + (one.key in with_foreign)
        if len(set(listed)) != expected or states != {"Completed": expected}:
            problems.append(f"{one.id} in ARM: {dict(states)} of {expected}, listed {listed}")
    return problems


async def silent_instances(world: World) -> list[str]:
    """Return a sentence for every instance that does not answer, and for those that fell before."""
    problems = list(world.instances.fell)
    for slot in world.instances.slots:
        try:
            async with world.http.get(f"{slot.url}/api/v1/health") as answer:
                if answer.status != HTTPStatus.OK:
                    problems.append(f"instance {slot.number} is not well: {await answer.text()}")
        except (aiohttp.ClientError, TimeoutError) as error:
            problems.append(f"instance {slot.number} does not answer: {error}")
    return problems


async def _records(world: World) -> dict[str, Mapping[str, Any]]:
    records: dict[str, Mapping[str, Any]] = {}
    path = f"/api/v1/replications?limit={_PAGE}"
    cursor = None
    while True:
        page = await world.api(path + (f"&cursor={cursor}" if cursor else ""))
        records |= {one["image_version_id"].lower(): one for one in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return records


async def _replay(world: World, letter_ids: Sequence[str]) -> None:
    """Do what an operator does: replay the letters from the desk by the command line."""
    settings = {
        **APP_SETTINGS,
        "AzureWebJobsStorage": world.storage,
        "AZURE_RESOURCE_MANAGER_URL": world.arm_url,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CLI, "dead-letters", "replay", *letter_ids),
        env={**bare_environment(), **settings},
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise AssertionError(f"the replay of {', '.join(letter_ids)} failed: {said.decode()}")


def _letters(storage: str) -> list[dict[str, Any]]:
    with TableServiceClient.from_connection_string(storage) as service:
        if "deadletters" not in {table.name for table in service.list_tables()}:
            return []
        with service.get_table_client("deadletters") as table:
            return [dict(row) for row in table.list_entities()]
