"""What the app answers and keeps, on the real runtime and real storage."""

import base64
import json
from typing import Any

import pytest
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

from tests.support.arm.foreign import running_foreign_arm
from tests.support.http.calling import SIGNED_IN, principal
from tests.support.localcloud.hosts import eventually, http_call
from tests.support.localcloud.instances import StartApp

NOWHERE = "http://127.0.0.1:9"


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def letters(storage: str) -> list[dict[str, Any]]:
    with TableClient.from_connection_string(storage, "deadletters") as table:
        return [dict(row) for row in table.query_entities("PartitionKey eq 'letters'")]


def event(**changes: Any) -> dict[str, Any]:
    return {
        "id": "event-9",
        "topic": "/subscriptions/s",
        "subject": "/subscriptions/s/resourceGroups/g",
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-11-23T08:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {"claims": {"name": "Casey Teacher"}},
        **changes,
    }


def test_events_that_are_none_of_ours_are_acknowledged_and_leave_nothing(
    start_app: StartApp,
) -> None:
    app = start_app(arm_url=NOWHERE)
    definition = (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b"
    )
    strangers = [
        event(),
        event(subject=definition, data={"resourceUri": definition}),
        event(eventType="Microsoft.Storage.BlobCreated", data="text"),
        event(data=None),
        event(data=[1]),
    ]
    assert app.post_events(strangers) == 202
    assert app.get("/api/v1/replications") == {"items": [], "next": None}
    assert app.log.read_text(encoding="utf-8").count("event.ignored") == len(strangers)


def test_a_malformed_event_of_our_kind_is_acknowledged_and_kept_without_names(
    start_app: StartApp, storage: str
) -> None:
    app = start_app(arm_url=NOWHERE)
    wrong = (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"
        "/galleries/a/images/b/versions/latest"
    )
    data = {"resourceUri": wrong, "claims": {"name": "Casey Teacher"}}
    assert app.post_events([event(subject=wrong, data=data)]) == 202
    (letter,) = letters(storage)
    assert letter["code"] == "malformed_event"
    assert "'latest' is not a version number" in letter["cause_0"]
    assert wrong in letter["raw_0"]
    assert "Casey" not in json.dumps(letter, default=str)
    log = app.log.read_text(encoding="utf-8")
    assert '"event": "event.rejected"' in log
    assert "event-9" in log
    assert "Casey" not in log


@pytest.mark.parametrize(
    ("body", "raw", "code"),
    [
        (encoded(b"no json"), "no json", "malformed_message"),
        ('{"v": 1, "id": 5}', '{"v": 1, "id": 5}', "malformed_message"),
        ("neither nor <&>", "neither nor <&>", "malformed_message"),
        (encoded(b"\xff\0"), encoded(b"\xff\0"), "malformed_message"),
        (encoded(b'{"v": 2, "job": {}}'), '{"v": 2, "job": {}}', "newer_format"),
    ],
)
def test_a_message_that_cannot_be_read_ends_as_a_dead_letter(
    body: str, raw: str, code: str, start_app: StartApp, storage: str
) -> None:
    app = start_app(arm_url=NOWHERE)
    app.get("/api/v1/queues")
    queue = QueueClient.from_connection_string(storage, "replication-jobs")
    with queue:
        queue.create_queue()
        if code == "newer_format":
            # What the host does after the last try of a message nobody here can take.
            with QueueClient.from_connection_string(storage, "replication-jobs-poison") as poison:
                poison.create_queue()
                poison.send_message(body)
        else:
            queue.send_message(body)
        found = eventually(lambda: _letters_or_none(storage))
    assert [letter["code"] for letter in found] == [code]
    assert found[0]["raw_0"] == raw


def _letters_or_none(storage: str) -> list[dict[str, Any]]:
    try:
        return letters(storage)
    except Exception:  # noqa: BLE001 - the table is not there before its first row
        return []


def test_the_api_answers_from_the_first_day(start_app: StartApp) -> None:
    with running_foreign_arm() as arm:
        app = start_app(arm_url=arm.url)
        health = app.get("/api/v1/health")
        assert health["status"] == "ok"
        queues = {one["name"]: one for one in app.get("/api/v1/queues")["items"]}
        assert sorted(queues) == ["replication-events", "replication-jobs", "replication-tracking"]
        assert queues["replication-jobs"]["depth"] == 0
        assert queues["replication-jobs"]["paused"] is False
        missing = app.get(f"/api/v1/replications/{'0' * 32}", status=404)
        assert missing["title"] == "Not Found"
        wrong = app.get("/api/v1/replications?phase=sleeping", status=400)
        assert "sleeping" in wrong["detail"]
        app.get("/api/v1/replications?limit=0", status=400)
        nowhere = app.get("/api/v1/nope", status=404)
        assert nowhere["detail"].startswith("there is no call GET /api/v1/nope")
        app.get("/api/v1/replications?cursor=nonsense", status=400)


def test_outside_development_the_api_and_the_webhook_want_a_key(start_app: StartApp) -> None:
    app = start_app(
        arm_url=NOWHERE,
        AZURE_FUNCTIONS_ENVIRONMENT="Production",
        LOCALCLOUD_FUNCTIONS_KEY="a-key-for-this-test",
    )
    for path in ("/api/v1/health", "/api/v1/replications", "/api/v1/queues"):
        assert http_call(f"{app.url}{path}").status == 401
        headers = {"x-functions-key": "a-key-for-this-test"}
        assert http_call(f"{app.url}{path}", headers=headers).status == 200
        forged = {"x-ms-client-principal": principal("Replication.Operator")}
        assert http_call(f"{app.url}{path}", headers=forged).status == 401
    assert app.post_events([event()]) == 401


def test_where_the_platform_signs_callers_in_their_role_decides(start_app: StartApp) -> None:
    app = start_app(
        arm_url=NOWHERE,
        AZURE_FUNCTIONS_ENVIRONMENT="Production",
        LOCALCLOUD_FUNCTIONS_KEY="a-key-for-this-test",
        **SIGNED_IN,
    )

    def ask(path: str, *roles: str, method: str = "GET") -> int:
        headers = {"x-ms-client-principal": principal(*roles)} if roles else {}
        return http_call(f"{app.url}{path}", method=method, headers=headers).status

    assert ask("/api/v1/queues") == 401
    assert ask("/api/v1/queues", "Owner") == 403
    assert ask("/api/v1/queues", "Replication.Reader") == 200
    pause = "/api/v1/queues/replication-jobs/pause"
    assert ask(pause, "Replication.Reader", method="POST") == 403
    assert ask(pause, "Replication.Operator", method="POST") == 200
    # The webhook of Event Grid has a key of its own, whoever is signed in.
    assert app.post_events([event()]) == 401


def test_a_queue_is_paused_and_resumed_over_http(start_app: StartApp) -> None:
    app = start_app(arm_url=NOWHERE)
    root = f"{app.url}/api/v1/queues/replication-jobs"
    reason = json.dumps({"reason": "an incident"}).encode()
    assert http_call(f"{root}/pause", method="POST", body=reason).status == 200
    shown = app.get("/api/v1/queues")["items"][0]
    assert (shown["paused"], shown["pause"]["reason"]) == (True, "an incident")
    assert http_call(f"{root}/resume", method="POST").status == 200
    assert app.get("/api/v1/queues")["items"][0]["paused"] is False
