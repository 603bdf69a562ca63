"""Scenarios on a fake clock: an export becomes Completed replicas."""

from datetime import timedelta

from replication.domain.job import Phase, ReplicaState
from replication.domain.limits import Limits
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.domain.regions import Region
from tests.support.builders import US_NEIGHBOURS, written_event
from tests.support.fakes import build_world
from tests.support.scenarios.steps import ID, export, states


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
        assert job.tries.arm_calls == world.gallery.reads + len(world.gallery.writes)
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
    before = world.job(ID).schedule.next_attempt_at
    taken = world.app.intake.receive(written_event(ID, at=world.clock()), {})
    after = world.job(ID).schedule.next_attempt_at
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
