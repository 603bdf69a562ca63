"""Exports that a publisher tells of reach the app, whatever client, schema and data it uses."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from cloudevents.conversion import to_structured
from cloudevents.http import CloudEvent as CncfEvent

from localcloud.lab_export import export_image
from tests.support.localcloud.hosts import eventually, http_call
from tests.support.localcloud.instances import Instance, StartPart

TYPE = "GalleryReplicator.TemplateExported"


def as_object(known: dict[str, str]) -> Any:
    return known


def as_text(known: dict[str, str]) -> Any:
    return json.dumps(known)


def as_bytes(known: dict[str, str]) -> Any:
    return json.dumps(known).encode()


def event_grid_event(data: Any) -> Any:
    return EventGridEvent("labs/x", TYPE, data, "1")


def azure_cloud_event(data: Any) -> Any:
    return CloudEvent("/labs/x", TYPE, data=data)


def cncf_event(data: Any) -> Any:
    return CncfEvent({"source": "/labs/x", "type": TYPE}, data)


# The vendor's client refuses bytes in its own schema.
PUBLISHED: list[tuple[Callable[[Any], Any], Callable[[dict[str, str]], Any]]] = [
    (event_grid_event, as_object),
    (event_grid_event, as_text),
    *[(make, write) for make in (azure_cloud_event, cncf_event) for write in (as_object, as_text)],
    *[(make, as_bytes) for make in (azure_cloud_event, cncf_event)],
]


@pytest.mark.slow
# The vendor's client calls it.
@pytest.mark.filterwarnings("ignore:to_json is deprecated")
def test_exports_are_told_through_a_topic(start: StartPart, tmp_path: Path) -> None:
    ready = start(
        *("up", "--port-base", "0", "--state", str(tmp_path / "up"), "--time-scale", "1000")
    )
    control, endpoint = f"{ready['arm']}/_localcloud/events", f"{ready['arm']}/api/events"

    def set_loss(probability: float) -> None:
        body = json.dumps({"lose_probability": probability, "when": "accept"}).encode()
        assert http_call(control, method="PUT", body=body).status == 200

    async def export(count: int) -> list[str]:
        return [
            (await export_image(arm_url=ready["arm"], image=f"told-{number}")).id
            for number in range(count)
        ]

    # Nobody hears of the versions from Azure.
    set_loss(1.0)
    versions = asyncio.run(export(len(PUBLISHED) + 1))
    set_loss(0.0)
    known = [
        {"imageVersionId": one, "correlationId": f"build-{number}"}
        for number, one in enumerate(versions)
    ]
    with EventGridPublisherClient(endpoint, AzureKeyCredential("local")) as client:
        for (make, write), data in zip(PUBLISHED, known, strict=False):
            client.send(make(write(data)))
    headers, body = to_structured(cncf_event(known[-1]))
    told = http_call(
        endpoint, method="POST", body=body, headers={**headers, "aeg-sas-key": "local"}
    )
    assert told.status == 200
    app = Instance(url=ready["functions"], log=ready["log"])
    for data in known:
        job = eventually(partial(app.replication_of, data["imageVersionId"]))
        assert job["correlation_id"] == data["correlationId"]
