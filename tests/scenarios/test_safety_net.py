"""Scenarios on a fake clock: crashes, lost messages, the sweep, and what is told to others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from replication.domain.errors import TransientError
from replication.domain.job import Lease, Phase
from replication.domain.regions import RegionCatalog
from replication.ports import Gallery, UnreadPart
from tests.support.builders import US_NEIGHBOURS, version_body
from tests.support.fakes import build_world
from tests.support.jobs import altered
from tests.support.scenarios.steps import ID, export, states


def test_a_version_that_is_deleted_meanwhile_ends_superseded() -> None:
    world = build_world()
    export(world)
    world.run(until=world.clock() + timedelta(seconds=60))
    del world.gallery.bodies[str(ID).lower()]
    world.run()
    assert world.job(ID).phase is Phase.SUPERSEDED
    assert set(states(world).values()) == {"removed"}
    assert world.letters.letters == {}


def test_a_version_that_is_created_again_after_its_deletion_is_replicated_again() -> None:
    world = build_world()
    export(world)
    world.run(until=world.clock() + timedelta(seconds=60))
    del world.gallery.bodies[str(ID).lower()]
    world.run()
    world.clock.advance(3600)
    export(world)
    world.run()
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")


@pytest.mark.parametrize("redelivered", [True, False])
def test_a_second_worker_does_not_touch_a_job_that_is_claimed(*, redelivered: bool) -> None:
    world = build_world()
    export(world)
    message = world.queues.take()
    assert message is not None
    stored = world.store.load(ID.key)
    assert stored is not None
    lease = Lease(owner="someone", expires_at=world.clock() + timedelta(seconds=90))
    world.store.replace(stored, altered(stored.job, lease=lease))
    done = world.app.reconciler.reconcile(message, redelivered=redelivered)
    assert done.outcome == "busy"
    assert world.gallery.writes == []
    if not redelivered:  # and if the other one dies, and its own message with it
        world.clock.advance(world.app.settings.limits.overdue_after_s + 1)
        world.app.sweep.run()
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_a_message_lost_by_a_crash_is_found_by_the_sweep() -> None:
    world = build_world()
    export(world)
    world.queues.waiting.clear()
    world.clock.advance(600)
    report = world.app.sweep.run()
    assert [finding.image_version_id for finding in report.findings] == [ID]
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_one_storage_blip_does_not_cost_the_sweep_its_turn() -> None:
    world = build_world()
    export(world)
    assert world.queues.take() is not None
    world.clock.advance(world.app.settings.limits.overdue_after_s + 1)
    world.store.failures = [TransientError("storage: 503")]
    report = world.app.sweep.run()
    assert [one.reason.partition(" since ")[0] for one in report.findings] == ["overdue"]
    assert report.errors == []


def test_the_sweep_finds_a_version_no_event_told_of() -> None:
    world = build_world()
    world.gallery.add(ID, version_body())
    assert len(world.app.sweep.run(dry_run=True).findings) == 1
    assert world.store.rows == {}
    world.app.sweep.run()
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert world.app.sweep.run().findings == []


def test_a_sweep_that_cannot_ask_azure_says_so_and_still_finds_overdue_jobs() -> None:
    world = build_world()
    export(world)
    world.queues.waiting.clear()
    world.clock.advance(600)
    world.gallery.read_failures = [TransientError("down", code="unreachable")]
    report = world.app.sweep.run()
    assert report.errors == ["subscriptions: down"]
    assert len(report.findings) == 1


def test_a_redelivered_message_sends_what_its_killed_invocation_had_recorded() -> None:
    world = build_world()
    export(world)
    message = world.queues.take()
    assert message is not None
    world.queues.failures = [TransientError("storage blip", code="storage_503")]
    with pytest.raises(TransientError):
        world.app.reconciler.reconcile(message)
    assert world.queues.waiting == []
    assert world.app.reconciler.reconcile(message, redelivered=True).outcome == "stale"
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1


def test_a_failing_topic_never_fails_a_replication() -> None:
    world = build_world()
    world.topic.failure = TransientError("no topic", code="topic")
    export(world)
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_outcomes_are_published_once_each() -> None:
    world = build_world()
    export(world)
    world.run()
    types = [event.type.rsplit(".", 1)[-1] for event in world.topic.events]
    assert types == ["ReplicaCompleted"] * 8 + ["ReplicationCompleted"]
    assert len({event.id for event in world.topic.events}) == 9


def test_every_decision_stands_in_the_timeline_with_its_reason() -> None:
    world = build_world()
    export(world)
    world.run()
    entries = world.history.read(ID.key)
    assert entries[0].event == "planned"
    assert entries[1].event == "apply"
    assert entries[-1].event == "succeed"
    assert all(entry.reason for entry in entries)


def test_the_sweep_notices_a_version_that_was_deleted_and_no_event_told_of_it() -> None:
    world = build_world()
    export(world)
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    del world.gallery.bodies[str(ID).lower()]
    (finding,) = world.app.sweep.run(dry_run=True).findings
    assert finding.image_version_id.key == ID.key
    assert finding.reason == "on record, and no longer in Azure's list"
    world.app.sweep.run()
    world.run()
    assert world.job(ID).phase is Phase.SUPERSEDED
    assert world.app.sweep.run().findings == []


def test_a_list_that_breaks_off_does_not_make_versions_look_deleted() -> None:
    world = build_world()
    export(world)
    world.run()

    def broken(_subscription_id: str, _catalog: RegionCatalog) -> Iterator[UnreadPart]:
        yield UnreadPart(name="gallery labs", error=TransientError("503"))

    gallery = cast(
        "Gallery", SimpleNamespace(versions=broken, subscriptions=world.gallery.subscriptions)
    )
    report = replace(world.app.sweep, gallery=gallery).run()
    assert report.findings == []
    assert report.errors != []


def test_a_version_that_azure_denied_for_a_moment_is_found_again_while_its_copies_run() -> None:
    world = build_world()
    export(world)
    world.run(until=world.clock() + timedelta(seconds=60))
    kept = world.gallery.bodies.pop(str(ID).lower())
    world.run()
    assert world.job(ID).phase is Phase.SUPERSEDED
    kept["properties"]["provisioningState"] = "Updating"
    world.gallery.bodies[str(ID).lower()] = kept
    (finding,) = world.app.sweep.run().findings
    assert finding.reason == "it was thought gone and is there"
    kept["properties"]["provisioningState"] = "Deleting"
    world.run()
    assert world.job(ID).phase is Phase.SUPERSEDED
    assert world.app.sweep.run().findings == []
