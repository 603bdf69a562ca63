"""What an event says about the person behind it stays out of logs, records and queues."""

import json
import logging
from typing import Any

import pytest

from replication.intake.events import RESOURCE_WRITTEN, ReceivedEvent
from tests.support.builders import NOON, SUBSCRIPTION, version_body, version_id
from tests.support.fakes import World, build_world

ID = str(version_id())
SECRETS = ("Casey Teacher", "casey@school.example", "203.0.113.7", "tok-123", "principal-9")
EVIDENCE = {"role": "Subscription Admin", "principalId": "principal-9"}


def real_shaped(resource_uri: str = ID, **wrap: Any) -> dict[str, Any]:
    """Return a delivery as Event Grid's documents show it, with somebody in it."""
    data = {
        "authorization": {
            "scope": resource_uri,
            "action": "Microsoft.Compute/galleries/images/versions/write",
            "evidence": EVIDENCE,
        },
        "claims": {
            "aud": "https://management.core.windows.net/",
            "aio": "tok-123",
            "ipaddr": "203.0.113.7",
            "name": "Casey Teacher",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "casey@school.example",
        },
        "correlationId": "corr-1",
        "httpRequest": {
            "clientRequestId": "request-1",
            "clientIpAddress": "203.0.113.7",
            "method": "PUT",
            "url": "https://management.azure.com/subscriptions",
        },
        "resourceProvider": "Microsoft.Compute",
        "resourceUri": resource_uri,
        "operationName": "Microsoft.Compute/galleries/images/versions/write",
        "status": "Succeeded",
    }
    return {
        "id": "event-1",
        "type": RESOURCE_WRITTEN,
        "source": f"/subscriptions/{SUBSCRIPTION}",
        "subject": resource_uri,
        "time": NOON.isoformat(),
        "data": data | wrap,
    }


def deliver(world: World, raw: dict[str, Any]) -> str:
    event = ReceivedEvent(
        id=raw["id"], type=raw["type"], subject=raw["subject"], at=NOON, data=raw["data"]
    )
    return world.app.intake.receive(event, raw).action


def everything_kept(world: World, caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(
        [
            caplog.text,
            *(record.getMessage() for record in caplog.records),
            *(row[0] for row in world.store.rows.values()),
            *(body for _, _, _, body in world.queues.waiting),
            *map(repr, world.letters.letters.values()),
            repr(world.history.entries),
            repr(world.topic.events),
        ]
    )


def test_a_good_event_leaves_nothing_of_the_person(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = build_world()
    world.gallery.add(version_id(), version_body())
    assert deliver(world, real_shaped()) == "queued"
    before = everything_kept(world, caplog)
    world.run()
    for kept in (before, everything_kept(world, caplog)):
        assert "corr-1" in kept
        for secret in SECRETS:
            assert secret not in kept


@pytest.mark.parametrize(
    "wrap",
    [
        {},
        {"deeper": {"Claims": {"name": "Casey Teacher"}, "list": [{"CLAIMS": ["tok-123"]}]}},
        {"Authorization": EVIDENCE, "HTTPRequest": {"clientIpAddress": "203.0.113.7"}},
        {"text": json.dumps({"claims": {"name": "Casey Teacher"}})},
    ],
)
def test_a_dead_letter_keeps_the_event_without_the_person(
    caplog: pytest.LogCaptureFixture, wrap: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    world = build_world()
    assert deliver(world, real_shaped(f"{ID}.4", **wrap)) == "rejected"
    kept = everything_kept(world, caplog)
    for secret in SECRETS:
        assert secret not in kept
    (letter,) = world.letters.letters.values()
    raw = json.loads(letter.raw)
    assert raw["data"]["resourceUri"] == f"{ID}.4"
    assert raw["data"]["correlationId"] == "corr-1"
    assert not {"authorization", "claims", "httprequest"} & {name.lower() for name in raw["data"]}


def test_data_that_is_a_text_of_json_is_cleaned_too() -> None:
    world = build_world()
    raw = real_shaped()
    raw["data"] = json.dumps(raw["data"])
    assert deliver(world, raw) == "rejected"
    (letter,) = world.letters.letters.values()
    for secret in SECRETS:
        assert secret not in letter.raw


def test_an_event_that_is_not_for_us_leaves_nothing_of_the_person(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    world = build_world()
    raw = real_shaped("/subscriptions/s/resourceGroups/r", operationName="Microsoft.X/write")
    assert deliver(world, raw) == "ignored"
    for secret in SECRETS:
        assert secret not in everything_kept(world, caplog)


def test_a_text_that_names_such_parts_and_cannot_be_read_is_not_kept() -> None:
    world = build_world()
    raw = real_shaped(f"{ID}.4", text='{"claims": {"name": "Casey Teacher"')
    assert deliver(world, raw) == "rejected"
    (letter,) = world.letters.letters.values()
    assert "Casey Teacher" not in letter.raw
    assert "not kept" in letter.raw.encode().decode("unicode_escape")
