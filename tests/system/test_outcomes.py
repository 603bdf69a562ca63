"""Outcomes reach a topic, and a topic that fails holds nothing up."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.arm.foreign import running_foreign_arm
from tests.support.localcloud.hosts import eventually
from tests.support.localcloud.instances import StartApp

VERSION_ID = (
    "/subscriptions/aaaaaaaa-0000-0000-0000-000000000002/resourceGroups/rg/providers"
    "/Microsoft.Compute/galleries/gal/images/img/versions/2.0.0"
)


@pytest.mark.parametrize("status", [200, 500])
def test_outcomes_are_published_and_a_failing_topic_fails_no_replication(
    status: int, start_app: StartApp
) -> None:
    received: list[dict[str, Any]] = []

    class Topic(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.extend(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Topic)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with running_foreign_arm() as arm:
            arm.add(VERSION_ID, [{"name": "France Central"}])
            app = start_app(
                arm_url=arm.url,
                OUTCOME_TOPIC_ENDPOINT=f"http://127.0.0.1:{server.server_port}/api/events",
            )
            exported = {
                "id": "export-1",
                "topic": "t",
                "subject": "lab/biology",
                "eventType": "GalleryReplicator.TemplateExported",
                "eventTime": "2026-11-23T08:00:00Z",
                "dataVersion": "1",
                "metadataVersion": "1",
                "data": {"imageVersionId": VERSION_ID, "location": "France Central"},
            }
            assert app.post_events(exported) == 202

            def finished() -> dict[str, Any] | None:
                one = app.replication_of(VERSION_ID)
                return one if one and one["phase"] == "succeeded" else None

            done = eventually(finished)
            assert len(arm.patches) == 1
            kinds = eventually(
                lambda: (
                    [one["eventType"] for one in received]
                    if any(one["eventType"].endswith("ReplicationCompleted") for one in received)
                    else None
                )
            )
            assert sorted(set(kinds)) == [
                "GalleryReplicator.ReplicaCompleted",
                "GalleryReplicator.ReplicationCompleted",
            ]
            assert {one["subject"] for one in received} == {done["image_version_id"]}
            if status != 200:
                eventually(lambda: "outcome.unpublished" in app.log.read_text(encoding="utf-8"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
