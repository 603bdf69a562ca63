"""Seed trouble of many kinds, to see what the app and its pages make of it.

Every failure is one that is over by now: what is sent again completes. Only the copy that stands
still goes on standing still.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from localcloud.arm.server import DEFAULT_SUBSCRIPTION_ID
from localcloud.lab_export import DEFAULT_GALLERY, ExportRefusedError, export_image
from localcloud.price_reading import PricesNotReadError, read_prices
from localcloud.process import StartError

TIME_SCALE = 600.0
POLICY = Path(__file__).with_name("trouble-policy.yaml")
_THROTTLED_SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
# Impatient, so that seconds show what takes Azure hours.
SETTINGS = {
    # It acts as an operator of this machine does.
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "REPLICATION_POLICY": str(POLICY),
    # The second has its first gallery long after the app asked which there are.
    "ALLOWED_SUBSCRIPTIONS": f"{DEFAULT_SUBSCRIPTION_ID},{_THROTTLED_SUBSCRIPTION}",
    "STUCK_MIN_S": "8",
    "REGION_MAX_ATTEMPTS": "2",
    "CIRCUIT_FAILURES": "4",
}
_EVENTS = "/runtime/webhooks/eventgrid?functionName=image_version_event"
_COPY_FAILS, _HELD_BACK, _STANDS_STILL = "japanwest", "southindia", "koreasouth"
_SLOW = "australiacentral"
_LOCKED_GALLERY, _DEAR_GALLERY = "archive", "research"
_SIZE_GB = 30
# One percent in four seconds at this scale and size: slow, but not stuck.
_SLOW_MINUTES_PER_GB = 333
_COOLDOWN_S = 900
_DEADLINE_S = 90.0
_LOOK_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Export:
    image: str
    region: str
    phase: str
    gallery: str = DEFAULT_GALLERY
    subscription_id: str = DEFAULT_SUBSCRIPTION_ID


_EXPORTS = (
    _Export(image="biology-101", region="uksouth", phase="succeeded"),
    _Export(image="chemistry-2", region="canadacentral", phase="succeeded"),
    _Export(image="robotics", region="koreacentral", phase="tracking"),
    _Export(image="statistics", region="australiaeast", phase="tracking"),
    *(
        _Export(image=f"mathematics-{number}", region="japaneast", phase="failed")
        for number in (1, 2, 3)
    ),
    _Export(image="physics-2019", region="northeurope", phase="failed", gallery=_LOCKED_GALLERY),
    _Export(image="genome-lab", region="eastasia", phase="waiting", gallery=_DEAR_GALLERY),
    _Export(image="drawing", region="australiaeast", phase="cancelled"),
    _Export(
        image="geography",
        region="northeurope",
        phase="waiting",
        subscription_id=_THROTTLED_SUBSCRIPTION,
    ),
    *(
        _Export(image=f"welding-{number}", region="centralindia", phase="partial")
        for number in (1, 2, 3)
    ),
)
# Exported when the others have used up their attempts: its failure holds the region back.
_LAST_EXPORT = _Export(image="welding-4", region="centralindia", phase="waiting")


async def seed_trouble(*, arm_url: str, functions_url: str, storage: str) -> None:
    """Export images into faults, and wait until every kind of trouble can be seen.

    Raises StartError when it does not come about in time.
    """
    try:
        await read_prices(arm_url=arm_url, storage=storage)
        async with aiohttp.ClientSession() as session:
            await _seed(_Cloud(session, arm_url, functions_url))
    except (PricesNotReadError, ExportRefusedError, aiohttp.ClientError) as error:
        raise StartError(f"the trouble could not be seeded: {error}") from error


async def _seed(cloud: "_Cloud") -> None:
    await cloud.put("faults", _faults())
    await cloud.put(f"regions/{_SLOW}", {"minutes_per_gb": _SLOW_MINUTES_PER_GB})
    # One after the other: the first one to a gallery makes it.
    ids = {one: await cloud.export(one) for one in _EXPORTS}
    await cloud.send_what_is_no_event()
    await cloud.until("all stand where they should", lambda: cloud.astray(ids))
    last = {_LAST_EXPORT: await cloud.export(_LAST_EXPORT)}
    await cloud.until("the last one waits", lambda: cloud.astray(last))
    await cloud.until("the overview is full", cloud.not_shown)
    # From here on everything works again.
    await cloud.put("faults", [])


def _faults() -> list[dict[str, Any]]:
    return [
        {"match": {"region": _STANDS_STILL}, "fault": {"stuck": True}},
        {"match": {"region": _COPY_FAILS}, "fault": {"region_state": "Failed"}},
        {"match": {"region": _HELD_BACK}, "fault": {"region_state": "Failed"}},
        {
            "match": {"method": "PATCH", "path": f"/galleries/{_LOCKED_GALLERY}/"},
            "fault": {
                "status": 409,
                "code": "ScopeLocked",
                "message": "The scope cannot perform write operation because it is locked.",
            },
        },
        {
            "match": {"method": "PATCH", "path": f"/subscriptions/{_THROTTLED_SUBSCRIPTION}/"},
            "fault": {
                "status": 429,
                "code": "TooManyRequests",
                "message": "The request was throttled.",
                "retry_after_s": _COOLDOWN_S,
            },
        },
    ]


@dataclass(frozen=True, slots=True)
class _Cloud:
    session: aiohttp.ClientSession
    arm_url: str
    functions_url: str

    async def put(self, call: str, body: object) -> None:
        async with self.session.put(f"{self.arm_url}/_localcloud/{call}", json=body) as answer:
            answer.raise_for_status()

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.functions_url}{path}") as answer:
            answer.raise_for_status()
            return await answer.json()

    async def export(self, one: _Export) -> str:
        exported = await export_image(
            arm_url=self.arm_url,
            image=one.image,
            version="1.0.0",
            region=one.region,
            size_gb=_SIZE_GB,
            gallery=one.gallery,
            subscription_id=one.subscription_id,
        )
        return exported.id

    async def send_what_is_no_event(self) -> None:
        """Send an event about nothing that an image version could be."""
        event = {
            "id": "11111111-2222-3333-4444-555555555555",
            "topic": f"/subscriptions/{DEFAULT_SUBSCRIPTION_ID}",
            "subject": f"/subscriptions/{DEFAULT_SUBSCRIPTION_ID}/resourceGroups/labs-rg"
            "/providers/Microsoft.Compute/galleries/labgallery/images/art/versions/latest?",
            "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": "2026-11-23T12:00:00Z",
            "data": {"operationName": "Microsoft.Compute/galleries/images/versions/write"},
            "dataVersion": "2",
            "metadataVersion": "1",
        }
        headers = {"aeg-event-type": "Notification"}
        url = f"{self.functions_url}{_EVENTS}"
        async with self.session.post(url, json=[event], headers=headers) as answer:
            answer.raise_for_status()

    async def astray(self, ids: dict[_Export, str]) -> str | None:
        """Return which one is elsewhere; cancel what is to be cancelled on the way."""
        page = await self.get("/api/v1/replications?limit=200")
        seen = {one["image_version_id"].lower(): one for one in page["items"]}
        for export, version_id in ids.items():
            one = seen.get(version_id.lower())
            phase = one["phase"] if one else "nothing"
            if one and export.phase == "cancelled" and phase == "tracking":
                await self._cancel(one["key"])
            if phase != export.phase:
                return f"{export.image} is {phase} and not {export.phase}"
        return None

    async def not_shown(self) -> str | None:
        overview = await self.get("/dashboard.json")
        for part in ("stuck", "held", "cooldowns"):
            if not overview[part]:
                return f"the overview shows nothing under {part}"
        return None

    async def _cancel(self, key: str) -> None:
        headers = {"X-Requested-With": "gallery-replicator"}
        url = f"{self.functions_url}/api/v1/replications/{key}/cancel"
        async with self.session.post(url, json={}, headers=headers) as answer:
            answer.raise_for_status()

    async def until(self, what: str, missing: Callable[[], Awaitable[str | None]]) -> None:
        stop_at = time.monotonic() + _DEADLINE_S
        while (lacks := await missing()) is not None:
            if time.monotonic() > stop_at:
                raise StartError(f"after {_DEADLINE_S:.0f} s not yet so that {what}: {lacks}")
            await asyncio.sleep(_LOOK_S)
