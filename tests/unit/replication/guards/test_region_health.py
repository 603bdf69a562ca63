"""A region that fails for many versions is held back for all, tried by one, and released."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from replication.domain.errors import FailureCode, TransientError
from replication.domain.job import Phase, Replica, ReplicaState, ReplicationJob
from replication.domain.regions import Region
from replication.guards.region_health import CIRCUITS, REGION_HELD_BACK, REGION_RELEASED
from tests.support.builders import NOON, version_id
from tests.support.jobs import job as plain_job
from tests.support.scenarios.fleet import (
    HOLD_S,
    LIMITS,
    OTHERS,
    SICK,
    Fleet,
    a_fleet,
    hold_back,
    look_after,
)


@pytest.fixture(params=[1, 2], ids=["one instance", "two instances"])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    return a_fleet(request.param)


def test_a_region_that_fails_for_several_versions_is_held_back_with_one_alert(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    versions = hold_back(fleet)
    opened_at = fleet.world.clock()
    fleet.run(until=opened_at + timedelta(seconds=HOLD_S - 600))
    assert fleet.news() == [REGION_HELD_BACK]
    assert caplog.text.count('"circuit.opened"') == 1
    assert fleet.copies_since(opened_at) == []
    for one in versions[2:]:
        assert fleet.states(one) == {**dict.fromkeys(OTHERS, "completed"), SICK: "planned"}
        assert SICK not in fleet.gallery.names(one)
    for one in versions:
        job = fleet.world.job(one)
        assert job.phase is Phase.WAITING
        assert "westus3 is held back since" in job.reason
    (event,) = (one for one in fleet.world.topic.events if one.type == REGION_HELD_BACK)
    assert event.data["region"] == SICK
    assert event.data["failedVersions"] == 2


def test_one_version_tries_it_and_its_success_releases_everybody(fleet: Fleet) -> None:
    versions = hold_back(fleet)
    circuit = fleet.circuit()
    assert circuit is not None
    assert circuit.probe_at is not None
    fleet.gallery.ill.clear()
    fleet.run(until=circuit.probe_at + timedelta(seconds=420))
    assert len({one[1] for one in fleet.copies_since(circuit.probe_at)}) == 1
    fleet.run()
    assert [fleet.world.job(one).phase for one in versions] == [Phase.SUCCEEDED] * 5
    assert all(fleet.states(one)[SICK] == "completed" for one in versions)
    assert fleet.news() == [REGION_HELD_BACK, REGION_RELEASED]
    assert fleet.circuit() is None
    assert fleet.world.letters.letters == {}


def test_a_try_that_fails_holds_it_longer_and_tells_nobody_again(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    versions = hold_back(fleet)
    first = fleet.circuit()
    assert first is not None
    assert first.probe_at is not None
    fleet.run(until=first.probe_at + timedelta(seconds=2 * 420 + 600))
    second = fleet.circuit()
    assert second is not None
    assert second.probe_at is not None
    failed_at = max(one.at for one in second.failures)
    assert second.probe_at - failed_at == timedelta(seconds=2 * HOLD_S)
    assert second.holds == 2
    assert len(fleet.copies_since(first.probe_at)) == 1
    assert fleet.news() == [REGION_HELD_BACK]
    assert caplog.text.count('"circuit.held_longer"') == 1
    fleet.gallery.ill.clear()
    fleet.run()
    assert [fleet.world.job(one).phase for one in versions] == [Phase.SUCCEEDED] * 5
    assert fleet.news() == [REGION_HELD_BACK, REGION_RELEASED]


def test_a_held_region_ends_no_job_before_its_deadline_and_then_says_so() -> None:
    fleet = a_fleet(1, replace(LIMITS, circuit_hold_s=10 * 3600, deadline_s=4 * 3600))
    versions = hold_back(fleet)
    deadline = fleet.world.job(versions[-1]).schedule.deadline_at
    fleet.run(until=deadline - timedelta(seconds=600))
    assert {fleet.world.job(one).phase for one in versions} == {Phase.WAITING}
    fleet.run()
    for one in versions[2:]:
        job = fleet.world.job(one)
        assert job.phase is Phase.FAILED
        assert job.failure is not None
        assert job.failure.code is FailureCode.REGION_HELD_BACK
        assert "westus3 is held back since" in job.failure.message
    codes = {one.code for one in fleet.world.letters.letters.values()}
    assert codes == {"region_held_back"}
    assert {one.regions for one in fleet.world.letters.letters.values()} == {(SICK,)}


def test_jobs_that_are_over_take_no_probe_away_from_the_others() -> None:
    fleet = a_fleet(1, replace(LIMITS, circuit_hold_s=6 * 3600, deadline_s=4 * 3600))
    hold_back(fleet)
    fleet.run()
    circuit = fleet.circuit()
    assert circuit is not None
    assert circuit.probe_at is not None
    fleet.world.clock.now = circuit.probe_at + timedelta(seconds=60)
    fleet.gallery.ill.clear()
    fleet.apps[0].sweep.run()
    fleet.run(until=fleet.after(60))
    seen = fleet.circuit()
    assert seen is not None
    assert seen.probe_key is None
    fresh = fleet.export(9)
    fleet.run()
    assert fleet.world.job(fresh).phase is Phase.SUCCEEDED
    assert fleet.news() == [REGION_HELD_BACK, REGION_RELEASED]


def test_a_version_that_is_deleted_while_it_tries_does_not_block_the_others() -> None:
    fleet = a_fleet(1)
    versions = hold_back(fleet)
    circuit = fleet.circuit()
    assert circuit is not None
    assert circuit.probe_at is not None
    fleet.gallery.ill.clear()
    fleet.run(until=circuit.probe_at + timedelta(seconds=400))
    ((_, prober, _),) = fleet.copies_since(circuit.probe_at)
    del fleet.gallery.bodies[prober]
    fleet.run()
    phases = sorted(fleet.world.job(one).phase.value for one in versions)
    assert phases == ["succeeded"] * 4 + ["superseded"]
    assert fleet.news() == [REGION_HELD_BACK, REGION_RELEASED]


def test_a_completed_region_that_a_rival_took_out_waits_while_it_is_held_back() -> None:
    fleet = a_fleet(1)
    fleet.gallery.ill.clear()
    fleet.gallery.slowness = {"centralus": 40.0}
    watched = fleet.export(9)
    look_after(fleet, 500, watched)
    assert fleet.states(watched)[SICK] == "completed"
    fleet.gallery.ill.add(SICK)
    look_after(fleet, 500, fleet.export(0), fleet.export(1))
    assert fleet.news() == [REGION_HELD_BACK]
    kept = [
        entry
        for entry in fleet.gallery.bodies[str(watched).lower()]["properties"]["publishingProfile"][
            "targetRegions"
        ]
        if entry["name"] != SICK
    ]
    fleet.gallery.set_target_regions(watched, kept)
    fleet.gallery.slowness = {}
    look_after(fleet, 60, watched)
    job = fleet.world.job(watched)
    assert job.phase is Phase.WAITING
    assert "westus3 is held back since" in job.reason
    fleet.gallery.ill.clear()
    fleet.run()
    assert SICK in fleet.gallery.names(watched)
    assert fleet.world.job(watched).phase is Phase.SUCCEEDED


def replica(state: ReplicaState, cause: FailureCode = FailureCode.COPY_FAILED) -> Replica:
    return Replica(
        region=Region(SICK),
        state=state,
        reason="because",
        code=cause if state is ReplicaState.FAILED else None,
        planned_at=NOON,
    )


def with_replica(state: ReplicaState, *, number: int = 0) -> ReplicationJob:
    return plain_job(version_id(version=f"1.0.{number}"), replicas=(replica(state),))


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (ReplicaState.REPLICATING, ReplicaState.FAILED, True),
        (ReplicaState.REQUESTED, ReplicaState.FAILED, True),
        (ReplicaState.FAILED, ReplicaState.FAILED, False),
        (ReplicaState.PLANNED, ReplicaState.FAILED, False),
        (ReplicaState.COMPLETED, ReplicaState.FAILED, False),
        (ReplicaState.REPLICATING, ReplicaState.REMOVED, False),
    ],
)
def test_a_copy_counts_once_when_it_fails_under_our_eyes(
    before: ReplicaState, after: ReplicaState, *, counts: bool
) -> None:
    fleet = a_fleet(1)
    health = fleet.apps[0].reconciler.health
    health.learn(with_replica(before), with_replica(after))
    assert (fleet.circuit() is not None) == counts


@pytest.mark.parametrize("cause", [FailureCode.COPY_IMPOSSIBLE, FailureCode.SOURCE_TOO_LARGE])
def test_a_copy_that_cannot_be_made_anywhere_says_nothing_of_the_region(cause: FailureCode) -> None:
    fleet = a_fleet(1)
    failed = plain_job(replicas=(replica(ReplicaState.FAILED, cause),))
    fleet.apps[0].reconciler.health.learn(with_replica(ReplicaState.REPLICATING), failed)
    assert fleet.circuit() is None


def test_copies_that_fail_after_the_alert_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    fleet = a_fleet(1)
    health = fleet.apps[0].reconciler.health
    news = [
        health.learn(
            with_replica(ReplicaState.REPLICATING, number=number),
            with_replica(ReplicaState.FAILED, number=number),
        )
        for number in range(4)
    ]
    assert [len(events) for events in news] == [0, 1, 0, 0]
    assert caplog.text.count('"circuit.opened"') == 1
    assert '"circuit.held_longer"' not in caplog.text


def test_a_copy_that_works_forgets_the_failures_before_it_and_is_no_news() -> None:
    fleet = a_fleet(1)
    health = fleet.apps[0].reconciler.health
    health.learn(with_replica(ReplicaState.REPLICATING), with_replica(ReplicaState.FAILED))
    fleet.world.clock.advance(10)
    events = health.learn(
        with_replica(ReplicaState.REPLICATING, number=1),
        with_replica(ReplicaState.COMPLETED, number=1),
    )
    assert events == ()
    assert fleet.circuit() is None
    assert health.learn(plain_job(), with_replica(ReplicaState.COMPLETED)) == ()


def test_two_instances_that_want_the_probe_at_once_get_one_between_them() -> None:
    fleet = a_fleet(2)
    hold_back(fleet)
    circuit = fleet.circuit()
    assert circuit is not None
    assert circuit.probe_at is not None
    fleet.world.clock.now = circuit.probe_at
    first, second = (app.reconciler.health for app in fleet.apps)
    assert first.closed("a", [Region(SICK)]).keys() == {Region(SICK)}
    assert second.closed("b", [Region(SICK)]).keys() == {Region(SICK)}
    assert first.holds("a", [Region(SICK), Region("westus2")]) == {}
    (hold,) = second.holds("b", [Region(SICK)]).values()
    assert "being tried by another version" in hold.reason
    assert first.holds("a", [Region(SICK)]) == {}
    assert first.closed("a", [Region(SICK)]) == {}


def test_a_circuit_that_another_instance_has_closed_meanwhile_holds_nobody() -> None:
    fleet = a_fleet(2)
    hold_back(fleet)
    circuit = fleet.circuit()
    assert circuit is not None
    assert circuit.probe_at is not None
    fleet.world.clock.now = circuit.probe_at
    first, second = (app.reconciler.health for app in fleet.apps)
    assert first.closed("a", [Region(SICK)])  # it has read the circuit as open
    second.shared_state.remove(CIRCUITS, SICK)
    assert first.holds("a", [Region(SICK)]) == {}


def test_what_cannot_be_learnt_never_fails_a_replication(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = a_fleet(1)
    one = fleet.export(0)
    fleet.run(until=fleet.after(400))
    broken = fleet.world.controls.save

    def away(*_arguments: Any, **_named: Any) -> None:
        raise TransientError("the table is away")

    fleet.world.controls.save = away  # type: ignore[method-assign]
    fleet.run(until=fleet.after(60))
    fleet.world.controls.save = broken  # type: ignore[method-assign]
    assert '"circuit.unrecorded"' in caplog.text
    fleet.gallery.ill.clear()
    fleet.run()
    assert fleet.world.job(one).phase is Phase.SUCCEEDED


def test_a_refusal_is_remembered_for_the_subscription_until_somebody_asks() -> None:
    fleet = a_fleet(1)
    health = fleet.apps[0].reconciler.health
    until = fleet.after(3600)
    health.refuse("SUB-1", [Region(SICK), Region("westus2")], "no access", until=until)
    assert health.refused("sub-1") == {Region(SICK): "no access", Region("westus2"): "no access"}
    assert health.refused("sub-2") == {}
    health.forget_refusals("Sub-1")
    assert health.refused("sub-1") == {}
    health.refuse("sub-1", [Region(SICK)], "no access", until=until)
    fleet.world.clock.advance(3600)
    assert health.refused("sub-1") == {}
