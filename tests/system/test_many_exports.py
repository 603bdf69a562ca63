"""A hundred exports at once over five geographies, with two instances on one storage."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from azure.data.tables import TableClient

from localcloud.lab_export import ExportedVersion, export_image
from tests.support.localcloud.hosts import eventually, http_call
from tests.support.localcloud.instances import StartApp, StartPart

EXPORTS = 100
HOMES = {
    "eastus": 8,
    "australiaeast": 2,
    "westeurope": 1,
    "japaneast": 1,
    "centralindia": 2,
}


def put(url: str, body: object) -> None:
    answer = http_call(url, method="PUT", body=json.dumps(body).encode())
    assert answer.status == 200, answer.text


async def export_all(arm_url: str) -> list[ExportedVersion]:
    homes = list(HOMES)

    async def export(number: int) -> ExportedVersion:
        return await export_image(
            arm_url=arm_url,
            image=f"image-{number}",
            version="1.0.0",
            region=homes[number % len(homes)],
            size_gb=30,
            gallery=f"gallery{number % len(homes)}",
        )

    # The first ones make the galleries; a hundred at once would be throttled for that.
    first = [await export(number) for number in range(len(homes))]
    return [*first, *await asyncio.gather(*(export(n) for n in range(len(homes), EXPORTS)))]


@pytest.mark.timeout(300)
def test_a_hundred_exports_at_once_are_all_completed_with_one_patch_each(
    start: StartPart, start_app: StartApp, storage: str
) -> None:
    arm_url = str(start("arm", "--port", "0", "--time-scale", "300")["arm"])
    first, second = start_app(arm_url=arm_url), start_app(arm_url=arm_url)
    put(f"{arm_url}/_localcloud/events", {"url": first.webhook, "duplicate": 1, "shuffle": True})
    exported = asyncio.run(export_all(arm_url))
    # The other instance hears of a part of them as well, as after a second subscription.
    for version in exported[:10]:
        event = {
            "id": f"again-{version.id}",
            "topic": "t",
            "subject": version.id,
            "eventType": "GalleryReplicator.TemplateExported",
            "eventTime": "2026-11-23T08:00:00Z",
            "dataVersion": "1",
            "metadataVersion": "1",
            "data": {"imageVersionId": version.id},
        }
        assert second.post_events([event]) == 202

    def all_done() -> list[dict[str, Any]] | None:
        items = first.get("/api/v1/replications?limit=200")["items"]
        done = [one for one in items if one["phase"] == "succeeded"]
        return done if len(done) == EXPORTS else None

    done = eventually(all_done, within_s=240)
    for one in done:
        assert len(one["regions"]) == HOMES[one["home_region"]]
        assert {region["state"] for region in one["regions"]} == {"completed"}
    requests = json.loads(http_call(f"{arm_url}/_localcloud/requests").body)
    patches = Counter(one["path"].lower() for one in requests if one["method"] == "PATCH")
    assert patches == {version.id.lower(): 1 for version in exported}
    for version in exported[::10]:
        body = json.loads(http_call(f"{arm_url}{version.id}?api-version=2026-03-03").body)
        names = [one["name"] for one in body["properties"]["publishingProfile"]["targetRegions"]]
        expected = HOMES[body["location"]] + 1
        assert len(names) == len(set(names)) == expected
    with TableClient.from_connection_string(storage, "deadletters") as table:
        assert _rows(table) == []
    for instance in (first, second):
        assert '"decision": "succeed"' in instance.log.read_text(encoding="utf-8")


def _rows(table: TableClient) -> list[object]:
    try:
        return list(table.list_entities())
    except Exception:  # noqa: BLE001 - no letter was ever written, so there is no table
        return []
