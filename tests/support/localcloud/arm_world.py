"""The simulator without a network, on a clock that a test turns by hand."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from localcloud.arm.answers import Answer, ArmRequest, error_answer
from localcloud.arm.api import ArmApi
from localcloud.arm.clock import SimulatedClock
from localcloud.arm.cloud import Cloud
from localcloud.arm.errors import ArmError
from localcloud.arm.event_bodies import Change
from localcloud.arm.events import EventGrid
from localcloud.arm.faults import Faults
from localcloud.arm.regions import Regions
from localcloud.arm.resource_ids import parse_path

SUBSCRIPTION = "5d3f6b5e-9b0c-4f0e-8d9a-0c1b2a3d4e5f"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Labs-RG"
GALLERIES = f"{GROUP}/providers/Microsoft.Compute/galleries"
GALLERY = f"{GALLERIES}/LabGallery"
IMAGE = f"{GALLERY}/images/Biology"
VERSION = f"{IMAGE}/versions/1.0.0"
SOURCE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/template"
GROUPS_API_VERSION = "2022-09-01"
API_VERSION = "2026-03-03"
BASE_URL = "http://arm.test:7070"
SAMPLES = Path(__file__).parent / "samples"
DEFINITION = {
    "osType": "Windows",
    "osState": "Specialized",
    "identifier": {"publisher": "labs", "offer": "templates", "sku": "biology"},
}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def version_put(
    *regions: str | dict[str, Any], location: str = "eastus", size_gb: int = 30, **publishing: Any
) -> dict[str, Any]:
    """Return the body that creates a version; without regions it names none."""
    if regions:
        publishing["targetRegions"] = targets(*regions)
    return {
        "location": location,
        "properties": {
            "publishingProfile": publishing,
            "storageProfile": {"source": {"id": SOURCE}, "osDiskImage": {"sizeInGB": size_gb}},
        },
    }


def version_patch(*regions: str | dict[str, Any], **publishing: Any) -> dict[str, Any]:
    profile = {"targetRegions": targets(*regions), **publishing}
    return {"properties": {"publishingProfile": profile, "storageProfile": {}}}


def targets(*regions: str | dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": one} if isinstance(one, str) else one for one in regions]


def disk_encryption_set(name: str, group: str = GROUP) -> str:
    return f"{group}/providers/Microsoft.Compute/diskEncryptionSets/{name}"


class RecordingEvents(EventGrid):
    """Keeps the changes instead of sending them."""

    changes: list[Change]

    def __init__(self) -> None:
        super().__init__(lambda simulated_s: simulated_s)
        self.changes = []

    def publish(self, change: Change) -> None:
        self.changes.append(change)


@dataclass(slots=True)
class World:
    """All of ARM in memory; `seconds` is simulated time."""

    seconds: float = 0.0
    api: ArmApi = field(init=False)
    events: RecordingEvents = field(init=False)

    def __post_init__(self) -> None:
        self.events = RecordingEvents()
        self.api = ArmApi(
            cloud=Cloud(Regions()),
            clock=SimulatedClock(1.0, real=lambda: self.seconds),
            faults=Faults(),
            events=self.events,
        )
        self.put_group(GROUP)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        lose_write: bool = False,
        query: dict[str, str] | None = None,
    ) -> Answer:
        asked = {"api-version": API_VERSION, **(query or {})}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = ArmRequest(
            method=method,
            path=path,
            query={name: value for name, value in asked.items() if value},
            body=raw,
            base_url=BASE_URL,
            lose_write=lose_write,
        )
        try:
            route = parse_path(path)
            assert route is not None, path
            return self.api.answer(request, route)
        except ArmError as error:
            return error_answer(error)

    def put_group(self, path: str, **body: object) -> Answer:
        query = {"api-version": GROUPS_API_VERSION}
        return self.call("PUT", path, {"location": "eastus", **body}, query=query)

    def get(
        self,
        path: str,
        *,
        api_version: str = API_VERSION,
        expand: str = "",
        skiptoken: str = "",
    ) -> Any:
        query = {"api-version": api_version, "$expand": expand, "$skiptoken": skiptoken}
        answer = self.call("GET", path, query=query)
        assert answer.status == 200, answer.body
        return answer.body

    def with_image(self) -> Self:
        """Make a gallery with one definition."""
        assert self.call("PUT", GALLERY, {"location": "eastus"}).status == 201
        body = {"location": "eastus", "properties": DEFINITION}
        assert self.call("PUT", IMAGE, body).status == 201
        return self

    def with_version(self, *regions: str | dict[str, Any], **rest: Any) -> Self:
        """Make a gallery, a definition, and a version that has come to its end."""
        self.with_image()
        answer = self.call("PUT", VERSION, version_put(*(regions or ("eastus",)), **rest))
        assert answer.status == 201, answer.body
        self.seconds += 36_000
        return self

    def behave(self, **switches: object) -> None:
        self.api.behaviour = self.api.behaviour.changed(switches)

    def state(self, path: str = VERSION) -> str:
        return str(self.get(path)["properties"]["provisioningState"])

    def replicas(self, path: str = VERSION, *, api_version: str = API_VERSION) -> dict[str, Any]:
        """Return the summary's entries by region."""
        body = self.get(path, expand="ReplicationStatus", api_version=api_version)
        return {one["region"]: one for one in body["properties"]["replicationStatus"]["summary"]}

    def listed(self, path: str = VERSION) -> list[str]:
        found = self.get(path)["properties"]["publishingProfile"]["targetRegions"]
        return [one["name"] for one in found]

    def poll(self, answer: Answer) -> Answer:
        """Ask the operation of a write how far it is."""
        path = answer.headers["Azure-AsyncOperation"].removeprefix(BASE_URL).split("?")[0]
        return self.call("GET", path)


def error_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.body, dict)
    error: dict[str, Any] = answer.body["error"]
    return error


def properties_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.body, dict), answer.body
    properties: dict[str, Any] = answer.body["properties"]
    return properties


def missing(expected: Any, actual: Any, path: str = "") -> list[str]:
    """Return the fields of `expected` that `actual` lacks; a list is judged by its first entry."""
    if isinstance(expected, dict):
        found = actual if isinstance(actual, dict) else {}
        return [
            lack
            for key, value in expected.items()
            for lack in (
                missing(value, found[key], f"{path}.{key}") if key in found else [f"{path}.{key}"]
            )
        ]
    if isinstance(expected, list) and expected and actual:
        return missing(expected[0], actual[0], f"{path}[]")
    return []
