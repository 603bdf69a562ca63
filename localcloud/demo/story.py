"""The story that the demo tells, step by step."""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from localcloud.arm.server import DEFAULT_SUBSCRIPTION_ID
from localcloud.demo.screen import Screen
from localcloud.lab_export import (
    API_VERSION,
    DEFAULT_GALLERY,
    DEFAULT_RESOURCE_GROUP,
    GROUPS_API_VERSION,
    ExportedVersion,
    export_image,
)
from localcloud.price_reading import PricesNotReadError, read_prices

TIME_SCALE = 100
IMAGE = "biology-101"
HOME = "eastus"
SIZE_GB = 127
_DEADLINE_S = 240
_LOOK_S = 0.5
_SECOND_EXPORT_AT_PERCENT = 25
_START_S = 90
_DONE = "completed"
# Set in every container of a cluster; with it `up` asks for keys.
_CLUSTER = "KUBERNETES_SERVICE_HOST"
_ENDS = ("succeeded", "partial", "skipped", "superseded", "failed", "cancelled")


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    arm: str
    functions: str
    storage: str
    log: Path


async def run_demo() -> int:
    """Tell the story; returns 0 only when every planned replica is Completed."""
    screen = Screen()
    started = time.monotonic()
    try:
        screen.step("Starting storage, Resource Manager and the Functions host …")
        async with _local_cloud() as cloud:
            screen.step(f"The app answers at {cloud.functions} (log: {cloud.log.name})")
            finished = await _tell(cloud, screen)
    except (DemoError, PricesNotReadError, aiohttp.ClientError, OSError) as error:
        screen.failure(str(error))
        return 1
    done = all(
        one["phase"] == "succeeded" and all(r["state"] == _DONE for r in one["regions"])
        for one in finished
    )
    screen.end(done=done, took_s=time.monotonic() - started)
    return 0 if done else 1


async def _tell(cloud: _Running, screen: Screen) -> list[dict[str, Any]]:
    await _prepare_gallery(cloud)
    screen.step(f"An admin made the gallery {DEFAULT_GALLERY} and the image {IMAGE} in {HOME}")
    await read_prices(arm_url=cloud.arm, storage=cloud.storage)
    screen.step("The price list is read (the simulator's: a few prices recorded, most assumed)")
    exports = [await _export(cloud)]
    screen.step(f"A lab exports its template VM: {SIZE_GB} GB, specialized, version 1.0.0")
    async with aiohttp.ClientSession() as session:
        with screen.live() as live:
            stop_at = time.monotonic() + _DEADLINE_S
            while True:
                seen = await _replications(session, cloud, exports)
                copies = await _copies(session, cloud, exports)
                live.show(seen, copies)
                if len(exports) == 1 and _percent(copies) >= _SECOND_EXPORT_AT_PERCENT:
                    exports.append(await _export(cloud))
                    live.note("The lab updates the image: version 1.0.1 is exported meanwhile")
                over = len(seen) == len(exports) and all(one["phase"] in _ENDS for one in seen)
                if over and len(exports) > 1:
                    break
                if time.monotonic() > stop_at:
                    raise DemoError(f"not done after {_DEADLINE_S} s; see {cloud.log}")
                await asyncio.sleep(_LOOK_S)
    screen.results(seen, time_scale=TIME_SCALE)
    return seen


@asynccontextmanager
async def _local_cloud() -> AsyncIterator[_Running]:
    """Run all parts on free ports, and stop them whatever happens."""
    with tempfile.TemporaryDirectory(prefix="gallery-replicator-demo-") as folder:
        log = Path(folder) / "localcloud.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "localcloud", "up", "--port-base", "0"),
                *("--state", folder, "--time-scale", str(TIME_SCALE)),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=_surroundings(),
            )
            try:
                yield await _ready(process, log)
            finally:
                if process.returncode is None:
                    process.send_signal(signal.SIGTERM)
                await process.wait()


def _surroundings() -> dict[str, str]:
    """Return the environment; the demo is a developer's, in a cluster as well."""
    kept = {name: value for name, value in os.environ.items() if name != _CLUSTER}
    return {**kept, "AZURE_FUNCTIONS_ENVIRONMENT": "Development"}


async def _ready(process: asyncio.subprocess.Process, log: Path) -> _Running:
    if process.stdout is None:
        raise DemoError("the local cloud has no output to read")
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise DemoError(f"the local cloud did not start:\n{_tail(log)}")
    ready = json.loads(line)
    return _Running(
        arm=ready["arm"], functions=ready["functions"], storage=ready["storage"], log=log
    )


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


async def _prepare_gallery(cloud: _Running) -> None:
    group = f"/subscriptions/{DEFAULT_SUBSCRIPTION_ID}/resourceGroups/{DEFAULT_RESOURCE_GROUP}"
    gallery = f"{group}/providers/Microsoft.Compute/galleries/{DEFAULT_GALLERY}"
    definition = {
        "osType": "Windows",
        "osState": "Specialized",
        "hyperVGeneration": "V2",
        "identifier": {"publisher": "school", "offer": "labs", "sku": IMAGE},
    }
    async with aiohttp.ClientSession(cloud.arm) as session:
        for path, api_version, properties in (
            (group, GROUPS_API_VERSION, {}),
            (gallery, API_VERSION, {}),
            (f"{gallery}/images/{IMAGE}", API_VERSION, definition),
        ):
            async with session.put(
                path,
                params={"api-version": api_version},
                json={"location": HOME, "properties": properties},
            ) as answer:
                answer.raise_for_status()


async def _export(cloud: _Running) -> ExportedVersion:
    return await export_image(
        arm_url=cloud.arm, image=IMAGE, version=None, region=HOME, size_gb=SIZE_GB
    )


async def _replications(
    session: aiohttp.ClientSession, cloud: _Running, exports: list[ExportedVersion]
) -> list[dict[str, Any]]:
    """Return the records of the exports, in their order, as far as there are any yet."""
    async with session.get(f"{cloud.functions}/api/v1/replications") as answer:
        answer.raise_for_status()
        items: list[dict[str, Any]] = (await answer.json())["items"]
    found = {str(one["image_version_id"]).lower(): one for one in items}
    return [found[one.id.lower()] for one in exports if one.id.lower() in found]


async def _copies(
    session: aiohttp.ClientSession, cloud: _Running, exports: list[ExportedVersion]
) -> dict[str, dict[str, int]]:
    """Return what Azure itself shows: the percents of each region, by lower-cased version id.

    The app looks far less often; that is why it needs so few calls.
    """
    shown = {}
    for one in exports:
        params = {"api-version": API_VERSION, "$expand": "ReplicationStatus"}
        async with session.get(f"{cloud.arm}{one.id}", params=params) as answer:
            answer.raise_for_status()
            body = await answer.json()
        summary = body["properties"]["replicationStatus"]["summary"]
        shown[one.id.lower()] = {entry["region"]: int(entry["progress"]) for entry in summary}
    return shown


def _percent(copies: dict[str, dict[str, int]]) -> float:
    """Return how far the copies beyond the home region are on average."""
    percents = [
        percent for regions in copies.values() for name, percent in regions.items() if name != HOME
    ]
    return sum(percents) / len(percents) if percents else 0.0
