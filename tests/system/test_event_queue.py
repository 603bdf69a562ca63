"""Events by queue reach the app through its host, and what is none is kept as a dead letter."""

import base64
import json
from functools import partial

import pytest
from azure.storage.queue import QueueServiceClient

from tests.support.arm.foreign import exported, running_foreign_arm
from tests.support.localcloud.hosts import eventually
from tests.support.localcloud.instances import StartApp

QUEUE = "replication-events"


def version(image: str) -> str:
    return (
        "/subscriptions/aaaaaaaa-0000-0000-0000-000000000002/resourceGroups/rg/providers"
        f"/Microsoft.Compute/galleries/gal/images/{image}/versions/2.0.0"
    )


@pytest.mark.slow
def test_events_of_a_queue_are_taken_and_none_is_lost(start_app: StartApp, storage: str) -> None:
    in_base64, first, second, buried = map(version, ("base64", "first", "second", "buried"))
    with running_foreign_arm() as arm, QueueServiceClient.from_connection_string(storage) as queues:
        for one in (in_base64, first, second):
            arm.add(one, [{"name": "France Central"}])
        for name, messages in {
            QUEUE: [
                base64.encodebytes(json.dumps(exported(in_base64)).encode()).decode(),
                json.dumps([exported(first), exported(second), {"no": "event"}]),
                "no JSON",
            ],
            f"{QUEUE}-poison": [json.dumps(exported(buried))],
        }.items():
            queues.create_queue(name).close()
            with queues.get_queue_client(name) as client:
                for message in messages:
                    client.send_message(message)
        app = start_app(arm_url=arm.url)
        for one in (in_base64, first, second):
            eventually(partial(app.replication_of, one))

        def kept() -> set[tuple[str, str]]:
            items = app.get("/api/v1/dead-letters")["items"]
            return {(one["source"], one["code"]) for one in items}

        wanted = {
            ("event", "malformed_event"),
            (QUEUE, "malformed_message"),
            (QUEUE, "poison_message"),
        }
        eventually(lambda: kept() == wanted)
        for name in (QUEUE, f"{QUEUE}-poison"):
            with queues.get_queue_client(name) as client:
                eventually(lambda: not client.peek_messages())
