from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from replication.azure.arm.image_version import read_version
from replication.domain.errors import FailureCode
from replication.domain.image_version import ImageVersion
from replication.domain.job import Failure, Phase, Replica, ReplicaState, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region
from replication.domain.target_regions import NewRegion
from replication.reconcile.decision import (
    Apply,
    Cancel,
    Decision,
    GiveUp,
    OverBudget,
    Partial,
    Pause,
    Repair,
    Retry,
    Skip,
    Succeed,
    Supersede,
    Track,
    Wait,
    Withdraw,
)
from replication.reconcile.observe import absorb, withheld_regions
from replication.reconcile.transitions import concluded, intend, withhold
from tests.support.builders import NOON, version_body, version_id
from tests.support.jobs import altered
from tests.support.jobs import job as plain_job

CATALOG = shipped_catalog()
LIMITS = Limits()
HOME, OTHER = Region("uksouth"), Region("ukwest")
LATER = NOON + timedelta(hours=1)


def version(*listed: Region, provisioning: str = "Succeeded", **status: Any) -> ImageVersion:
    regions = [{"name": region.name} for region in (HOME, *listed)]
    body = version_body(location=HOME.name, regions=regions, state=provisioning)
    if status:
        summary = [{"region": OTHER.name, **status}]
        body["properties"]["replicationStatus"] = {"summary": summary}
    return read_version(version_id(), body, CATALOG)


COMPLETED = version(OTHER, state="Completed")


def job(state: ReplicaState = ReplicaState.PLANNED, **replica: Any) -> ReplicationJob:
    one = Replica(region=OTHER, state=state, reason="r", planned_at=NOON, **replica)
    return plain_job(home_region=HOME, replicas=(one,))


def seen(
    before: ReplicationJob, now_shown: ImageVersion, *, policy: ReplicationPolicy | None = None
) -> ReplicationJob:
    rules = policy or ReplicationPolicy()
    withheld = withheld_regions(before, now_shown, rules, now=LATER)
    planned = plan(PlanSubject.of(now_shown), rules, CATALOG, withheld)
    return absorb(before, now_shown, planned, policy=ReplicationPolicy(), now=LATER, limits=LIMITS)


def only(one: ReplicationJob) -> Replica:
    (replica,) = one.replicas
    return replica


@pytest.mark.parametrize(
    ("before", "status", "expected"),
    [
        (ReplicaState.PLANNED, {}, ReplicaState.REQUESTED),
        (ReplicaState.REMOVED, {}, ReplicaState.REQUESTED),
        (ReplicaState.REPLICATING, {}, ReplicaState.REPLICATING),
        (ReplicaState.REQUESTED, {"state": "Replicating"}, ReplicaState.REPLICATING),
        (ReplicaState.REQUESTED, {"state": "Unknown"}, ReplicaState.REPLICATING),
        (ReplicaState.REQUESTED, {"state": "Completed"}, ReplicaState.COMPLETED),
        (ReplicaState.REQUESTED, {"state": "Failed"}, ReplicaState.FAILED),
        (ReplicaState.COMPLETED, {"state": "Replicating"}, ReplicaState.REPLICATING),
        (ReplicaState.COMPLETED, {"state": "Failed"}, ReplicaState.FAILED),
    ],
)
def test_a_replica_follows_what_azure_shows(
    before: ReplicaState, status: dict[str, str], expected: ReplicaState
) -> None:
    assert only(seen(job(before), version(OTHER, **status))).state is expected


def test_a_failure_reported_while_our_write_is_under_way_is_that_of_the_copy_before() -> None:
    requested = job(ReplicaState.REQUESTED)
    changing = version(OTHER, provisioning="Updating", state="Failed")
    assert only(seen(requested, changing)).state is ReplicaState.REQUESTED


