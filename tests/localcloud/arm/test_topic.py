"""A topic to publish to: it takes what Event Grid takes, and refuses what it refuses."""

import json
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential, AzureSasCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from azure.eventgrid._legacy._helpers import generate_sas

from localcloud.arm.topic import MAX_BYTES, TOPIC_ID
from tests.support.documents import PROJECT
from tests.support.localcloud.arm import Arm, Reply, StartArm, eventually

TYPE = "GalleryReplicator.TemplateExported"
CLOUD = "application/cloudevents+json"
CLOUDS = "application/cloudevents-batch+json; charset=utf-8"


@pytest.fixture
def told(start: StartArm) -> Arm:
    """Return a simulator whose webhook never answers, so that its log has every event."""
    return start(events_url="http://127.0.0.1:9/hook")


def event(**other: Any) -> dict[str, Any]:
    fixed = {"id": "1", "subject": "labs/x", "eventType": TYPE, "eventTime": "2026-11-23T08:00:00Z"}
    return {**fixed, "dataVersion": "1", "data": {"imageVersionId": "x"}, **other}


def cloud_event(**other: Any) -> dict[str, Any]:
    return {"id": "1", "source": "/labs/x", "type": TYPE, "specversion": "1.0", **other}


def without(name: str, of: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in of.items() if key != name}


def post(arm: Arm, body: object, content_type: str = "application/json", **headers: str) -> Reply:
    keyed = {"aeg-sas-key": "any", **headers}
    return arm.call("POST", "/api/events", body, **{"Content-Type": content_type, **keyed})


def sent(arm: Arm, count: int = 1) -> list[dict[str, Any]]:
    log = eventually(lambda: found if len(found := arm.control("GET", "events")) >= count else None)
    return [one["event"] for one in log]


def test_an_event_gets_the_topic_and_its_metadata_version(told: Arm) -> None:
    assert post(told, [event()]).status == 200
    assert sent(told) == [event(topic=TOPIC_ID, metadataVersion="1")]


def test_cloud_events_come_alone_or_in_an_array_and_stay_as_they_are(told: Arm) -> None:
    assert post(told, cloud_event(id="1", data="x"), CLOUD).status == 200
    assert post(told, [cloud_event(id="2", ext="y"), cloud_event(id="3")], CLOUDS).status == 200
    assert sorted(sent(told, 3), key=lambda one: str(one["id"])) == [
        cloud_event(id="1", data="x"),
        cloud_event(id="2", ext="y"),
        cloud_event(id="3"),
    ]


REFUSED = [
    *[(without(name, event()), "application/json", name) for name in event() if name != "data"],
    (event(sas_url="x"), "application/json", "unexpected property 'sas_url'"),
    (event(topic="/subscriptions/x"), "application/json", "'topic' is"),
    (event(metadataVersion="2"), "application/json", "'metadataVersion' is"),
    (event(eventTime="yesterday"), "application/json", "'eventTime' is no time"),
    (cloud_event(), "application/json", "unexpected property 'source'"),
    *[(without(name, cloud_event()), CLOUDS, name) for name in cloud_event()],
    (cloud_event(id=""), CLOUDS, "'id'"),
    (cloud_event(specversion="0.3"), CLOUDS, "'specversion'"),
    (cloud_event(data="x", data_base64="eA=="), CLOUDS, "not both"),
    (cloud_event(time=None), CLOUDS, "'time' is no time"),
    (event(), CLOUDS, "'source'"),
    (7, "application/json", "StartObject"),
]


@pytest.mark.parametrize(("one", "content_type", "words"), REFUSED)
def test_what_event_grid_refuses_is_refused_with_all_that_came_with_it(
    told: Arm, one: object, content_type: str, words: str
) -> None:
    good = event() if content_type == "application/json" else cloud_event()
    refused = post(told, [good, one], content_type)
    assert (refused.status, refused.code) == (400, "BadRequest")
    assert words in refused.body["error"]["message"]
    assert told.control("GET", "events") == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(event(), "application/json"), (cloud_event(), CLOUDS), (b"{", CLOUD), (b"", CLOUDS)],
)
def test_what_is_no_array_where_there_should_be_one_is_refused(
    told: Arm, body: object, content_type: str
) -> None:
    assert post(told, body, content_type).status == 400


def test_too_much_at_once_and_a_call_without_a_key_are_refused(told: Arm) -> None:
    for size in (MAX_BYTES, 5 * MAX_BYTES):
        assert post(told, [event(data="x" * size)]).status == 413
    keyless = told.call("POST", "/api/events", [event()], **{"Content-Type": "application/json"})
    assert (keyless.status, keyless.code) == (401, "Unauthorized")
    assert told.call("GET", "/api/events").status == 400


def test_a_page_of_another_site_publishes_nothing(told: Arm) -> None:
    assert post(told, [event()], Origin="https://example.com").status == 403


def test_without_a_subscriber_an_event_is_taken_and_gone(arm: Arm) -> None:
    assert post(arm, [event()]).status == 200
    assert arm.control("GET", "events") == []


def test_the_vendors_client_publishes_with_a_key_or_a_signature(told: Arm) -> None:
    endpoint = f"{told.url}/api/events"
    signature = generate_sas(endpoint, "bG9jYWw=", "2027-01-01")  # type: ignore[arg-type] # as text it is quoted the same
    credentials: list[AzureKeyCredential | AzureSasCredential] = [
        AzureKeyCredential("k"),
        AzureSasCredential(signature),
    ]
    for number, credential in enumerate(credentials):
        with EventGridPublisherClient(endpoint, credential) as client:
            client.send(EventGridEvent("labs/x", TYPE, {"n": number}, "1"))
            client.send([CloudEvent("/labs/x", TYPE, data={"n": number})])
            with pytest.raises(HttpResponseError, match="unexpected property"):
                client.send([{"mine": 1}])
    assert {one["data"]["n"] for one in sent(told, 4)} == {0, 1}
    with (
        EventGridPublisherClient(endpoint, AzureKeyCredential("")) as client,
        pytest.raises(ClientAuthenticationError),
    ):
        client.send(EventGridEvent("labs/x", TYPE, {}, "1"))


def test_the_documented_events_are_taken(told: Arm) -> None:
    page = (PROJECT / "docs" / "events.md").read_text(encoding="utf-8")
    blocks = [json.loads(one.split("```")[0]) for one in page.split("```json")[1:]]
    mine = [one for one in blocks if TYPE in (one.get("type"), one.get("eventType"))]
    assert mine
    for one in mine:
        # The topic itself says who it is.
        kind = CLOUD if "specversion" in one else "application/json"
        body = one if kind == CLOUD else [without("topic", one)]
        assert post(told, body, kind).status == 200
