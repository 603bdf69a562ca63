"""How a job's record evolves: by what is seen, by what is about to be done, by what was decided.

Pure functions; the clock is an argument.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from replication.decision import (
    Apply,
    Cancel,
    Decision,
    GiveUp,
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
from replication.errors import FailureCode
from replication.image_version import CopyState, ImageVersion, NewRegion, RegionalReplicationStatus
from replication.job import (
    Failure,
    HistoryEntry,
    HomeReplicas,
    Phase,
    Replica,
    ReplicaState,
    ReplicationJob,
)
from replication.limits import Limits
from replication.planning import ReplicationPlan
from replication.policy import ReplicationPolicy
from replication.regions import Region
from replication.stuck import with_stuck

_REMOVED = "removed by someone after it was Completed; ask for the replication to put it back"


def withheld_regions(
    job: ReplicationJob, version: ImageVersion, policy: ReplicationPolicy, *, now: datetime
) -> dict[Region, str]:
    """Return the regions that may not be added now, with the reason.

    A refusal is remembered until it expires. A region that vanished after the job had ended was
    removed by someone, which is respected; one that vanishes before is a lost update.
    """
    withheld = {region: reason for region, (until, reason) in job.withheld.items() if until > now}
    # A version that was gone and is there again has nothing to do with the one before.
    if not policy.restore_removed_regions and job.phase is not Phase.SUPERSEDED:
        for replica in job.replicas:
            if replica.region in version.listed:
                continue
            if replica.state is ReplicaState.COMPLETED and job.phase.is_end:
                withheld[replica.region] = _REMOVED
            # By someone: what went with its version comes back with it, whatever came between.
            by_someone = replica.code is FailureCode.REMOVED_BY_SOMEONE
            if replica.state is ReplicaState.REMOVED and by_someone:
                withheld[replica.region] = replica.reason
    return withheld


def absorb(
    job: ReplicationJob,
    version: ImageVersion,
    plan: ReplicationPlan,
    *,
    policy: ReplicationPolicy,
    now: datetime,
    limits: Limits,
) -> ReplicationJob:
    """Bring the record up to what the version and the plan show."""
    if job.phase.is_end and job.phase is not Phase.FAILED and not job.withdrawing:
        # A look at a job that was over opens a new run with a deadline of its own.
        job = replace(
            job,
            deadline_at=now + timedelta(seconds=limits.deadline_s),
            writes=0,
        )
        job = _working(job)
    if job.phase is Phase.SUPERSEDED:
        job = replace(job, replicas=(), withheld={})
    left_out = {one.region: one.reason for one in plan.left_out}
    replicas = []
    for wanted in plan.wanted:
        replica = job.replica(wanted.region) or Replica(
            region=wanted.region, reason=wanted.reason, planned_at=now
        )
        replicas.append(_see(replica, version, now))
    for replica in job.replicas:
        if replica.region in plan.wanted_regions:
            continue
        if replica.region in version.listed:
            replicas.append(_see(replica, version, now))
        elif replica.state is not ReplicaState.PLANNED:
            reason = left_out.get(replica.region, "no longer in the list nor in the plan")
            code = FailureCode.REMOVED_BY_SOMEONE if reason == _REMOVED else replica.code
            replicas.append(replace(_removed(replica, reason, now), code=code))
    return replace(
        job,
        home_region=version.home_region,
        geography=plan.geography,
        replicas=tuple(
            with_stuck(one, now=now, limits=limits)
            for one in sorted(replicas, key=lambda one: one.region)
        ),
        left_out=plan.left_out,
        catalog_source=plan.catalog_source,
        policy_fingerprint=policy.fingerprint,
        home=_home(version) or job.home,
        owner_tags=policy.owner_tags(version.tags),
        size_gb=version.size_gb if version.size_gb is not None else job.size_gb,
        observed_at=now,
    )


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
    """Remember that Azure refused these regions to the subscription."""
    refused = dict.fromkeys(regions, (until, reason))
    replicas = tuple(
        replace(one, intended=False) if one.region in refused else one for one in job.replicas
    )
    return replace(job, withheld={**job.withheld, **refused}, replicas=replicas)


def record(
    job: ReplicationJob, decision: Decision, *, now: datetime, limits: Limits
) -> ReplicationJob:
    """Write down a decision that was carried out, and when the next look is due.

    The lease ends with it, and the sequence number moves on, so that every message before this
    record is stale.
    """
    reopened = job.phase.is_end
    failure = None
    # Who cancelled wants nothing more of the job; why a removal failed stands in its reason.
    if isinstance(decision, Partial | GiveUp) and not job.withdrawing:
        failure = decision.failure
    job, after_s = _carried_out(job, decision, now, limits)
    if reopened and not job.phase.is_end:
        job = replace(job, started_at=now)
    if job.look_again:
        after_s = min(limits.tracking_min_s if after_s is None else after_s, limits.tracking_min_s)
    return _close(job, decision, after_s=after_s, failure=failure, now=now)


def _carried_out(  # noqa: C901 - one arm for each decision
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
            job, phase = replace(_working(job), polls=job.polls + 1), Phase.TRACKING
            after_s = decision.after_s
        case Wait():
            after_s = decision.after_s
        case Retry():
            after_s = decision.after_s
            if decision.counts:
                job = replace(
                    job,
                    failures_in_a_row=job.failures_in_a_row + 1,
                    unknown_in_a_row=job.unknown_in_a_row + (1 if decision.unknown else 0),
                    attempts=job.attempts + 1,
                )
        case Supersede():
            gone = (_removed(one, decision.reason, now) for one in job.replicas)
            job = job.with_replicas(*gone)
        case Succeed() | Skip() | Partial() | GiveUp() | Cancel():
            pass
        case _:
            assert_never(decision)
    if job.withdrawing:
        phase = Phase.CANCELLED
        job = replace(job, withdrawing=after_s is not None)
    return job.to(phase, decision.reason, at=now), after_s


_END_AFTER: dict[type[Decision], Phase] = {
    Succeed: Phase.SUCCEEDED,
    Partial: Phase.PARTIAL,
    Skip: Phase.SKIPPED,
    Supersede: Phase.SUPERSEDED,
    GiveUp: Phase.FAILED,
    Cancel: Phase.CANCELLED,
}


def _working(job: ReplicationJob) -> ReplicationJob:
    """Return the job with its failures forgotten: the service does what it is asked."""
    return replace(job, failures_in_a_row=0, unknown_in_a_row=0)


def _taken_out(job: ReplicationJob, region: Region) -> ReplicationJob:
    replica = job.replica(region)
    if replica is not None:
        job = job.with_replicas(replace(replica, rebuilding=True, progress=None))
    return replace(job, writes=job.writes + 1, attempts=job.attempts + 1)


def _withdrawn(job: ReplicationJob, decision: Withdraw, now: datetime) -> ReplicationJob:
    gone = [
        _removed(one, decision.reason, now)
        for one in job.replicas
        if one.region in decision.regions
    ]
    job = replace(_working(job), writes=job.writes + 1, attempts=job.attempts + 1)
    return job.with_replicas(*gone)


def _close(
    job: ReplicationJob,
    decision: Decision,
    *,
    after_s: float | None,
    failure: Failure | None,
    now: datetime,
) -> ReplicationJob:
    details: dict[str, object] = {
        "phase": job.phase.value,
        "regions": {one.region.name: one.state.value for one in job.replicas},
    }
    job = with_entry(
        job, type(decision).__name__.lower(), decision.reason, now=now, details=details
    )
    return replace(
        job,
        sequence=job.sequence + 1,
        claims=0,
        updated_at=now,
        next_attempt_at=None if after_s is None else now + timedelta(seconds=after_s),
        lease=None,
        look_again=False,
        failure=failure,
    )


def with_entry(
    job: ReplicationJob, event: str, reason: str, *, now: datetime, details: dict[str, object]
) -> ReplicationJob:
    """Return the job one revision further, with a line in its timeline."""
    revision = job.revision + 1
    entry = HistoryEntry(
        id=f"{int(now.timestamp() * 1_000_000):020d}-{revision:06d}",
        at=now,
        event=event,
        reason=reason,
        details=details,
    )
    # The last ones stay with it: two crashes in a row lose none either.
    return replace(job, revision=revision, entries=(*job.entries[-2:], entry))


def _applied(job: ReplicationJob, regions: frozenset[Region], now: datetime) -> ReplicationJob:
    changed = []
    for replica in job.replicas:
        if replica.region not in regions:
            continue
        lost = replica.attempts > 0 and replica.intended and not replica.rebuilding
        lost = lost and replica.state is not ReplicaState.FAILED
        # Asked for once more while it is in the list: that does not make it ours to remove.
        listed = replica.state is ReplicaState.FAILED and not replica.rebuilding
        asked = _listed(replica, now).to(ReplicaState.REQUESTED, "asked for, not reported yet")
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
    return replace(_working(job), writes=job.writes + 1, attempts=job.attempts + 1)


def _see(replica: Replica, version: ImageVersion, now: datetime) -> Replica:
    if replica.region not in version.listed:
        return replica
    target = next(one for one in version.target_regions if one.region == replica.region)
    replica = replace(
        _listed(replica, now),
        managed=replica.managed or replica.intended,
        rebuilding=False,
        replica_count=target.replica_count,
        storage_account_type=target.storage_account_type,
        copying_since=replica.copying_since or replica.requested_at or now,
    )
    status = version.replication.get(replica.region)
    if status is None:
        if replica.state in (ReplicaState.PLANNED, ReplicaState.REMOVED):
            return replica.to(ReplicaState.REQUESTED, "listed, not reported yet")
        return replica
    return _see_status(replica, version, status, now)


def _see_status(
    replica: Replica, version: ImageVersion, status: RegionalReplicationStatus, now: datetime
) -> Replica:
    if status.state is CopyState.COMPLETED:
        return replace(
            replica.to(ReplicaState.COMPLETED, "Completed"),
            progress=100,
            completed_at=replica.completed_at or now,
            failed_at=None,
        )
    if status.state is CopyState.FAILED:
        if replica.state is ReplicaState.REQUESTED and version.is_changing:
            return replica  # the word is still that of the copy before
        failed_now = replica.state is not ReplicaState.FAILED
        return replace(
            replica.to(ReplicaState.FAILED, status.details or "Azure reports Failed, no details"),
            code=FailureCode.COPY_FAILED,
            progress=status.progress,
            failed_at=now if failed_now else replica.failed_at,
        )
    further = (status.progress or 0) > (replica.progress or 0)
    began = replica.state is not ReplicaState.REPLICATING
    running = replica.to(ReplicaState.REPLICATING, status.details or f"Azure: {status.state}")
    return replace(
        running,
        progress=status.progress,
        progressed_at=now if further or began else replica.progressed_at,
        completed_at=None,
        failed_at=None,
    )


def _listed(replica: Replica, now: datetime) -> Replica:
    """Note since when the region is listed; one that was taken out and is back begins anew."""
    since = replica.listed_at if replica.removed_at is None else None
    return replace(replica, listed_at=since or now, removed_at=None)


def _removed(replica: Replica, reason: str, now: datetime) -> Replica:
    return replace(
        replica.to(ReplicaState.REMOVED, reason),
        progress=None,
        stuck_since=None,
        removed_at=replica.removed_at or now,
    )


def _home(version: ImageVersion) -> HomeReplicas | None:
    for target in version.target_regions:
        if target.region == version.home_region:
            return HomeReplicas(
                replica_count=target.replica_count,
                storage_account_type=target.storage_account_type,
            )
    return None