def test_a_completed_copy_keeps_the_moment_at_which_it_was_first_seen() -> None:
    done = only(seen(job(), COMPLETED))
    assert (done.completed_at, done.progress) == (LATER, 100)
    before = job(ReplicaState.COMPLETED, completed_at=NOON)
    assert only(seen(before, COMPLETED)).completed_at == NOON


def test_a_region_that_left_plan_and_list_is_removed_or_forgotten() -> None:
    denied = ReplicationPolicy(denied_regions=frozenset({OTHER}))
    asked_for = seen(job(ReplicaState.REQUESTED), version(), policy=denied)
    assert only(asked_for).state is ReplicaState.REMOVED
    assert only(asked_for).reason == "denied by the policy"
    assert seen(job(ReplicaState.PLANNED), version(), policy=denied).replicas == ()


def test_a_region_that_left_the_plan_and_is_listed_is_followed_on() -> None:
    denied = ReplicationPolicy(denied_regions=frozenset({OTHER}))
    kept = seen(job(ReplicaState.REQUESTED), COMPLETED, policy=denied)
    assert only(kept).state is ReplicaState.COMPLETED


def test_a_region_removed_after_the_end_is_respected_unless_the_policy_says_otherwise() -> None:
    ended = replace(job(ReplicaState.COMPLETED), phase=Phase.SUCCEEDED)
    rules = ReplicationPolicy()
    assert list(withheld_regions(ended, version(), rules, now=LATER)) == [OTHER]
    restoring = replace(rules, restore_removed_regions=True)
    assert withheld_regions(ended, version(), restoring, now=LATER) == {}
    in_flight = replace(ended, phase=Phase.TRACKING)
    assert withheld_regions(in_flight, version(), rules, now=LATER) == {}
    superseded = replace(ended, phase=Phase.SUPERSEDED)
    assert withheld_regions(superseded, version(), rules, now=LATER) == {}


def test_a_refusal_is_remembered_until_it_expires() -> None:
    intended = job(intended=True)
    refused = withhold(intended, [OTHER], "no", until=LATER + timedelta(seconds=1))
    assert refused.replicas == ()
    assert [(one.region, one.reason) for one in refused.left_out] == [(OTHER, "no")]
    again = withhold(refused, [OTHER], "still no", until=LATER)
    assert [(one.region, one.reason) for one in again.left_out] == [(OTHER, "still no")]
    listed = withhold(job(ReplicaState.REQUESTED, intended=True), [OTHER], "no", until=LATER)
    assert not only(listed).intended
    rules = ReplicationPolicy()
    assert withheld_regions(refused, version(), rules, now=LATER) == {OTHER: "no"}
    much_later = LATER + timedelta(seconds=1)
    assert withheld_regions(refused, version(), rules, now=much_later) == {}
    assert only(withhold(intended, [HOME], "no", until=LATER)).intended


def test_an_intent_makes_the_region_ours_once_it_is_listed() -> None:
    new = [NewRegion(region=OTHER, replica_count=2), NewRegion(region=Region("mars"))]
    meant = intend(job(), new, "add", now=NOON)
    assert meant.phase is Phase.APPLYING
    assert (only(meant).intended, only(meant).managed, only(meant).replica_count) == (
        True,
        False,
        2,
    )
    assert only(seen(meant, version(OTHER))).managed


def test_a_write_is_counted_and_gives_every_region_its_copy() -> None:
    decision = Apply(regions=frozenset({OTHER}), reason="add")
    after = concluded(job(intended=True), decision, now=NOON, limits=LIMITS)
    replica = only(after)
    assert (after.tries.writes, after.tries.attempts, after.phase) == (1, 1, Phase.TRACKING)
    assert (replica.state, replica.attempts, replica.managed) == (ReplicaState.REQUESTED, 1, True)
    assert after.schedule.next_attempt_at == NOON + timedelta(seconds=LIMITS.tracking_min_s)
    again = concluded(after, decision, now=LATER, limits=LIMITS)
    assert only(again).lost_updates == 1


