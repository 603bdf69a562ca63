"""Scenarios on a fake clock: an export becomes Completed replicas, whatever happens on the way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from replication.errors import (
    ConflictError,
    FailureCode,
    PermanentError,
    RegionUnavailableError,
    ThrottledError,
    TransientError,
)
from replication.job import Lease, Phase, ReplicaState
from replication.limits import Limits
from replication.policy import GalleryScope, ReplicationPolicy
from replication.regions import Region
from tests.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.fakes import World, build_world

ID = version_id()


def export(world: World, **body: Any) -> None:
    """Do what a lab does: write a version, of which Azure tells."""
    world.gallery.add(ID, version_body(**body))
    world.app.intake.receive(written_event(ID, at=world.clock()), {})


def states(world: World) -> dict[str, str]:
    return {one.region.name: one.state.value for one in world.job(ID).replicas}


def test_an_export_becomes_completed_replicas_in_the_whole_geography() -> None:
    world = build_world()
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")
    assert job.reason == "all 8 wanted regions are Completed"


def test_one_write_adds_all_missing_regions_and_keeps_existing_entries_verbatim() -> None:
    world = build_world()
    strange = {"name": "West US 2", "regionalReplicaCount": 3, "futureField": {"a": [1, None]}}
    home = {"name": "East US", "encryption": None, "excludeFromLatest": True}
    export(world, regions=[strange, home])
    world.run()
    (write,) = world.gallery.writes
    assert write[:2] == [strange, home]
    added = sorted(set(US_NEIGHBOURS) - {"westus2"})
    assert write[2:] == [
        {"name": name, "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}
        for name in added
    ]


def test_a_replication_without_trouble_costs_at_most_eight_arm_calls() -> None:
    for copy_s in (60, 120, 420, 1000, 3000):
        world = build_world()
        world.gallery.copy_s = copy_s
        world.gallery.slowness = {
            name: 0.8 + 0.06 * number for number, name in enumerate(US_NEIGHBOURS)
        }
        started = world.clock()
        export(world)
        world.run()
        job = world.job(ID)
        slowest_s = copy_s * max(world.gallery.slowness.values())
        took_s = (world.clock() - started).total_seconds()
        assert job.phase is Phase.SUCCEEDED
        assert world.gallery.reads + len(world.gallery.writes) <= 8, copy_s
        assert job.arm_calls == world.gallery.reads + len(world.gallery.writes)
        assert took_s <= slowest_s * 1.05 + 15, copy_s


def test_a_second_event_for_a_version_in_flight_starts_no_second_chain() -> None:
    world = build_world()
    export(world)
    world.run(until=world.clock() + timedelta(seconds=60))
    for number in range(5):
        world.app.intake.receive(
            written_event(ID, event_id=f"again-{number}", at=world.clock()), {}
        )
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1
    assert world.queues.waiting == []


def test_an_event_brings_the_next_look_forward() -> None:
    world = build_world(limits=Limits(tracking_min_s=15, tracking_max_s=36000))
    world.gallery.copy_s = 20000
    export(world)
    world.run(until=world.clock() + timedelta(seconds=1000))
    before = world.job(ID).next_attempt_at
    taken = world.app.intake.receive(written_event(ID, at=world.clock()), {})
    after = world.job(ID).next_attempt_at
    assert taken.action == "queued"
    assert before is not None
    assert after is not None
    assert after < before


def test_an_event_older_than_the_last_look_is_ignored() -> None:
    world = build_world()
    export(world)
    world.run()
    taken = world.app.intake.receive(written_event(ID, at=world.clock() - timedelta(seconds=5)), {})
    assert taken.action == "ignored"
    assert world.queues.waiting == []


def test_a_version_that_is_being_updated_by_someone_is_waited_for() -> None:
    world = build_world()
    export(world, state="Creating")
    world.run(until=world.clock() + timedelta(seconds=120))
    assert world.job(ID).phase is Phase.WAITING
    assert world.gallery.writes == []
    body = world.gallery.bodies[str(ID).lower()]
    body["properties"]["provisioningState"] = "Succeeded"
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


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


def test_a_lost_write_is_seen_and_made_again() -> None:
    world = build_world()
    world.gallery.lose_next_write = True
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 2
    assert {one.lost_updates for one in job.replicas} == {1}


def test_regions_that_a_rival_writer_dropped_in_flight_are_added_again() -> None:
    world = build_world()
    export(world)
    world.run(until=world.clock() + timedelta(seconds=100))
    rival: list[dict[str, Any]] = [
        {"name": "East US"},
        {"name": "Sweden Central", "regionalReplicaCount": 2},
    ]
    world.gallery.set_target_regions(ID, rival)
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert world.gallery.writes[-1][:2] == rival


def test_a_region_removed_after_success_is_respected_and_recorded() -> None:
    world = build_world()
    export(world)
    world.run()
    world.clock.advance(7200)
    entries = [
        one
        for one in world.gallery.bodies[str(ID).lower()]["properties"]["publishingProfile"][
            "targetRegions"
        ]
        if one["name"] != "westus3"
    ]
    world.gallery.set_target_regions(ID, entries)
    world.app.intake.receive(written_event(ID, at=world.clock()), {})
    world.run()
    job = world.job(ID)
    assert states(world)["westus3"] == "removed"
    assert job.phase is Phase.SUCCEEDED
    assert [one.region.name for one in job.left_out] == ["westus3"]
    assert "westus3" not in world.gallery.names(ID)


def test_an_operator_can_ask_for_a_removed_region_again() -> None:
    world = build_world()
    export(world)
    world.run()
    world.clock.advance(7200)
    world.gallery.set_target_regions(ID, [{"name": "East US"}])
    world.app.intake.receive(written_event(ID, at=world.clock()), {})
    world.run()
    assert set(states(world).values()) == {"removed"}
    world.app.intake.request(ID, trigger="operator", correlation_id="c")
    world.run()
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")


def test_the_policy_can_put_removed_regions_back() -> None:
    world = build_world(policy=ReplicationPolicy(restore_removed_regions=True))
    export(world)
    world.run()
    world.clock.advance(7200)
    world.gallery.set_target_regions(ID, [{"name": "East US"}])
    world.app.intake.receive(written_event(ID, at=world.clock()), {})
    world.run()
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")


def test_a_copy_that_fails_once_is_applied_again() -> None:
    world = build_world()
    world.gallery.failing = {"westus3": 1}
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 2
    assert world.gallery.writes[0] == world.gallery.writes[1]


def test_a_copy_that_fails_twice_is_removed_and_added_back_where_the_version_allows_it() -> None:
    world = build_world()
    world.gallery.failing = {"westus3": 2}
    export(world, may_remove=True)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    names = [[one["name"] for one in write] for write in world.gallery.writes]
    assert [("westus3" in write) for write in names] == [True, True, False, True]
    assert all(len(write) >= 8 for write in names)


def test_a_copy_that_fails_for_good_leaves_the_others_completed() -> None:
    world = build_world()
    world.gallery.failing = {"westus3": 99}
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.PARTIAL
    assert states(world) == {**dict.fromkeys(US_NEIGHBOURS, "completed"), "westus3": "failed"}
    assert job.failure is not None
    assert job.failure.code is FailureCode.COPY_FAILED
    (letter,) = world.letters.letters.values()
    assert letter.code == "copy_failed"
    assert "westus3" in letter.cause
    assert [event.type for event in world.topic.events][-1].endswith("ReplicationFailed")


def test_a_region_that_the_subscription_may_not_use_does_not_block_the_others() -> None:
    world = build_world()
    world.gallery.write_failures = [
        RegionUnavailableError("no access to westus3", regions=[Region("westus3")])
    ]
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    assert "westus3" not in states(world)
    (left_out,) = job.left_out
    assert left_out.region == Region("westus3")
    assert "no access to westus3" in left_out.reason


def test_a_refusal_that_names_no_region_is_narrowed_down_to_the_one_it_means() -> None:
    world = build_world()
    refusal = PermanentError(
        "ZRS storage account type is not supported in this region.",
        code=FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
    )
    world.gallery.write_failures = [refusal, refusal]
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    assert states(world) == dict.fromkeys(US_NEIGHBOURS[1:], "completed")
    (left_out,) = job.left_out
    assert left_out.region == Region("centralus")
    assert "ZRS" in left_out.reason


@pytest.mark.parametrize(
    "error",
    [
        ConflictError("someone writes", code="Conflict"),
        ThrottledError("slow down", code="TooManyRequests", retry_after_s=120),
        TransientError("ARM is down", code="unreachable"),
    ],
)
def test_a_refused_write_is_never_sent_again_as_it_was(error: TransientError) -> None:
    world = build_world()
    world.gallery.write_failures = [error]
    export(world)
    world.run(until=world.clock() + timedelta(seconds=1))
    assert world.job(ID).phase is Phase.WAITING
    assert world.gallery.writes == []
    body = world.gallery.bodies[str(ID).lower()]
    body["properties"]["publishingProfile"]["targetRegions"].append({"name": "swedencentral"})
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert {"name": "swedencentral"} in world.gallery.writes[0]


def test_a_pause_that_the_service_asks_for_is_kept() -> None:
    world = build_world()
    world.gallery.read_failures = []
    world.gallery.write_failures = [
        ThrottledError("slow down", code="TooManyRequests", retry_after_s=120)
    ]
    started = world.clock()
    export(world)
    world.run(until=started + timedelta(seconds=119))
    assert world.gallery.writes == []
    assert world.job(ID).failures_in_a_row == 0


def test_a_permanent_refusal_goes_to_the_desk_at_once() -> None:
    world = build_world()
    world.gallery.write_failures = [PermanentError("no rights", code=FailureCode.NOT_AUTHORISED)]
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.FAILED
    (letter,) = world.letters.letters.values()
    assert letter.code == "not_authorised"
    assert letter.image_version_id == str(ID)


def test_errors_without_end_exhaust_their_budget_and_end_on_the_desk() -> None:
    world = build_world(limits=Limits(retry_max_attempts=4))
    export(world)
    world.gallery.read_failures = [TransientError("down", code="unreachable") for _ in range(9)]
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.FAILED
    assert job.failure is not None
    assert job.failure.code is FailureCode.RETRIES_EXHAUSTED
    assert len(world.letters.letters) == 1


def test_the_deadline_ends_the_job_and_the_sweep_heals_the_record() -> None:
    world = build_world(limits=Limits(deadline_s=3600))
    world.gallery.copy_s = 20_000
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.FAILED
    assert job.failure is not None
    assert job.failure.code is FailureCode.DEADLINE_EXCEEDED
    world.clock.advance(30_000)
    world.app.sweep.run()
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_a_geography_with_one_region_gives_an_empty_plan_with_that_reason() -> None:
    world = build_world()
    export(world, location="swedencentral")
    job = world.job(ID)
    assert job.phase is Phase.SKIPPED
    assert job.reason == "Sweden has one region, so there is nothing to replicate to"
    assert world.queues.waiting == []


def test_a_detached_gallery_is_left_alone() -> None:
    policy = ReplicationPolicy(galleries=GalleryScope(detach=("lab*",)))
    world = build_world(policy=policy)
    export(world)
    assert world.store.rows == {}


def test_a_shallow_version_stays_in_its_region() -> None:
    world = build_world()
    export(world, mode="Shallow")
    job = world.job(ID)
    assert job.phase is Phase.SKIPPED
    assert len(job.left_out) == 8


def test_an_encrypted_version_is_left_out_where_no_key_is_named() -> None:
    world = build_world()
    entry = {"name": "eastus", "encryption": {"osDiskImage": {"diskEncryptionSetId": "/des"}}}
    export(world, regions=[entry])
    job = world.job(ID)
    assert job.phase is Phase.SKIPPED
    assert "encryption set" in job.left_out[0].reason


def test_a_second_worker_does_not_touch_a_job_that_is_claimed() -> None:
    world = build_world()
    export(world)
    message = world.queues.take()
    assert message is not None
    stored = world.store.load(ID.key)
    assert stored is not None
    lease = Lease(owner="someone", expires_at=world.clock() + timedelta(seconds=90))
    world.store.replace(stored, replace(stored.job, lease=lease))
    done = world.app.reconciler.reconcile(message)
    assert done.outcome == "busy"
    assert world.gallery.writes == []
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


def test_workers_that_die_again_and_again_end_on_the_desk() -> None:
    world = build_world()
    export(world)
    message = world.queues.take()
    assert message is not None
    for _ in range(10):
        stored = world.store.load(ID.key)
        assert stored is not None
        world.store.replace(stored, replace(stored.job, claims=stored.job.claims + 1))
    world.app.reconciler.reconcile(message)
    assert world.job(ID).phase is Phase.FAILED
    (letter,) = world.letters.letters.values()
    assert letter.code == "poison_message"


def test_new_regions_follow_the_policy() -> None:
    policy = ReplicationPolicy(
        replica_count=2,
        storage_account_type="Standard_ZRS",
        denied_regions=frozenset({Region("westus3")}),
        extra_regions=frozenset({Region("swedencentral")}),
    )
    world = build_world(policy=policy)
    export(world)
    world.run()
    expected = sorted({*US_NEIGHBOURS, "swedencentral"} - {"westus3"})
    assert sorted(states(world)) == expected
    assert world.gallery.writes[0][1] == {
        "name": "centralus",
        "regionalReplicaCount": 2,
        "storageAccountType": "Standard_ZRS",
    }
    assert {one.region.name: one.reason for one in world.job(ID).left_out} == {
        "westus3": "denied by the policy"
    }


def test_replicas_that_were_there_are_not_claimed_as_ours() -> None:
    world = build_world()
    regions = [{"name": "eastus"}, *({"name": name} for name in US_NEIGHBOURS)]
    export(world, regions=regions)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    assert {one.managed for one in job.replicas} == {False}
    assert world.gallery.writes == []
    assert all(one.state is ReplicaState.COMPLETED for one in job.replicas)
