"""One example for each way in which a look can end."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from replication.azure.arm.image_version import read_version
from replication.domain.errors import FailureCode
from replication.domain.image_version import ImageVersion
from replication.domain.job import Phase, Replica, ReplicaState, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region
from replication.reconcile.decide import decide
from replication.reconcile.decision import (
    Apply,
    Cancel,
    Decision,
    GiveUp,
    Observation,
    Partial,
    Repair,
    Retry,
    Skip,
    Succeed,
    Supersede,
    Track,
    Wait,
    Withdraw,
)
from replication.reconcile.error_decision import decide_on_error
from replication.reconcile.reconciler import LookOutcome
from tests.support.builders import NOON, passing_error, version_body, version_id
from tests.support.jobs import altered
from tests.support.jobs import job as plain_job

CATALOG = shipped_catalog()
LIMITS = Limits(region_max_attempts=3, retry_base_s=5, retry_max_s=300, write_max_attempts=4)
# The United Kingdom has two regions, so every case needs one replica only.
HOME, OTHER = "uksouth", Region("ukwest")


def version(
    *,
    listed: bool = True,
    state: str = "Succeeded",
    copy: str | None = None,
    may_remove: bool = False,
    **status: Any,
) -> ImageVersion:
    regions = [{"name": HOME}] + ([{"name": OTHER.name}] if listed else [])
    body = version_body(location=HOME, regions=regions, state=state, may_remove=may_remove)
    if copy is not None:
        summary = [{"region": OTHER.name, "state": copy, **status}]
        body["properties"]["replicationStatus"] = {"summary": summary}
    return read_version(version_id(), body, CATALOG)


def job(state: ReplicaState = ReplicaState.PLANNED, **replica: Any) -> ReplicationJob:
    one = Replica(region=OTHER, state=state, reason="r", planned_at=NOON, **replica)
    return plain_job(home_region=Region(HOME), replicas=(one,))


def decided(
    on: ReplicationJob,
    seen: ImageVersion | None,
    *,
    now: datetime = NOON,
    policy: ReplicationPolicy | None = None,
    repair_allowed: bool = True,
) -> Decision:
    planned = plan(PlanSubject.of(seen), policy or ReplicationPolicy(), CATALOG) if seen else None
    return decide(
        Observation(
            job=on,
            version=seen,
            plan=planned,
            now=now,
            limits=LIMITS,
            repair_allowed=repair_allowed,
            chance=0.0,
        )
    )


def failed(**replica: Any) -> ReplicationJob:
    return job(
        ReplicaState.FAILED,
        failed_at=NOON - timedelta(hours=1),
        requested_at=NOON,
        managed=True,
        **replica,
    )


def test_a_version_that_is_not_there_supersedes() -> None:
    assert decided(job(), None) == Supersede(reason="the image version no longer exists")


def test_a_version_that_is_being_deleted_supersedes() -> None:
    decision = decided(job(), version(state="Deleting"))
    assert decision == Supersede(reason="the image version is being deleted")


def test_nothing_wanted_is_skipped_with_the_plans_reason() -> None:
    decision = decided(
        job(), version(), policy=ReplicationPolicy(denied_regions=frozenset({OTHER}))
    )
    assert isinstance(decision, Skip)
    assert "1 left out" in decision.reason


def test_all_wanted_regions_completed_is_success() -> None:
    decision = decided(job(ReplicaState.COMPLETED), version())
    assert decision == Succeed(reason=f"the one wanted region, {OTHER}, is Completed")


def test_success_counts_after_the_deadline_too() -> None:
    done = job(ReplicaState.COMPLETED)
    assert isinstance(decided(done, version(), now=done.schedule.deadline_at), Succeed)


def test_past_the_deadline_the_job_is_given_up_with_the_regions_that_are_behind() -> None:
    late = job(ReplicaState.REPLICATING)
    decision = decided(late, version(), now=late.schedule.deadline_at)
    assert isinstance(decision, GiveUp)
    assert decision.failure.code is FailureCode.DEADLINE_EXCEEDED
    assert decision.reason == "the deadline passed; not Completed: ukwest"


def test_missing_regions_are_added() -> None:
    decision = decided(job(), version(listed=False))
    assert decision == Apply(regions=frozenset({OTHER}), reason="add 1 region: ukwest")


def test_a_region_that_was_written_and_is_gone_was_lost() -> None:
    decision = decided(job(ReplicaState.REQUESTED, attempts=1), version(listed=False))
    assert isinstance(decision, Apply)
    assert decision.reason == "a write was lost, add again: ukwest"


def test_a_region_that_was_removed_for_repair_is_added_back() -> None:
    decision = decided(job(ReplicaState.FAILED, attempts=2, rebuilding=True), version(listed=False))
    assert isinstance(decision, Apply)
    assert decision.reason == "add back after the removal for repair: ukwest"


def test_regions_that_vanish_after_every_write_end_with_a_person() -> None:
    spent = altered(job(attempts=4), writes=4)
    decision = decided(spent, version(listed=False))
    assert isinstance(decision, GiveUp)
    assert decision.failure.code is FailureCode.WRITES_EXHAUSTED
    assert decision.reason == "4 writes did not bring ukwest into the list to stay"


def test_one_region_at_a_time_is_added_where_the_refused_one_is_not_known() -> None:
    extra = ReplicationPolicy(extra_regions=frozenset({Region("norwayeast")}))
    both = plain_job(
        home_region=Region(HOME),
        one_by_one=True,
        replicas=tuple(
            Replica(region=region, reason="r", planned_at=NOON)
            for region in (Region("norwayeast"), OTHER)
        ),
    )
    decision = decided(both, version(listed=False), policy=extra)
    assert isinstance(decision, Apply)
    assert decision.regions == {Region("norwayeast")}


@pytest.mark.parametrize("state", ["Creating", "Updating", "Migrating"])
def test_while_someone_else_is_at_work_nothing_is_written(state: str) -> None:
    decision = decided(job(), version(listed=False, state=state))
    assert isinstance(decision, Wait)
    assert decision.reason == f"the version is {state}; 1 region will be added when that is over"


def test_the_wait_for_a_creation_follows_the_progress_of_its_copies() -> None:
    body = version_body(location=HOME, regions=[{"name": HOME}], state="Creating")
    summary = [{"region": HOME, "state": "Replicating", "progress": 49}]
    body["properties"]["replicationStatus"] = {"summary": summary}
    creating = read_version(version_id(), body, CATALOG)
    decision = decided(job(), creating, now=NOON + timedelta(seconds=500))
    assert isinstance(decision, Wait)
    assert 490 <= decision.after_s <= 530


def test_an_update_with_nothing_missing_is_followed() -> None:
    decision = decided(job(ReplicaState.REPLICATING, progress=40), version(state="Updating"))
    assert isinstance(decision, Track)
    assert decision.reason == "Updating; under way: ukwest 40 %"


def test_a_copy_without_a_report_is_followed_too() -> None:
    decision = decided(job(ReplicaState.REQUESTED), version())
    assert decision == Track(after_s=LIMITS.tracking_min_s, reason="under way: ukwest ? %")


def test_a_failed_version_whose_copies_run_is_followed() -> None:
    decision = decided(job(ReplicaState.REPLICATING, progress=1), version(state="Failed"))
    assert isinstance(decision, Track)


def test_a_failed_copy_is_tried_again_plainly_first() -> None:
    decision = decided(failed(attempts=1), version(may_remove=True))
    assert isinstance(decision, Apply)
    assert decision.reason == "the copy failed in ukwest: apply the list again"


def test_a_failed_copy_waits_for_its_pause() -> None:
    just_now = job(ReplicaState.FAILED, attempts=2, failed_at=NOON - timedelta(seconds=4))
    decision = decided(just_now, version())
    assert isinstance(decision, Retry)
    assert (decision.after_s, decision.counts) == (6, False)


def test_a_copy_that_failed_again_is_removed_to_be_added_back() -> None:
    decision = decided(failed(attempts=2), version(may_remove=True, copy="Failed"))
    assert isinstance(decision, Repair)
    assert decision.region == OTHER


def test_a_copy_that_this_look_does_not_show_as_failed_is_not_removed() -> None:
    decision = decided(failed(attempts=2), version(may_remove=True))
    assert isinstance(decision, Apply)


@pytest.mark.parametrize(
    ("changes", "may_remove", "repair_allowed"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"managed": False}, True, True),
        ({"requested_at": None}, True, True),
        ({"rebuilding": True}, True, True),
    ],
)
def test_a_region_is_removed_only_if_it_is_ours_and_everyone_allows_it(
    *, changes: dict[str, Any], may_remove: bool, repair_allowed: bool
) -> None:
    base = failed(attempts=2)
    ours = base.with_replicas(replace(base.replicas[0], **changes))
    shown = version(may_remove=may_remove, copy="Failed")
    decision = decided(ours, shown, repair_allowed=repair_allowed)
    assert isinstance(decision, Apply)


def withdrawing(**changes: Any) -> ReplicationJob:
    ours = job(ReplicaState.REPLICATING, managed=True, requested_at=NOON, attempts=1)
    return altered(ours, phase=Phase.CANCELLED, withdrawing=True, **changes)


def test_a_cancelled_copy_that_this_look_does_not_show_is_looked_at_again_first() -> None:
    decision = decided(withdrawing(), version(may_remove=True))
    assert isinstance(decision, Wait)
    assert "no status is shown for ukwest" in decision.reason


def test_a_cancelled_copy_that_is_under_way_is_taken_out_again() -> None:
    shown = version(may_remove=True, copy="Replicating", state="Updating")
    decision = decided(withdrawing(), shown)
    assert isinstance(decision, Withdraw)
    assert decision.regions == {OTHER}


@pytest.mark.parametrize("spent", [True, False])
def test_what_cannot_be_taken_out_in_time_stays_and_the_reason_says_so(*, spent: bool) -> None:
    cancelled = withdrawing(writes=LIMITS.write_max_attempts) if spent else withdrawing()
    now = NOON if spent else cancelled.schedule.deadline_at
    decision = decided(cancelled, version(may_remove=True, copy="Replicating"), now=now)
    assert isinstance(decision, Cancel)
    assert decision.reason == "cancelled; ukwest could not be removed in time, and stay"


def test_the_only_wanted_copy_failed_too_often() -> None:
    spent = failed(attempts=3)
    decision = decided(spent, version())
    assert isinstance(decision, GiveUp)
    assert decision.failure.code is FailureCode.COPY_FAILED
    assert decision.reason == "the copy failed in every wanted region: ukwest (3 copies)"


def test_some_copies_failed_too_often_and_others_are_completed() -> None:
    extra = ReplicationPolicy(extra_regions=frozenset({Region("norwayeast")}))
    done = Replica(
        region=Region("norwayeast"), state=ReplicaState.COMPLETED, reason="", planned_at=NOON
    )
    body = version_body(
        location=HOME, regions=[{"name": name} for name in (HOME, "ukwest", "norwayeast")]
    )
    seen = read_version(version_id(), body, CATALOG)
    decision = decided(failed(attempts=3).with_replicas(done), seen, policy=extra)
    assert isinstance(decision, Partial)
    assert decision.reason == "1 of 2 regions are Completed; failed: ukwest (3 copies)"


def test_a_failed_copy_with_no_writes_left_does_not_stop_the_ones_under_way() -> None:
    extra = ReplicationPolicy(extra_regions=frozenset({Region("norwayeast")}))
    running = Replica(
        region=Region("norwayeast"), state=ReplicaState.REPLICATING, reason="", planned_at=NOON
    )
    body = version_body(
        location=HOME, regions=[{"name": name} for name in (HOME, "ukwest", "norwayeast")]
    )
    seen = read_version(version_id(), body, CATALOG)
    spent = altered(failed(attempts=1).with_replicas(running), writes=4)
    assert isinstance(decided(spent, seen, policy=extra), Track)


def on_error(
    on: ReplicationJob,
    kind: str,
    *,
    now: datetime = NOON,
    code: str = "503",
    message: str = "busy",
) -> Decision:
    return decide_on_error(
        on,
        passing_error(kind, message, code=code, retry_after_s=60),
        now=now,
        limits=Limits(retry_max_attempts=2),
        chance=0.0,
    )


def test_a_pause_that_was_asked_for_costs_no_retry() -> None:
    decision = on_error(altered(job(), failures_in_a_row=99), "throttled")
    assert decision == Retry(
        after_s=60, counts=False, reason="the service asks for a pause: 503: busy"
    )


@pytest.mark.parametrize("kind", ["throttled", "failed", "unknown"])
@pytest.mark.parametrize("now", [NOON, NOON + timedelta(days=99)])
def test_a_code_that_begins_the_message_is_said_once(kind: str, now: datetime) -> None:
    message = "Busy: come again"
    decision = on_error(job(), kind, now=now, code="Busy", message=message)
    assert decision.reason.count("Busy") == 1
    assert decision.reason.endswith(message)


def test_a_conflict_is_waited_out() -> None:
    decision = on_error(altered(job(), failures_in_a_row=99), "conflict")
    assert isinstance(decision, Wait)
    assert "look again before any write" in decision.reason


def test_a_failure_is_tried_again_until_the_tries_are_spent() -> None:
    assert on_error(altered(job(), failures_in_a_row=1), "failed") == Retry(
        after_s=60, reason="try 2 of 2 failed with 503: busy"
    )
    decision = on_error(altered(job(), failures_in_a_row=2), "failed")
    assert isinstance(decision, GiveUp)
    assert decision.failure.code is FailureCode.RETRIES_EXHAUSTED


@pytest.mark.parametrize("kind", ["throttled", "conflict", "failed"])
def test_the_deadline_ends_errors_of_every_kind(kind: str) -> None:
    decision = on_error(job(), kind, now=job().schedule.deadline_at)
    assert isinstance(decision, GiveUp)
    assert decision.failure.code is FailureCode.DEADLINE_EXCEEDED


def test_a_job_that_failed_already_is_not_given_up_for_the_deadline_again() -> None:
    over = replace(job(), phase=Phase.FAILED)
    assert isinstance(on_error(over, "failed", now=over.schedule.deadline_at), Retry)


def test_every_decision_has_its_word_among_the_outcomes_of_a_look() -> None:
    words = {decision.__name__.lower() for decision in get_args(Decision)}
    others = {"busy", "lease_lost", "recovered", "stale"}
    assert set(LookOutcome) == words | others
