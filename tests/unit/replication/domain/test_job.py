from dataclasses import replace
from datetime import timedelta

import pytest

from replication.domain.job import IllegalTransitionError, Lease, Phase, Replica, ReplicaState
from replication.domain.regions import Region
from tests.support.builders import NOON
from tests.support.jobs import job


def replica(name: str = "westus2", state: ReplicaState = ReplicaState.PLANNED) -> Replica:
    return Replica(region=Region(name), state=state, reason="r", planned_at=NOON)


@pytest.mark.parametrize(
    "state", [one for one in ReplicaState if one not in ("planned", "removed")]
)
def test_a_replica_never_goes_back_to_planned(state: ReplicaState) -> None:
    with pytest.raises(IllegalTransitionError, match=f"westus2 cannot go from {state} to planned"):
        replica(state=state).to(ReplicaState.PLANNED, "why")


def test_a_removed_replica_may_be_planned_again() -> None:
    again = replica(state=ReplicaState.REMOVED).to(ReplicaState.PLANNED, "asked for")
    assert (again.state, again.reason) == (ReplicaState.PLANNED, "asked for")


@pytest.mark.parametrize("phase", [one for one in Phase if one is not Phase.PLANNED])
def test_a_job_never_goes_back_to_planned(phase: Phase) -> None:
    with pytest.raises(IllegalTransitionError, match=f"from {phase} back to planned"):
        job(phase=phase).to(Phase.PLANNED, "why", at=NOON)


def test_a_job_that_ends_twice_keeps_the_moment_of_the_first_end() -> None:
    ended = job().to(Phase.SUCCEEDED, "done", at=NOON)
    later = ended.to(Phase.SUCCEEDED, "still done", at=NOON + timedelta(hours=1))
    assert (ended.finished_at, later.finished_at) == (NOON, NOON)
    assert later.to(Phase.TRACKING, "again", at=NOON).finished_at is None


def test_the_next_look_is_due_when_its_moment_came() -> None:
    waiting = job(next_attempt_at=NOON)
    assert waiting.schedule.due_in_s(NOON - timedelta(seconds=5)) == 5
    assert waiting.schedule.due_in_s(NOON + timedelta(seconds=5)) == 0
    assert job().schedule.due_in_s(NOON) == 0


def test_replicas_are_found_and_put_in_place_by_region() -> None:
    changed = job().with_replicas(replica("westus3"), replica("eastus2"))
    changed = changed.with_replicas(replica("westus3", ReplicaState.COMPLETED))
    assert [one.region.name for one in changed.replicas] == ["eastus2", "westus3"]
    found = changed.replica(Region("westus3"))
    assert found is not None
    assert found.state is ReplicaState.COMPLETED
    assert changed.replica(Region("mars")) is None


def test_a_claim_counts_until_it_lapses_and_is_one_owners() -> None:
    leased = job(lease=Lease(owner="one", expires_at=NOON)).schedule
    assert leased.is_claimed(NOON - timedelta(seconds=1))
    assert not leased.is_claimed(NOON)
    assert leased.is_claimed_by("one")
    assert not leased.is_claimed_by("two")
    assert not job().schedule.is_claimed(NOON)
    assert not job().schedule.is_claimed_by("one")


def test_the_name_of_a_job_changes_with_its_regions_and_its_policy() -> None:
    plain = job()
    assert len(plain.job_id) == 32
    assert plain.with_replicas(replica()).job_id != plain.job_id
    assert replace(plain, policy_fingerprint="other").job_id != plain.job_id
