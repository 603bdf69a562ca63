"""Outcomes on an Event Grid topic, which here is a stub on this machine."""

import pytest

from replication.azure.outcome_topic import EventGridTopic, NoTopic, open_topic
from replication.domain.errors import TransientError
from replication.ports import OutcomeEvent
from tests.support.arm.stub import Canned, StubArm
from tests.support.builders import NOON

EVENT = OutcomeEvent(
    id="key-1-job", type="GalleryReplicator.X", subject="/s", at=NOON, data={"phase": "succeeded"}
)


def publish(arm: StubArm) -> None:
    topic = open_topic(f"{arm.url}/api/events", "AzurePublicCloud")
    try:
        topic.publish([EVENT])
    finally:
        topic.client.close()


def test_outcomes_are_sent_in_the_event_grid_schema(arm: StubArm) -> None:
    arm.answer("POST", "/api/events", Canned(body=""))
    publish(arm)
    (asked,) = arm.asked
    (sent,) = asked.json
    assert {name: sent[name] for name in ("id", "eventType", "subject", "data", "dataVersion")} == {
        "id": "key-1-job",
        "eventType": "GalleryReplicator.X",
        "subject": "/s",
        "data": {"phase": "succeeded"},
        "dataVersion": "1",
    }
    assert sent["eventTime"].startswith("2026-11-23T12:00:00")


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_topic_in_trouble_is_asked_once_and_worth_another_try(arm: StubArm, status: int) -> None:
    arm.answer("POST", "/api/events", Canned(status=status, body={}, headers={"Retry-After": "60"}))
    with pytest.raises(TransientError, match="the outcome topic"):
        publish(arm)
    assert len(arm.asked) == 1


def test_a_topic_behind_https_is_opened_with_the_apps_identity() -> None:
    topic = open_topic("https://topic.example/api/events", "AzurePublicCloud")
    assert isinstance(topic, EventGridTopic)
    topic.client.close()


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [
        ("AzurePublicCloud", "https://eventgrid.azure.net"),
        ("AzureUSGovernment", "https://eventgrid.azure.us"),
        ("AzureChinaCloud", "https://eventgrid.azure.cn"),
    ],
)
def test_the_topic_is_shown_a_token_for_its_own_cloud(
    arm: StubArm, monkeypatch: pytest.MonkeyPatch, cloud: str, audience: str
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{arm.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    arm.answer("GET", "/msi/token", Canned(status=400, body={"error": "invalid_request"}))
    topic = open_topic("https://topic.example/api/events", cloud)
    with pytest.raises(TransientError, match="the outcome topic"):
        topic.publish([EVENT])
    topic.client.close()
    assert {tuple(request.query["resource"]) for request in arm.asked} == {(audience,)}


def test_no_topic_takes_everything() -> None:
    NoTopic().publish([EVENT])
