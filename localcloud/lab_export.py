"""Do what a lab does when it exports its template VM: write an image version to the gallery."""

import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp

from localcloud.arm.server import DEFAULT_SUBSCRIPTION_ID

DEFAULT_RESOURCE_GROUP = "labs-rg"
DEFAULT_GALLERY = "labgallery"
API_VERSION = "2026-03-03"
_DATA_DISK_GB = 32
_OK = (200, 201)
_NOT_FOUND = 404


class ExportRefusedError(Exception):
    """Resource Manager refused the export; the text is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedVersion:
    """The image version that was written."""

    id: str
    created_definition: bool


async def export_image(
    *,
    arm_url: str,
    image: str,
    version: str | None = None,
    region: str = "eastus",
    size_gb: int = 127,
    data_disks: int = 0,
    os_state: str = "Specialized",
    subscription_id: str = DEFAULT_SUBSCRIPTION_ID,
    resource_group: str = DEFAULT_RESOURCE_GROUP,
    gallery: str = DEFAULT_GALLERY,
) -> ExportedVersion:
    """Export: make the gallery and the definition if they are missing, then write the version.

    Without a version number the next one is taken. Raises ExportRefusedError.
    """
    group = f"/subscriptions/{subscription_id}/resourceGroups/{resource_group}"
    gallery_id = f"{group}/providers/Microsoft.Compute/galleries/{gallery}"
    image_id = f"{gallery_id}/images/{image}"
    async with aiohttp.ClientSession(arm_url) as session:
        arm = _Arm(session)
        await arm.ensure(gallery_id, {"location": region, "properties": {}})
        created = await arm.ensure(image_id, _definition(image, region, os_state))
        if version is None:
            version = _next_version(await arm.list(f"{image_id}/versions"))
        source_id = f"{group}/providers/Microsoft.Compute/virtualMachines/{image}-template"
        sizes = {
            "id": source_id,
            "os_disk_gb": size_gb,
            "data_disks_gb": [_DATA_DISK_GB] * data_disks,
        }
        await arm.call("PUT", "/_localcloud/sources", sizes)
        version_id = f"{image_id}/versions/{version}"
        body = {
            "location": region,
            "properties": {
                "publishingProfile": {"targetRegions": [{"name": region}]},
                "storageProfile": {"source": {"virtualMachineId": source_id, "id": source_id}},
            },
        }
        await arm.call("PUT", version_id, body)
    return ExportedVersion(id=version_id, created_definition=created)


@dataclass(frozen=True, slots=True)
class _Arm:
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call Resource Manager; raises ExportRefusedError with its own words."""
        status, answer = await self._send(method, path, body)
        if status not in _OK:
            error = answer.get("error") if isinstance(answer, dict) else None
            said = f"{error.get('code')}: {error.get('message')}" if error else str(answer)[:300]
            raise ExportRefusedError(f"{method} {path} was refused ({status}): {said}")
        return answer

    async def ensure(self, path: str, body: dict[str, Any]) -> bool:
        """Create a resource if it is missing; returns whether it was."""
        status, _ = await self._send("GET", path, None)
        if status != _NOT_FOUND:
            return False
        await self.call("PUT", path, body)
        return True

    async def list(self, path: str) -> list[dict[str, Any]]:
        """Return all entries of a list, over its pages."""
        page = await self.call("GET", path)
        found: list[dict[str, Any]] = list(page["value"])
        while page.get("nextLink"):
            async with self.session.get(page["nextLink"]) as answer:
                page = await answer.json()
            found += page["value"]
        return found

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        params = {"api-version": API_VERSION}
        headers = {"x-ms-client-request-id": str(uuid.uuid4())}
        async with self.session.request(
            method, path, params=params, json=body, headers=headers
        ) as answer:
            text = await answer.text()
            return answer.status, await answer.json() if text else {}


def _definition(image: str, region: str, os_state: str) -> dict[str, Any]:
    return {
        "location": region,
        "properties": {
            "osType": "Windows",
            "osState": os_state,
            "hyperVGeneration": "V2",
            "identifier": {"publisher": "labs", "offer": "templates", "sku": image},
        },
    }


def _next_version(versions: list[dict[str, Any]]) -> str:
    numbers = [tuple(int(part) for part in one["name"].split(".")) for one in versions]
    if not numbers:
        return "1.0.0"
    major, minor, patch = max(numbers)
    return f"{major}.{minor}.{patch + 1}"
