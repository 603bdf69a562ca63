"""Do what a lab does when it exports its template VM: write an image version to the gallery."""

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp

from localcloud.arm.server import DEFAULT_SUBSCRIPTION_ID

DEFAULT_RESOURCE_GROUP = "labs-rg"
DEFAULT_GALLERY = "labgallery"
API_VERSION = "2026-03-03"
GROUPS_API_VERSION = "2022-09-01"
_DATA_DISK_GB = 32
_OK = (200, 201)
_RESOURCES = "/_localcloud/resources"
_NOT_FOUND = 404
_BUSY = (429, 503)
_MOST_RETRIES = 5
_LONGEST_WAIT_S = 60


class ExportRefusedError(Exception):
    """The export did not happen: Resource Manager's own words, or why it did not answer."""


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
    async with aiohttp.ClientSession() as session:
        arm = _Arm(session, arm_url.rstrip("/"))
        await arm.ensure(group, {"location": region}, api_version=GROUPS_API_VERSION)
        await arm.ensure(gallery_id, {"location": region, "properties": {}})
        created = await arm.ensure(image_id, _definition(image, region, os_state))
        if version is None:
            version = _next_version(await arm.list(f"{image_id}/versions"))
        source_id = f"{group}/providers/Microsoft.Compute/virtualMachines/{image}-template"
        await arm.call("PUT", _RESOURCES, [{"id": source_id, "region": region}])
        # Azure reads the sizes off the VM; here they travel in the fields it would fill.
        storage: dict[str, Any] = {
            "source": {"virtualMachineId": source_id},
            "osDiskImage": {"sizeInGB": size_gb},
        }
        if data_disks:
            storage["dataDiskImages"] = [
                {"lun": lun, "sizeInGB": _DATA_DISK_GB} for lun in range(data_disks)
            ]
        version_id = f"{image_id}/versions/{version}"
        body = {
            "location": region,
            "properties": {
                "publishingProfile": {"targetRegions": [{"name": region}]},
                "storageProfile": storage,
            },
        }
        written = await arm.call("PUT", version_id, body)
        version_id = str(written.get("id", version_id))
    return ExportedVersion(id=version_id, created_definition=created)


async def tell_of_resource(
    *, arm_url: str, resource_id: str, exists: bool, region: str | None = None
) -> None:
    """Make a source or a disk encryption set, or delete it; raises ExportRefusedError."""
    resource: dict[str, Any] = {"id": resource_id, "exists": exists}
    if region is not None:
        resource["region"] = region
    async with aiohttp.ClientSession() as session:
        await _Arm(session, arm_url.rstrip("/")).call("PUT", _RESOURCES, [resource])


@dataclass(frozen=True, slots=True)
class _Arm:
    session: aiohttp.ClientSession
    url: str

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        api_version: str = API_VERSION,
    ) -> Any:
        """Call Resource Manager; raises ExportRefusedError with its own words."""
        status, answer = await self._send(method, path, body, api_version)
        if status not in _OK:
            raise _refusal(method, path, status, answer)
        return answer

    async def ensure(
        self, path: str, body: dict[str, Any], *, api_version: str = API_VERSION
    ) -> bool:
        """Create a resource if it is missing; returns whether it was."""
        status, answer = await self._send("GET", path, None, api_version)
        if status == _NOT_FOUND:
            await self.call("PUT", path, body, api_version=api_version)
            return True
        if status not in _OK:
            raise _refusal("GET", path, status, answer)
        return False

    async def list(self, path: str) -> list[dict[str, Any]]:
        """Return all entries of a list, over its pages."""
        found: list[dict[str, Any]] = []
        url: str | None = path
        while url:
            page = await self.call("GET", url)
            found += page["value"]
            url = page.get("nextLink")
        return found

    async def _send(
        self, method: str, path: str, body: object, api_version: str
    ) -> tuple[int, Any]:
        """Send a request, again after the wait that a busy service asks for."""
        for _ in range(_MOST_RETRIES):
            status, wait_s, text = await self._send_once(method, path, body, api_version)
            if status not in _BUSY or wait_s is None:
                return status, _read(text)
            await asyncio.sleep(wait_s)
        status, _, text = await self._send_once(method, path, body, api_version)
        return status, _read(text)

    async def _send_once(
        self, method: str, path: str, body: object, api_version: str
    ) -> tuple[int, float | None, str]:
        # The link to a next page is whole already.
        whole = path.startswith("http")
        try:
            async with self.session.request(
                method,
                path if whole else f"{self.url}{path}",
                params=None if whole else {"api-version": api_version},
                json=body,
                headers={"x-ms-client-request-id": str(uuid.uuid4())},
            ) as answer:
                wait = answer.headers.get("Retry-After", "")
                wait_s = min(int(wait), _LONGEST_WAIT_S) if wait.isdecimal() else None
                return answer.status, wait_s, await answer.text(errors="replace")
        except aiohttp.InvalidURL:
            raise ExportRefusedError(f"{self.url!r} is no URL of a Resource Manager") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ExportRefusedError(
                f"no Resource Manager answers at {self.url} ({error}); start one with "
                "`localcloud up`, or name its URL with --arm"
            ) from error


def _read(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text


def _refusal(method: str, path: str, status: int, answer: object) -> ExportRefusedError:
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        said = f"{error.get('code')}: {error.get('message')}"
    else:
        said = str(answer)[:300]
    return ExportRefusedError(f"{method} {path} was refused ({status}): {said}")


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
