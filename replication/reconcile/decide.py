"""Decide what to do next with a job: pure, total, and always with a reason."""

from datetime import datetime

from replication.domain import formatting
from replication.domain.copy_progress import stuck
from replication.domain.errors import FailureCode
from replication.domain.failures import may_copy_again
from replication.domain.image_version import CopyState, ImageVersion
from replication.domain.job import Failure, Phase, Replica, ReplicaState, ReplicationJob
from replication.domain.plan import ReplicationPlan
from replication.domain.regions import Region
from replication.reconcile.backoff import CopyProgress, tracking_delay_s
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


def decide(seen: Observation) -> Decision:  # noqa: PLR0911 - one guard for each way out
    """Decide the next step from what is seen; never from what was said."""
    version, plan, job = seen.version, seen.plan, seen.job
    if version is None or plan is None:
        return Supersede(reason="the image version no longer exists")
    if version.is_going:
        return Supersede(reason="the image version is being deleted")
    if job.withdrawing:
        return _withdraw(seen, version)
    wanted = [one for one in job.replicas if one.region in plan.wanted_regions]
    if not wanted:
        return _nothing_wanted(job, plan)
    missing = frozenset(one.region for one in wanted if one.region not in version.listed)
    done = ReplicaState.COMPLETED
    open_replicas = [one for one in wanted if one.state is not done or one.region in missing]
    if not missing and not open_replicas:
        if len(wanted) == 1:
            return Succeed(reason=f"the one wanted region, {wanted[0].region}, is Completed")
        return Succeed(reason=f"all {len(wanted)} wanted regions are Completed")
    if seen.is_late:
        return _deadline(seen, open_replicas)
    if version.is_changing:
        return _while_changing(seen, missing, open_replicas)
    if missing - seen.held.keys():
        return _apply_missing(seen, missing - seen.held.keys())
    return _follow(seen, wanted, open_replicas)


def _nothing_wanted(job: ReplicationJob, plan: ReplicationPlan) -> Decision:
    if job.phase is Phase.FAILED and job.failure is not None and job.withheld:
        # Every region was refused to it, which a look does not change.
        return GiveUp(reason=plan.reason, failure=job.failure)
    return Skip(reason=plan.reason)


def _deadline(seen: Observation, behind: list[Replica]) -> Decision:
    names = ", ".join(one.region.name for one in behind)
    first = seen.job.failure
    if seen.job.phase is Phase.FAILED and first is not None:
        reason = f"looked at again, still not Completed: {names}; {first.message}"
        return GiveUp(reason=reason, failure=first)
    message = f"not Completed by {formatting.moment(seen.job.schedule.deadline_at)}: {names}"
    code = FailureCode.DEADLINE_EXCEEDED
    holds = [seen.held[one.region] for one in behind if one.region in seen.held]
    if len(holds) == len(behind):
        code = FailureCode.REGION_HELD_BACK
    if holds:
        message = "; ".join((message, *(hold.reason for hold in holds)))
    failure = Failure(code=code, message=message)
    return GiveUp(reason=f"the deadline passed; not Completed: {names}", failure=failure)


def _while_changing(
    seen: Observation, missing: frozenset[Region], open_replicas: list[Replica]
) -> Decision:
    state = seen.version.provisioning_state if seen.version else ""
    if not missing:
        return _track(seen, open_replicas, f"{state}; ")
    # Whatever is under way, a creation most of all, shows its progress region by region.
    under_way = [
        CopyProgress(elapsed_s=_age_s(seen), percent=status.progress)
        for status in (seen.version.replication.values() if seen.version else ())
        if status.state is CopyState.REPLICATING
    ]
    after_s = tracking_delay_s(under_way, seen.limits, chance=seen.chance)
    return Wait(
        after_s=after_s,
        reason=f"the version is {state}; {_count(len(missing))} will be added when that is over",
    )


def _apply_missing(seen: Observation, missing: frozenset[Region]) -> Decision:
    job = seen.job
    names = ", ".join(sorted(region.name for region in missing))
    if job.lost_its_source and job.failure is not None:
        # Asked again it would be refused again: until somebody asks for it, or writes the version.
        return GiveUp(reason=f"its source is gone, not added: {names}", failure=job.failure)
    if not seen.may_write:
        return GiveUp(
            reason=f"{job.tries.writes} writes did not bring {names} into the list to stay",
            failure=Failure(
                code=FailureCode.WRITES_EXHAUSTED,
                message="regions kept vanishing from the list; is another writer removing them?",
            ),
        )
    if job.one_by_one:
        missing = frozenset({min(missing)})
        names = min(missing).name
    lost = [one for one in job.replicas if one.region in missing and one.attempts > 0]
    if any(not one.rebuilding for one in lost):
        return Apply(regions=missing, reason=f"a write was lost, add again: {names}")
    if lost:
        return Apply(regions=missing, reason=f"add back after the removal for repair: {names}")
    return Apply(regions=missing, reason=f"add {_count(len(missing))}: {names}")


