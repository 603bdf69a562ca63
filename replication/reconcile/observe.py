"""How a job's record takes in what a look shows: the version, its list, its copies, its plan.

Pure functions; the clock is an argument.
"""

from dataclasses import replace
from datetime import datetime

from replication.domain.copy_progress import with_stuck
from replication.domain.errors import FailureCode
from replication.domain.image_version import CopyState, ImageVersion, RegionalReplicationStatus
from replication.domain.job import (
    HomeReplicas,
    Phase,
    Replica,
    ReplicaState,
    ReplicationJob,
    with_entry,
)
from replication.domain.limits import Limits
from replication.domain.plan import ReplicationPlan
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import Region

_RESTORED = "the version was deleted and is there again as it was; its plan is the one of before"
_REMOVED = "removed by someone after it was Completed; ask for the replication to put it back"


def withheld_regions(
    job: ReplicationJob, version: ImageVersion, policy: ReplicationPolicy, *, now: datetime
) -> dict[Region, str]:
    """Return the regions that may not be added now, with the reason.

    A refusal is remembered until it expires. A region that vanished after the job had ended was
    removed by someone, which is respected; one that vanishes before is a lost update.
    """
    withheld = {region: reason for region, (until, reason) in job.withheld.items() if until > now}
    if not policy.restore_removed_regions and not _is_another(job, version):
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
    over = job.phase.is_end and job.phase is not Phase.FAILED and not job.withdrawing
    if over or job.held_by_budget:
        # A look at a job that was over, or held, opens a new run with a deadline of its own.
        job = replace(
            job,
            # The claim for this look counts until its record is written.
            tries=job.tries.fresh(claims=job.tries.claims),
            schedule=job.schedule.fresh(now, limits),
        )
    if _is_another(job, version):
        job = replace(job, replicas=(), withheld={})
    elif job.phase is Phase.SUPERSEDED and not version.is_going:
        job = with_entry(job, "restored", _RESTORED, now=now, details={})
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
            replicas.append(replace(off_the_list(replica, reason, now), code=code))
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
        schedule=replace(job.schedule, observed_at=now),
    )


def _is_another(job: ReplicationJob, version: ImageVersion) -> bool:
    """Tell whether it is not the version that was seen here, but a later one of the same name.

    A version that was restored was published before the last look that saw it.
    """
    seen_at, published_at = job.schedule.observed_at, version.published_at
    if job.phase is not Phase.SUPERSEDED:
        return False
    return seen_at is None or published_at is None or published_at > seen_at


def _see(replica: Replica, version: ImageVersion, now: datetime) -> Replica:
    if replica.region not in version.listed:
        return replica
    target = next(one for one in version.target_regions if one.region == replica.region)
    replica = replace(
        on_the_list(replica, now),
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
            code=status.cause or FailureCode.COPY_FAILED,
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


def on_the_list(replica: Replica, now: datetime) -> Replica:
    """Note since when the region is listed; one that was taken out and is back begins anew."""
    since = replica.listed_at if replica.removed_at is None else None
    return replace(replica, listed_at=since or now, removed_at=None)


def off_the_list(replica: Replica, reason: str, now: datetime) -> Replica:
    """Return a replica that is no longer in the list, or never came into it."""
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
