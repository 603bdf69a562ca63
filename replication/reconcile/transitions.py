"""The transitions of a job: by what is about to be done, and by what was decided.

Pure functions; the clock is an argument.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from replication.domain.errors import FailureCode
from replication.domain.job import (
    Failure,
    Phase,
    ReplicaState,
    ReplicationJob,
    with_entry,
)
from replication.domain.limits import Limits
from replication.domain.plan import LeftOutRegion
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
from replication.reconcile.observe import off_the_list, on_the_list


def intend(
    job: ReplicationJob, new_regions: Iterable[NewRegion], reason: str, *, now: datetime
) -> ReplicationJob:
    """Note what is about to be added, before the write: a crash must not lose whose it is."""
    changed = []
    for new in new_regions:
        replica = job.replica(new.region)
        if replica is not None:
            changed.append(
                replace(
                    replica,
                    intended=True,
                    replica_count=new.replica_count,
                    storage_account_type=new.storage_account_type,
                )
            )
    return replace(job.with_replicas(*changed).to(Phase.APPLYING, reason, at=now), updated_at=now)


def withhold(
    job: ReplicationJob, regions: Iterable[Region], reason: str, *, until: datetime
) -> ReplicationJob:
    """Remember that Azure refused these regions to the subscription, and leave them out."""
    refused = dict.fromkeys(regions, (until, reason))
    replicas = tuple(
        replace(one, intended=False) if one.region in refused else one
        for one in job.replicas
        if one.region not in refused or one.state is not ReplicaState.PLANNED
    )
    left_out = [one for one in job.left_out if one.region not in refused]
    left_out += [LeftOutRegion(region=region, reason=reason) for region in refused]
    return replace(
        job,
        withheld={**job.withheld, **refused},
        replicas=replicas,
        left_out=tuple(sorted(left_out, key=lambda one: one.region)),
    )


def concluded(
    job: ReplicationJob, decision: Decision, *, now: datetime, limits: Limits
) -> ReplicationJob:
    """Return the job after a decision that was carried out, with the time of its next look.

    The lease ends with it, and the sequence number moves on, so that every message before this
    record is stale.
    """
    failure = None
    # Who cancelled wants nothing more of the job; why a removal failed stands in its reason.
    if isinstance(decision, Partial | GiveUp | OverBudget) and not job.withdrawing:
        failure = decision.failure
    job, after_s = _carried_out(job, decision, now, limits)
    if job.schedule.look_again:
        after_s = min(limits.tracking_min_s if after_s is None else after_s, limits.tracking_min_s)
    return _close(job, decision, after_s=after_s, failure=failure, now=now)


def _carried_out(  # noqa: C901, PLR0912 - one arm for each decision
    job: ReplicationJob, decision: Decision, now: datetime, limits: Limits
) -> tuple[ReplicationJob, float | None]:
    """Return the job after the decision, and in how many seconds to look again, if at all."""
    after_s: float | None = None
    phase = _END_AFTER.get(type(decision), Phase.WAITING)
    match decision:
        case Apply():
            job, phase = _applied(job, decision.regions, now), Phase.TRACKING
            after_s = limits.tracking_min_s
        case Repair():
            job, phase = _taken_out(job, decision.region), Phase.APPLYING
            after_s = limits.retry_base_s
        case Withdraw():
            job, phase = _withdrawn(job, decision, now), Phase.CANCELLED
            after_s = limits.retry_base_s
        case Track():
            job = replace(job, tries=job.tries.without_failures().one_poll())
            phase = Phase.TRACKING
            after_s = decision.after_s
        case Wait():
            after_s = decision.after_s
        case Pause():
            after_s = decision.after_s
            deadline_at = job.schedule.deadline_at + timedelta(seconds=after_s)
            job = replace(job, schedule=replace(job.schedule, deadline_at=deadline_at))
        case Retry():
            after_s = decision.after_s
            if decision.counts:
                job = replace(job, tries=job.tries.one_failure(unknown=decision.unknown))
        case Supersede():
            # What someone had removed before stays their word, should the version be restored.
            gone = (
                off_the_list(one, decision.reason, now)
                for one in job.replicas
                if one.code is not FailureCode.REMOVED_BY_SOMEONE
            )
            job = job.with_replicas(*gone)
        case Succeed():
            job = replace(_looked(job), budget_cleared=frozenset())
        case Partial() | GiveUp():
            job = _looked(job)
        case Skip() | Cancel() | OverBudget():
            pass
        case _:
            assert_never(decision)
    if job.withdrawing:
        phase = Phase.CANCELLED
        job = replace(job, withdrawing=after_s is not None)
        if not job.withdrawing:
            # Nobody looks any more, so nobody can tell whether a copy moves.
            job = replace(job, replicas=tuple(replace(r, stuck_since=None) for r in job.replicas))
    return job.to(phase, decision.reason, at=now), after_s


_END_AFTER: dict[type[Decision], Phase] = {
    Succeed: Phase.SUCCEEDED,
    Partial: Phase.PARTIAL,
    Skip: Phase.SKIPPED,
    Supersede: Phase.SUPERSEDED,
    GiveUp: Phase.FAILED,
    Cancel: Phase.CANCELLED,
}


def _looked(job: ReplicationJob) -> ReplicationJob:
    """Count the look that found the copies of a job at their end."""
    return replace(job, tries=job.tries.one_poll()) if job.phase is Phase.TRACKING else job


def _taken_out(job: ReplicationJob, region: Region) -> ReplicationJob:
    replica = job.replica(region)
    if replica is not None:
        job = job.with_replicas(replace(replica, rebuilding=True, progress=None))
    return replace(job, tries=job.tries.one_write())


def _withdrawn(job: ReplicationJob, decision: Withdraw, now: datetime) -> ReplicationJob:
    gone = [
        off_the_list(one, decision.reason, now)
        for one in job.replicas
        if one.region in decision.regions
    ]
    job = replace(job, tries=job.tries.without_failures().one_write())
    return job.with_replicas(*gone)


def _close(
    job: ReplicationJob,
    decision: Decision,
    *,
    after_s: float | None,
    failure: Failure | None,
    now: datetime,
) -> ReplicationJob:
    event = type(decision).__name__.lower()
    if not (isinstance(decision, Pause) and _said_before(job, event, decision.reason)):
        details: dict[str, object] = {
            "phase": job.phase.value,
            "regions": {one.region.name: one.state.value for one in job.replicas},
        }
        job = with_entry(job, event, decision.reason, now=now, details=details)
    next_look_at = None if after_s is None else now + timedelta(seconds=after_s)
    return replace(
        job,
        tries=replace(job.tries, claims=0),
        schedule=job.schedule.unclaimed().at(next_look_at),
        updated_at=now,
        failure=failure,
        letter_id=job.letter_id if failure in (None, job.failure) else job.own_letter_id,
    )


def _said_before(job: ReplicationJob, event: str, reason: str) -> bool:
    last = job.entries[-1] if job.entries else None
    return last is not None and (last.event, last.reason) == (event, reason)


def _applied(job: ReplicationJob, regions: frozenset[Region], now: datetime) -> ReplicationJob:
    changed = []
    for replica in job.replicas:
        if replica.region not in regions:
            continue
        lost = replica.attempts > 0 and replica.intended and not replica.rebuilding
        lost = lost and replica.state is not ReplicaState.FAILED
        # Asked for once more while it is in the list: that does not make it ours to remove.
        listed = replica.state is ReplicaState.FAILED and not replica.rebuilding
        asked = on_the_list(replica, now).to(ReplicaState.REQUESTED, "asked for, not reported yet")
        changed.append(
            replace(
                asked,
                managed=replica.managed or replica.intended,
                attempts=replica.attempts + 1,
                lost_updates=replica.lost_updates + (1 if lost else 0),
                rebuilding=False,
                progress=None,
                requested_at=replica.requested_at if listed else now,
                copying_since=now,
                progressed_at=None,
                stuck_since=None,
                completed_at=None,
            )
        )
    job = job.with_replicas(*changed)
    return replace(job, tries=job.tries.without_failures().one_write())