def _follow(seen: Observation, wanted: list[Replica], open_replicas: list[Replica]) -> Decision:
    listed = seen.version.listed if seen.version else frozenset[Region]()
    failed = [one for one in open_replicas if one.state is ReplicaState.FAILED]
    running = [
        one
        for one in open_replicas
        if one.state is not ReplicaState.FAILED and one.region in listed
    ]
    hopeful = [one for one in failed if may_copy_again(one.code, one.attempts, seen.limits)]
    free = [one for one in hopeful if one.region not in seen.held]
    if free and seen.may_write:
        return _try_again(seen, free)
    if running:
        return _track(seen, running, "")
    unlisted = [one for one in open_replicas if one.region not in listed]
    if unlisted or (hopeful and seen.may_write):
        return _until_released(seen, [*unlisted, *hopeful])
    spent = failed[0]
    names = ", ".join(f"{one.region} ({one.attempts} copies)" for one in failed)
    failure = Failure(code=spent.code or FailureCode.COPY_FAILED, message=spent.reason)
    completed = len(wanted) - len(failed)
    if completed:
        return Partial(
            reason=f"{completed} of {len(wanted)} regions are Completed; failed: {names}",
            failure=failure,
        )
    return GiveUp(reason=f"the copy failed in every wanted region: {names}", failure=failure)


def _until_released(seen: Observation, waiting: list[Replica]) -> Wait:
    """Wait for regions whose circuits are open; everything else is done."""
    holds = [seen.held[one.region] for one in waiting if one.region in seen.held]
    until = min(hold.until for hold in holds)
    remaining_s = (until - seen.now).total_seconds() * (1 + seen.chance / 10)
    after_s = min(seen.limits.tracking_max_s, max(seen.limits.tracking_min_s, remaining_s))
    return Wait(after_s=after_s, reason="; ".join(dict.fromkeys(hold.reason for hold in holds)))


def _withdraw(seen: Observation, version: ImageVersion) -> Decision:
    """Remove what this app added and what is not yet Completed; leave everything else."""
    unfinished = [
        one.region
        for one in seen.job.replicas
        if one.managed
        and one.requested_at is not None
        and one.region in version.listed
        and one.state is not ReplicaState.COMPLETED
    ]
    unseen = [region for region in unfinished if region not in version.replication]
    if unseen and not seen.is_late:
        # It may be Completed by now; what is Completed stays.
        return Wait(
            after_s=seen.limits.tracking_min_s,
            reason=f"cancelled; no status is shown for {unseen[0]}, look again before removing it",
        )
    names = ", ".join(region.name for region in unfinished)
    if not unfinished:
        return Cancel(reason="cancelled; nothing that was added is left unfinished")
    if not version.may_remove_regions:
        return Cancel(
            reason=f"cancelled; the version's safety profile keeps {names} from being removed"
        )
    if seen.is_late or not seen.may_write:
        return Cancel(reason=f"cancelled; {names} could not be removed in time, and stay")
    return Withdraw(regions=frozenset(unfinished), reason=f"cancelled: remove {names} again")


def _try_again(seen: Observation, hopeful: list[Replica]) -> Decision:
    """Apply again first; where that failed too, the service's recipe is remove and add back."""
    now, limits = seen.now, seen.limits
    due: list[Replica] = []
    pauses: list[float] = []
    for replica in hopeful:
        since_s = (now - replica.failed_at).total_seconds() if replica.failed_at else 0.0
        pause_s = min(limits.retry_max_s, limits.retry_base_s * 2 ** max(0, replica.attempts - 1))
        if since_s >= pause_s:
            due.append(replica)
        else:
            pauses.append(pause_s - since_s)
    if not due:
        names = ", ".join(one.region.name for one in hopeful)
        return Retry(
            after_s=min(pauses), counts=False, reason=f"the copy failed in {names}; try again later"
        )
    version = seen.version
    for replica in due:
        # The first copy and one plain try again come before the removal.
        tried_plainly = replica.attempts >= limits.region_max_attempts - 1
        ours = replica.managed and replica.requested_at is not None
        removable = version is not None and version.may_remove_regions and seen.repair_allowed
        # What this very look does not show as failed may be Completed by now.
        shown = version.replication.get(replica.region) if version is not None else None
        removable = removable and shown is not None and shown.state is CopyState.FAILED
        if tried_plainly and ours and removable and not replica.rebuilding:
            return Repair(
                region=replica.region,
                reason=f"the copy in {replica.region} failed {replica.attempts} times: remove it "
                "and add it back",
            )
    regions = frozenset(one.region for one in due)
    names = ", ".join(sorted(region.name for region in regions))
    return Apply(regions=regions, reason=f"the copy failed in {names}: apply the list again")


def _track(seen: Observation, running: list[Replica], prefix: str) -> Decision:
    copies = [
        CopyProgress(
            elapsed_s=max(0.0, (seen.now - _copy_start(replica)).total_seconds()),
            percent=replica.progress,
        )
        for replica in running
        if replica.state is not ReplicaState.FAILED
    ]
    after_s = tracking_delay_s(copies, seen.limits, chance=seen.chance)
    progress = ", ".join(_progress(one, seen) for one in running)
    return Track(after_s=after_s, reason=f"{prefix}under way: {progress}")


def _progress(replica: Replica, seen: Observation) -> str:
    percent = "?" if replica.progress is None else replica.progress
    found = stuck(replica, now=seen.now, limits=seen.limits)
    return f"{replica.region} {percent} %" + (f" ({found.reason})" if found else "")


def _copy_start(replica: Replica) -> datetime:
    return replica.copying_since or replica.requested_at or replica.planned_at


def _age_s(seen: Observation) -> float:
    return max(0.0, (seen.now - seen.job.started_at).total_seconds())


def _count(number: int) -> str:
    return "1 region" if number == 1 else f"{number} regions"
