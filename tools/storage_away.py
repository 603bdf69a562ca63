"""`python -m tools.storage_away`: exports while Azurite is really away, and what became of them.

Azurite, the local Resource Manager and the app's host as processes; the host ends and is started
anew by the loop of `localcloud up`. Azurite is stopped and started with its data. The figures go to
standard output, what the parts write to standard error. The exit code is 1 if an export was lost or
a version written twice.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from localcloud.lab_export import export_image
from localcloud.parts import Part, free_port_block, start_python_part
from localcloud.storage import storage_connection_string
from localcloud.up import EVENT_FUNCTION, EVENTS_URL, function_settings, keep_running, policy_path
from tools.chaos.checks import accepted_patches
from tools.chaos.processes import Child, bare_environment, start_storage

PROJECT = Path(__file__).resolve().parents[1]
_AWAY_S = (0.0, 5.0, 30.0, 90.0)
_EXPORTS = 20
_EVERY_S = 1.5
_AWAY_AT_S = 10.0
_TIME_SCALE = 60.0
# Beyond the lock of a message that could not be settled.
_DONE_WITHIN_S = 900.0


@dataclass(slots=True, kw_only=True)
class Cloud:
    """The running parts; `hosts` counts the starts of the app's host."""

    folder: Path
    ports: int
    storage: Child
    parts: list[Part] = field(default_factory=list)
    hosts: int = 0

    @property
    def arm_url(self) -> str:
        return f"http://127.0.0.1:{self.ports}"

    @property
    def app_url(self) -> str:
        return f"http://127.0.0.1:{self.ports + 1}"

    async def start(self) -> None:
        """Start Resource Manager, then the host."""
        webhook = f"{self.app_url}/runtime/webhooks/eventgrid?functionName={EVENT_FUNCTION}"
        arm = ["arm", "--port", str(self.ports), "--time-scale", f"{_TIME_SCALE:g}"]
        environment = {**bare_environment(), EVENTS_URL: webhook}
        self.parts.append(await start_python_part("arm", arm, environment))
        self.parts.append(await self.start_host())

    async def start_host(self) -> Part:
        self.hosts += 1
        settings = function_settings(
            bare_environment(),
            storage=storage_connection_string(self.ports + 2),
            arm_url=self.arm_url,
            policy=policy_path(PROJECT, self.folder),
            time_scale=_TIME_SCALE,
        )
        command = ["functions", "--port", str(self.ports + 1), "--app-dir", str(PROJECT)]
        return await start_python_part(
            "functions", [*command, "--state", str(self.folder)], settings
        )

    async def leave(self, *, at_s: float, for_s: float) -> None:
        """Stop the storage for a while; its data stays."""
        if not for_s:
            return
        await asyncio.sleep(at_s)
        await self.storage.stop()
        await asyncio.sleep(for_s)
        self.storage = await _storage(self.folder, self.ports)


async def _storage(folder: Path, ports: int) -> Child:
    return await start_storage(folder, ports + 2, folder / "storage.log")


async def measure(cloud: Cloud, number: int, away_s: float) -> list[str]:
    """Export while the storage is away, print what became of it, return what was wrong."""
    hosts = cloud.hosts
    exporting = [_export(cloud, image, number) for image in range(_EXPORTS)]
    exported, _ = await asyncio.gather(
        asyncio.gather(*exporting), cloud.leave(at_s=_AWAY_AT_S, for_s=away_s)
    )
    began = dict(exported)
    took_s = await _durations(cloud, began)
    problems = [f"{one} was not done" for one in began if one not in took_s]
    async with aiohttp.ClientSession() as http:
        log = await _json(http, f"{cloud.arm_url}/_localcloud/requests?since=0")
        letters = await _json(http, f"{cloud.app_url}/api/v1/dead-letters?limit=200")
    writes = {path: len(patches) for path, patches in accepted_patches(log).items()}
    problems += [f"{one} has {writes.get(one, 0)} writes" for one in began if writes.get(one) != 1]
    problems += [f"dead letter {one['id']}: {one['code']}" for one in letters["items"]]
    times = sorted(took_s.values()) or [0.0]
    sys.stdout.write(
        f"away for {away_s:g} s: {len(took_s)} of {len(began)} done, "
        f"{cloud.hosts - hosts} hosts ended, median {median(times):.0f} s, "
        f"at most {times[-1]:.0f} s, {len(problems)} problems\n"
    )
    sys.stdout.flush()
    return problems


async def _export(cloud: Cloud, image: int, number: int) -> tuple[str, datetime]:
    await asyncio.sleep(image * _EVERY_S)
    exported = await export_image(
        arm_url=cloud.arm_url, image=f"image-{image}", version=f"1.0.{number}", size_gb=30
    )
    return exported.id.lower(), datetime.now(UTC)


async def _durations(cloud: Cloud, began: Mapping[str, datetime]) -> dict[str, float]:
    """Wait until all are done, or too long; return how many seconds each took."""
    took_s: dict[str, float] = {}
    ends_s = asyncio.get_running_loop().time() + _DONE_WITHIN_S
    async with aiohttp.ClientSession() as http:
        while len(took_s) < len(began) and asyncio.get_running_loop().time() < ends_s:
            await asyncio.sleep(1)
            try:
                page = await _json(http, f"{cloud.app_url}/api/v1/replications?limit=200")
            except (aiohttp.ClientError, TimeoutError):
                continue
            for row in page["items"]:
                key = row["image_version_id"].lower()
                if key in began and row["phase"] == "succeeded":
                    finished = datetime.fromisoformat(row["finished_at"])
                    took_s[key] = (finished - began[key]).total_seconds()
    return took_s


async def _json(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.get(url, timeout=aiohttp.ClientTimeout(total=30)) as answer:
        answer.raise_for_status()
        return await answer.json()


async def run(away_s: tuple[float, ...], folder: Path) -> list[str]:
    """Measure one time after the other in one world; return what was wrong."""
    ports = free_port_block(5)
    cloud = Cloud(folder=folder, ports=ports, storage=await _storage(folder, ports))
    stop = asyncio.get_running_loop().create_future()
    keeping: asyncio.Future[None] | None = None
    try:
        await cloud.start()
        keeping = asyncio.ensure_future(keep_running(cloud.parts, cloud.start_host, stop))
        problems = []
        for number, for_s in enumerate(away_s):
            measuring = asyncio.create_task(measure(cloud, number, for_s))
            await asyncio.wait({measuring, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                measuring.cancel()
                await keeping
            problems += await measuring
        return problems
    finally:
        stop.set_result(True)
        await asyncio.gather(*([keeping] if keeping else []), return_exceptions=True)
        await asyncio.gather(*(part.stop() for part in cloud.parts), return_exceptions=True)
        await cloud.storage.stop()


def main() -> int:
    """Return 0 only if nothing was lost and nothing written twice."""
    parser = argparse.ArgumentParser(prog="python -m tools.storage_away", description=__doc__)
    parser.add_argument("away_s", nargs="*", type=float, default=_AWAY_S, help="seconds away")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="storage-away-"))
    problems = asyncio.run(run(tuple(asked.away_s), folder))
    for problem in problems:
        sys.stdout.write(f"BROKEN: {problem}\n")
    if problems:
        sys.stdout.write(f"the storage is kept in {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
