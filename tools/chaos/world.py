"""All the parts of a run, started and stopped together."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from localcloud.parts import free_port_block
from localcloud.storage import storage_connection_string
from tools.chaos.checks import NOT_THE_APP
from tools.chaos.gates import ArmGate, Relay, event_gate
from tools.chaos.instances import Instances, Slot
from tools.chaos.plan import APP_SETTINGS, SWEEP_EVERY_S, Plan
from tools.chaos.processes import Child, start_child, start_storage

_WEBHOOK = "/runtime/webhooks/eventgrid?functionName=image_version_event"
_ANSWER_WITHIN_S = 30.0
_QUERY = f"api-version=2026-03-03&$expand=ReplicationStatus&{NOT_THE_APP}=true"
_TRIES = 20


@dataclass(slots=True, kw_only=True)
class World:
    """The running parts, and how to talk to them."""

    folder: Path
    storage_port: int
    storage_part: Child
    arm_url: str
    gate: ArmGate
    events: Relay
    instances: Instances
    http: aiohttp.ClientSession

    @property
    def storage(self) -> str:
        """Return the connection string."""
        return storage_connection_string(self.storage_port)

    async def restart_storage(self, pause_s: float) -> None:
        """Stop the storage and start it again with its data, on the same ports."""
        await self.storage_part.stop()
        await asyncio.sleep(pause_s)
        self.storage_part = await start_storage(
            self.folder, self.storage_port, self.folder / "storage.log"
        )

    async def stop_storage(self) -> None:
        """Stop the storage that runs now."""
        await self.storage_part.stop()

    async def control(self, method: str, call: str, body: object = None) -> Any:
        """Ask ARM for what only a simulator can do."""
        url = f"{self.arm_url}/_localcloud/{call}"
        async with self.http.request(method, url, json=body) as answer:
            if answer.status != 200:
                raise AssertionError(f"{method} {call}: {await answer.text()}")
            return await answer.json()

    async def version(self, version_id: str) -> Any:
        """Read an image version from ARM itself, past the gate."""
        async with self.http.get(f"{self.arm_url}{version_id}?{_QUERY}") as answer:
            answer.raise_for_status()
            return await answer.json()

    async def add_region(self, version_id: str, region: str) -> None:
        """Add a region as a rival of the app would, past the gate, unless ARM will not."""
        for _ in range(_TRIES):
            with contextlib.suppress(aiohttp.ClientError):
                body = await self.version(version_id)
                targets = body["properties"]["publishingProfile"]["targetRegions"]
                names = {"".join(one["name"].lower().split()) for one in targets}
                if region in names:
                    return
                profile = {"targetRegions": [*targets, {"name": region}]}
                async with self.http.patch(
                    f"{self.arm_url}{version_id}?{_QUERY}",
                    json={"properties": {"publishingProfile": profile, "storageProfile": {}}},
                ) as answer:
                    answer.raise_for_status()

    async def api(self, path: str, *, within_s: float = 20.0) -> Any:
        """Read from the app's API, from whichever instance answers."""
        deadline = time.monotonic() + within_s
        while True:
            for slot in self.instances.slots:
                try:
                    async with self.http.get(f"{slot.url}{path}") as answer:
                        if answer.status == 200:
                            return await answer.json()
                        said = await answer.text()
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    said = str(error)
                if time.monotonic() > deadline:
                    raise AssertionError(f"GET {path}: no instance answers: {said}")
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_world(plan: Plan, folder: Path) -> AsyncIterator[World]:
    """Start everything, and stop everything that started, however this ends."""
    count = plan.instances
    storage_port = free_port_block(4 + 2 * count)
    event_port = storage_port + 3
    gate_ports = range(event_port + 1, event_port + 1 + count)
    app_ports = range(gate_ports.stop, gate_ports.stop + count)
    storage = storage_connection_string(storage_port)
    slots = tuple(
        Slot(number=number, port=app_port, settings=_settings(storage, gate_port, number, count))
        for number, (app_port, gate_port) in enumerate(zip(app_ports, gate_ports, strict=True))
    )
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S))
        )
        arm_options = ("arm", "--port", "0", "--time-scale", f"{plan.time_scale:g}")
        arm = await start_child("arm", "localcloud", *arm_options, log=folder / "arm.log")
        stack.push_async_callback(arm.stop)
        storage_part = await start_storage(folder, storage_port, folder / "storage.log")
        gate = ArmGate.on(gate_ports, int(str(arm.ready["arm"]).rsplit(":", 1)[-1]))
        stack.push_async_callback(gate.close)
        await gate.open()
        events = event_gate(event_port, app_ports, plan.chance("deliveries"))
        stack.push_async_callback(events.close)
        await events.open()
        instances = await Instances.prepare(slots, folder)
        stack.push_async_callback(instances.stop)
        world = World(
            folder=folder,
            storage_port=storage_port,
            storage_part=storage_part,
            arm_url=str(arm.ready["arm"]),
            gate=gate,
            events=events,
            instances=instances,
            http=http,
        )
        # The one that runs at the end: a run restarts it.
        stack.push_async_callback(world.stop_storage)
        await asyncio.gather(*(instances.start(slot) for slot in slots))
        await world.control(
            "PUT",
            "events",
            {
                "url": f"http://127.0.0.1:{event_port}{_WEBHOOK}",
                "duplicate": 1,
                "shuffle": True,
                "seed": plan.chance("events").randrange(2**32),
            },
        )
        yield world


def _settings(storage: str, gate_port: int, number: int, count: int) -> dict[str, str]:
    # Every instance sweeps in turn, as the real host's timer runs on one of them at a time.
    offset_s = number * SWEEP_EVERY_S // count
    return {
        **APP_SETTINGS,
        "AzureWebJobsStorage": storage,
        "AZURE_RESOURCE_MANAGER_URL": f"http://127.0.0.1:{gate_port}",
        "SWEEP_SCHEDULE": f"{offset_s}/{SWEEP_EVERY_S} * * * * *",
    }