def test_a_write_after_a_failed_copy_is_no_lost_update() -> None:
    decision = Apply(regions=frozenset({OTHER}), reason="add")
    failed = job(ReplicaState.FAILED, attempts=1, intended=True)
    assert only(concluded(failed, decision, now=NOON, limits=LIMITS)).lost_updates == 0


def test_a_repair_is_noted_on_its_replica() -> None:
    decision = Repair(region=OTHER, reason="failed twice")
    after = concluded(job(ReplicaState.FAILED), decision, now=NOON, limits=LIMITS)
    assert only(after).rebuilding
    assert (after.phase, after.tries.writes) == (Phase.APPLYING, 1)
    stranger = Repair(region=Region("mars"), reason="not on record")
    assert not only(concluded(job(), stranger, now=NOON, limits=LIMITS)).rebuilding


def test_only_errors_count_as_failures_in_a_row_and_progress_ends_them() -> None:
    counted = concluded(job(), Retry(after_s=5, reason="r"), now=NOON, limits=LIMITS)
    quiet = concluded(counted, Retry(after_s=5, reason="r", counts=False), now=NOON, limits=LIMITS)
    assert (counted.tries.failures_in_a_row, quiet.tries.failures_in_a_row) == (1, 1)
    tracked = concluded(quiet, Track(after_s=5, reason="r"), now=NOON, limits=LIMITS)
    assert (tracked.tries.failures_in_a_row, tracked.tries.polls) == (0, 1)


def test_the_look_that_finds_the_copies_at_their_end_counts_as_one() -> None:
    tracking = concluded(job(), Track(after_s=5, reason="r"), now=NOON, limits=LIMITS)
    assert concluded(tracking, Succeed(reason="r"), now=NOON, limits=LIMITS).tries.polls == 2
    # Where nothing was copied, nothing was looked at.
    assert concluded(job(), Succeed(reason="r"), now=NOON, limits=LIMITS).tries.polls == 0


def test_a_wait_for_someone_else_costs_nothing() -> None:
    waited = concluded(job(), Wait(after_s=5, reason="r"), now=NOON, limits=LIMITS)
    assert (waited.phase, waited.tries.attempts, waited.tries.polls) == (Phase.WAITING, 0, 0)
    assert waited.schedule.next_attempt_at == NOON + timedelta(seconds=5)


def test_a_partial_end_keeps_its_failure() -> None:
    failure = Failure(code=FailureCode.COPY_FAILED, message="m")
    after = concluded(job(), Partial(reason="r", failure=failure), now=NOON, limits=LIMITS)
    assert (after.phase, after.failure) == (Phase.PARTIAL, failure)
    assert after.schedule.next_attempt_at is None


def test_a_nudge_during_the_look_brings_another_one_soon() -> None:
    nudged = altered(job(), look_again=True)
    soon = NOON + timedelta(seconds=LIMITS.tracking_min_s)
    tracked = concluded(nudged, Track(after_s=3000, reason="r"), now=NOON, limits=LIMITS)
    ended = concluded(nudged, Succeed(reason="r"), now=NOON, limits=LIMITS)
    assert (tracked.schedule.next_attempt_at, ended.schedule.next_attempt_at) == (soon, soon)
    assert not tracked.schedule.look_again


def test_a_job_that_is_opened_again_starts_anew() -> None:
    over = altered(job(), phase=Phase.SUCCEEDED, writes=9, failures_in_a_row=3, claims=2)
    opened = seen(over, version())
    # What kills the worker at every look is counted all the same.
    tries = opened.tries
    assert (tries.writes, tries.failures_in_a_row, tries.claims) == (0, 0, 2)
    assert opened.schedule.deadline_at == LATER + timedelta(seconds=LIMITS.deadline_s)
    applied = Apply(regions=frozenset({OTHER}), reason="add")
    assert concluded(opened, applied, now=LATER, limits=LIMITS).started_at == LATER
    assert concluded(opened, Succeed(reason="r"), now=LATER, limits=LIMITS).started_at == NOON
    # As it really goes: what is about to be added is noted before the write.
    intended = intend(opened, [], "add", now=LATER)
    assert concluded(intended, applied, now=LATER, limits=LIMITS).started_at == LATER
    assert intend(intended, [], "add", now=LATER + timedelta(hours=1)).started_at == LATER


