"""The app against a Resource Manager that is not the local cloud's, driven by events alone."""

import json
from typing import Any

import pytest

from tests.support.arm.foreign import running_foreign_arm
from tests.support.localcloud.hosts import eventually
from tests.support.localcloud.instances import StartApp

VERSION_ID = (
    "/subscriptions/AAAAAAAA-0000-0000-0000-000000000001/resourceGroups/Rg/providers"
    "/Microsoft.Compute/galleries/Gal/images/Img/versions/1.2.3"
)
EXISTING = [
    {
        "name": "France Central",
        "regionalReplicaCount": 2,
        "storageAccountType": "Premium_LRS",
        "someFutureField": {"deep": [1, None, "x"]},
    },
    {"name": "Sweden Central", "excludeFromLatest": True},
]
DATA = {
    "resourceUri": VERSION_ID.upper().replace("/VERSIONS/", "/versions/"),
    "operationName": "Microsoft.Compute/galleries/images/versions/write",
    "claims": {"name": "Casey Teacher", "ipaddr": "203.0.113.7"},
    "correlationId": "11112222",
}
EVENT_GRID = {
    "id": "event-1",
    "topic": "/subscriptions/AAAAAAAA-0000-0000-0000-000000000001",
    "subject": VERSION_ID,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "eventTime": "2026-11-23T08:00:00.1234567Z",
    "dataVersion": "2",
    "metadataVersion": "1",
    "data": DATA,
}
CLOUD_EVENT = {
    "id": "event-1",
    "source": "/subscriptions/AAAAAAAA-0000-0000-0000-000000000001",
    "subject": VERSION_ID,
    "type": "Microsoft.Resources.ResourceWriteSuccess",
    "time": "2026-11-23T08:00:00.1234567Z",
    "specversion": "1.0",
    "data": DATA,
}


@pytest.mark.parametrize("event", [EVENT_GRID, CLOUD_EVENT], ids=["event-grid", "cloud-event"])
def test_an_event_of_either_schema_ends_in_completed_replicas(
    event: dict[str, object], start_app: StartApp
) -> None:
    """One PATCH, every existing entry verbatim, followed to Completed, nobody's name kept."""
    with running_foreign_arm() as arm:
        arm.add(VERSION_ID, json.loads(json.dumps(EXISTING)))
        app = start_app(arm_url=arm.url)
        assert app.post_events([event]) == 202

        def finished() -> dict[str, Any] | None:
            one = app.replication_of(VERSION_ID)
            return one if one and one["phase"] == "succeeded" else None

        done = eventually(finished)
        assert {region["region"]: region["state"] for region in done["regions"]} == {
            "francesouth": "completed",
            "francewest": "completed",
        }
        (patch,) = arm.patches
        regions = patch["body"]["properties"]["publishingProfile"]["targetRegions"]
        assert regions[:2] == EXISTING
        assert [one["name"] for one in regions[2:]] == ["francesouth", "francewest"]
        detail = app.get(f"/api/v1/replications/{done['key']}")
        assert [entry["event"] for entry in detail["history"]][:2] == ["planned", "apply"]
        assert "Casey" not in json.dumps(detail)
        assert "Casey" not in app.log.read_text(encoding="utf-8")


def test_resource_manager_failing_during_intake_makes_the_sender_try_again(
    start_app: StartApp,
) -> None:
    app = start_app(arm_url="http://127.0.0.1:9")
    assert app.post_events([EVENT_GRID]) == 500
    assert app.get("/api/v1/replications")["items"] == []
