"""A Resource Manager of another hand: as small as it gets, and unlike the local cloud's."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.http.server import Handler, listening

REGIONS = {
    # Short name: display name and geography. One display name is not the id with spaces.
    "francecentral": ("France Central", "France"),
    "francesouth": ("France South", "France"),
    "francewest": ("Bretagne (new)", "France"),
    "frenchstage": ("France Stage", "Stage (FR)"),
    "swedencentral": ("Sweden Central", "Sweden"),
}
LOOKS_UNTIL_DONE = 3


@dataclass
class ForeignArm:
    """State and log; copies advance with every look."""

    url: str = ""
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    patches: list[dict[str, Any]] = field(default_factory=list)
    looks: dict[str, int] = field(default_factory=dict)

    def add(self, version_id: str, regions: list[dict[str, Any]]) -> None:
        self.versions[version_id.lower()] = {
            "id": version_id,
            "name": version_id.rsplit("/", 1)[-1],
            "location": "francecentral",
            "properties": {
                "publishingProfile": {"targetRegions": regions, "futureSetting": 7},
                "storageProfile": {"osDiskImage": {"sizeInGB": 40}},
                "provisioningState": "Succeeded",
            },
        }

    def get(self, path: str, *, expand: bool) -> dict[str, Any] | None:
        body = self.versions.get(path.lower())
        if body is None:
            return None
        body = copy.deepcopy(body)
        if expand:
            self.looks[path.lower()] = self.looks.get(path.lower(), 0) + 1
            done = min(100, 100 * self.looks[path.lower()] // LOOKS_UNTIL_DONE)
            names = [
                one["name"] for one in body["properties"]["publishingProfile"]["targetRegions"]
            ]
            body["properties"]["replicationStatus"] = {
                "aggregatedState": "InProgress" if done < 100 else "Completed",
                "summary": [
                    {
                        "region": self.display(name),
                        "state": "Completed" if done >= 100 else "Replicating",
                        "progress": done,
                    }
                    for name in names
                ],
            }
        return body

    def patch(self, path: str, sent: dict[str, Any]) -> dict[str, Any]:
        self.patches.append({"path": path, "body": sent})
        self.looks[path.lower()] = 0
        regions = sent["properties"]["publishingProfile"]["targetRegions"]
        held = self.versions[path.lower()]["properties"]["publishingProfile"]
        held["targetRegions"] = [{**one, "name": self.display(one["name"])} for one in regions]
        answer: dict[str, Any] = json.loads(json.dumps(self.versions[path.lower()]))
        answer["properties"]["provisioningState"] = "Updating"
        return answer

    def display(self, name: str) -> str:
        for short, (display, _) in REGIONS.items():
            if name.lower().replace(" ", "") in (short, display.lower().replace(" ", "")):
                return display
        return name


@contextmanager
def running_foreign_arm() -> Iterator[ForeignArm]:
    """Serve on a free port of this machine."""
    arm = ForeignArm()

    class Answers(Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802 - the base class looks for it
            parts = urlsplit(self.path)
            if parts.path.lower().endswith("/locations"):
                self._answer(200, {"value": _locations()})
            elif parts.path.lower().endswith("/providers/microsoft.compute"):
                offered = [display for short, (display, _) in REGIONS.items()]
                kind = {"resourceType": "galleries/images/versions", "locations": offered}
                self._answer(200, {"namespace": "Microsoft.Compute", "resourceTypes": [kind]})
            else:
                expand = "ReplicationStatus" in parse_qs(parts.query).get("$expand", [""])[0]
                body = arm.get(parts.path, expand=expand)
                if body is None:
                    error = {"code": "ResourceNotFound", "message": "no such thing"}
                    self._answer(404, {"error": error})
                else:
                    self._answer(200, body)

        def do_PATCH(self) -> None:  # noqa: N802 - the base class looks for it
            sent = json.loads(self.body())
            self._answer(200, arm.patch(urlsplit(self.path).path, sent))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self.answer(status, json.dumps(body).encode(), content_type="application/json")

    with listening(Answers) as arm.url:
        yield arm


def exported(version_id: str) -> dict[str, Any]:
    """Return the event of a lab's export into this Resource Manager."""
    return {
        "id": "export-1",
        "topic": "t",
        "subject": "lab/biology",
        "eventType": "GalleryReplicator.TemplateExported",
        "eventTime": "2026-11-23T08:00:00Z",
        "dataVersion": "1",
        "metadataVersion": "1",
        "data": {"imageVersionId": version_id, "location": "France Central"},
    }


def _locations() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": short,
            "displayName": display,
            "metadata": {"regionType": "Physical", "geography": geography},
        }
        for short, (display, geography) in REGIONS.items()
    ]
    return [*found, {"name": "france", "displayName": "France", "metadata": {}}]
