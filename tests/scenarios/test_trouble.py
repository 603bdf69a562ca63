"""Scenarios on a fake clock: Azure refuses, fails, loses writes, or others edit the list."""

from datetime import timedelta
from typing import Any

import pytest

from replication.domain.errors import (
    ConflictError,
    FailureCode,
    PermanentError,
    ThrottledError,
    TransientError,
    UnknownAnswerError,
)
from replication.domain.job import Phase
from replication.domain.limits import Limits
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import Region, RegionRefusedError
from tests.support.builders import US_NEIGHBOURS, written_event
from tests.support.fakes import build_world
from tests.support.jobs import altered
from tests.support.scenarios.steps import ID, export, states


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
        RegionRefusedError(
            "no access to westus3",
            code=FailureCode.REGION_UNAVAILABLE,
            regions=[Region("westus3")],
        )
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
    refusal = RegionRefusedError(
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
    assert world.job(ID).tries.failures_in_a_row == 0


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


def test_a_version_whose_source_is_gone_is_one_letter_and_one_write_however_often_it_is_swept() -> (
    None
):
    world = build_world()
    export(world)
    world.gallery.lost_sources = {str(ID).lower()}
    world.run()
    for _ in range(30):
        world.clock.advance(3700)
        world.app.sweep.run()
        world.run()
    job = world.job(ID)
    assert job.phase is Phase.FAILED
    assert job.failure is not None
    assert job.failure.code is FailureCode.SOURCE_MISSING
    assert "removed" not in states(world).values()
    assert world.gallery.attempts == 1
    (letter,) = world.letters.letters.values()
    assert (letter.code, letter.state.value) == ("source_missing", "open")
    planned = world.app.planner.plan(ID)
    assert planned is not None
    assert planned.regions == []
    assert {one.region for one in planned.left_out} == set(US_NEIGHBOURS)
    assert {one.reason for one in planned.left_out} == {
        "its source is gone: NotFound: Source was not found"
    }


def test_a_source_that_is_back_is_tried_when_somebody_asks_or_writes_the_version() -> None:
    world = build_world()
    export(world)
    world.gallery.lost_sources = {str(ID).lower()}
    world.run()
    world.clock.advance(3600)
    world.app.intake.receive(written_event(ID, at=world.clock()), {})
    world.run()
    assert world.gallery.attempts == 2
    (letter,) = world.letters.letters.values()
    assert letter.code == "source_missing"
    world.gallery.lost_sources = set()
    world.app.intake.request(ID, trigger="somebody", correlation_id="c")
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    (letter,) = world.letters.letters.values()
    assert letter.state.value == "resolved"


def test_a_write_s_404_in_other_words_is_settled_by_the_next_look() -> None:
    world = build_world()
    export(world)
    unknown = UnknownAnswerError("NotFound: what?", code="NotFound")
    world.gallery.write_failures = [unknown]
    world.run(until=world.clock() + timedelta(seconds=1))
    assert world.job(ID).phase is Phase.WAITING
    del world.gallery.bodies[str(ID).lower()]
    world.run()
    assert world.job(ID).phase is Phase.SUPERSEDED
    assert world.letters.letters == {}


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


def test_workers_that_die_again_and_again_end_on_the_desk() -> None:
    world = build_world()
    export(world)
    message = world.queues.take()
    assert message is not None
    for _ in range(10):
        stored = world.store.load(ID.key)
        assert stored is not None
        world.store.replace(stored, altered(stored.job, claims=stored.job.tries.claims + 1))
    world.app.reconciler.reconcile(message)
    assert world.job(ID).phase is Phase.FAILED
    (letter,) = world.letters.letters.values()
    assert letter.code == "poison_message"
