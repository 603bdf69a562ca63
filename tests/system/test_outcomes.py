"""Outcomes reach a topic, and a topic that fails holds nothing up."""

from typing import Any

import pytest

from tests.support.arm.foreign import exported, running_foreign_arm
from tests.support.http.server import running_topic
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
    with running_foreign_arm() as arm, running_topic(status) as topic:
        arm.add(VERSION_ID, [{"name": "France Central"}])
        app = start_app(
            arm_url=arm.url,
            OUTCOME_TOPIC_ENDPOINT=topic.endpoint,
        )
        assert app.post_events(exported(VERSION_ID)) == 202

        def finished() -> dict[str, Any] | None:
            one = app.replication_of(VERSION_ID)
            return one if one and one["phase"] == "succeeded" else None

        done = eventually(finished)
        assert len(arm.patches) == 1
        kinds = eventually(
            lambda: (
                [one["eventType"] for one in topic.received]
                if any(one["eventType"].endswith("ReplicationCompleted") for one in topic.received)
                else None
            )
        )
        assert sorted(set(kinds)) == [
            "GalleryReplicator.ReplicaCompleted",
            "GalleryReplicator.ReplicationCompleted",
        ]
        assert {one["subject"] for one in topic.received} == {done["image_version_id"]}
        if status != 200:
            eventually(lambda: "outcome.unpublished" in app.log.read_text(encoding="utf-8"))