def test_a_version_that_was_gone_and_is_back_has_nothing_of_the_one_before() -> None:
    gone = concluded(job(ReplicaState.COMPLETED), Supersede(reason="gone"), now=NOON, limits=LIMITS)
    assert only(gone).state is ReplicaState.REMOVED
    back = seen(gone, version())
    assert only(back).state is ReplicaState.PLANNED
    assert only(back).planned_at == LATER


def test_what_went_with_its_version_comes_back_with_it_even_if_a_look_failed_in_between() -> None:
    there = job(ReplicaState.COMPLETED)
    gone = concluded(there, Supersede(reason="gone"), now=NOON, limits=LIMITS)
    assert only(gone).state is ReplicaState.REMOVED
    stumbled = concluded(gone, Retry(after_s=5, reason="503"), now=NOON, limits=LIMITS)
    back = version()
    assert withheld_regions(stumbled, back, ReplicationPolicy(), now=LATER) == {}
    assert seen(stumbled, back).left_out == ()


def test_what_someone_removed_stays_away_at_every_later_look() -> None:
    away = job(ReplicaState.REMOVED, code=FailureCode.REMOVED_BY_SOMEONE, progress=None)
    assert withheld_regions(away, version(), ReplicationPolicy(), now=LATER) == {OTHER: "r"}


FAILURE = Failure(code=FailureCode.COPY_FAILED, message="m")
# After each decision: the phase, and in how many seconds the next look is, if there is one.
AFTER: dict[Decision, tuple[Phase, float | None]] = {
    Apply(regions=frozenset({OTHER}), reason="r"): (Phase.TRACKING, LIMITS.tracking_min_s),
    Repair(region=OTHER, reason="r"): (Phase.APPLYING, LIMITS.retry_base_s),
    Withdraw(regions=frozenset({OTHER}), reason="r"): (Phase.CANCELLED, LIMITS.retry_base_s),
    Track(after_s=40, reason="r"): (Phase.TRACKING, 40),
    Wait(after_s=40, reason="r"): (Phase.WAITING, 40),
    Pause(after_s=40, reason="r"): (Phase.WAITING, 40),
    Retry(after_s=40, reason="r"): (Phase.WAITING, 40),
    OverBudget(reason="r", failure=FAILURE): (Phase.WAITING, None),
    Succeed(reason="r"): (Phase.SUCCEEDED, None),
    Partial(reason="r", failure=FAILURE): (Phase.PARTIAL, None),
    Skip(reason="r"): (Phase.SKIPPED, None),
    Supersede(reason="r"): (Phase.SUPERSEDED, None),
    GiveUp(reason="r", failure=FAILURE): (Phase.FAILED, None),
    Cancel(reason="r"): (Phase.CANCELLED, None),
}


def test_every_decision_has_its_place_in_the_table() -> None:
    assert {type(decision) for decision in AFTER} == set(get_args(Decision))


@pytest.mark.parametrize("decision", AFTER, ids=lambda one: type(one).__name__)
def test_a_decision_ends_in_its_phase_and_is_looked_at_again_when_it_says(
    decision: Decision,
) -> None:
    phase, after_s = AFTER[decision]
    after = concluded(job(), decision, now=NOON, limits=LIMITS)
    assert (after.phase, after.reason) == (phase, "r")
    due = None if after_s is None else NOON + timedelta(seconds=after_s)
    assert after.schedule.next_attempt_at == due
