"""Decide what to do next with a job: pure, total, and always with a reason."""

from dataclasses import dataclass
from datetime import datetime

from replication.backoff import CopyProgress, retry_delay_s, tracking_delay_s
from replication.errors import FailureCode
from replication.image_version import CopyState, ImageVersion, ProvisioningState
from replication.job import Failure, Phase, Replica, ReplicaState, ReplicationJob
from replication.limits import Limits
from replication.planning import ReplicationPlan
from replication.regions import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Write the list once with these regions in it."""

    regions: frozenset[Region]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Look again later: copies are under way. No error, no retry."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Look again later: someone else is at work on the version."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again later: something failed that may work then."""

    after_s: float
    reason: str
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Remove one failed region, so that the next look adds it back."""

    region: Region
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed:
    """Every wanted region is Completed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Some wanted regions are Completed, and the others cannot be."""

    reason: str
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """There is nothing to replicate."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersede:
    """The image version is gone."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """A person has to act."""

    reason: str
    failure: Failure


Decision = Apply | Track | Wait | Retry | Repair | Succeed | Partial | Skip | Supersede | GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is known at one moment.

    `job` has absorbed `version` already; `version` is None when the image version is gone.
    `chance` is a random number in [0, 1) for the jitter of delays.
    """

    job: ReplicationJob
    version: ImageVersion | None
    plan: ReplicationPlan | None
    now: datetime
    limits: Limits
    repair_allowed: bool
    chance: float


def decide(seen: Observation) -> Decision:  # noqa: PLR0911 - one guard for each way out
    """Decide the next step from what is seen; never from what was said."""
    version, plan, job = seen.version, seen.plan, seen.job
    if version is None or plan is None:
        return Supersede(reason="the image version no longer exists")
    if version.provisioning_state is ProvisioningState.DELETING:
        return Supersede(reason="the image version is being deleted")
    wanted = [one for one in job.replicas if one.region in plan.wanted_regions]
    if not wanted:
        return Skip(reason=plan.reason)
    missing = frozenset(one.region for one in wanted if one.region not in version.listed)
    open_replicas = [one for one in wanted if one.state is not ReplicaState.COMPLETED]
    if not missing and not open_replicas:
        return Succeed(reason=f"all {len(wanted)} wanted regions are Completed")
    if seen.now >= job.deadline_at:
        return _deadline(seen, wanted)
    if version.is_changing:
        return _while_changing(seen, missing, open_replicas)
    if missing:
        return _apply_missing(seen, missing)
    return _follow(seen, wanted, open_replicas)


def decide_on_error(
    job: ReplicationJob,
    *,
    now: datetime,
    limits: Limits,
    chance: float,
    code: str,
    message: str,
    retry_after_s: float | None,
    kind: str,
) -> Decision:
    """Decide after a transient error of the kinds `throttled`, `conflict` and `failed`.

    A pause that the service asks for, and a conflict with another writer, cost no retry; only
    the deadline ends them.
    """
    if now >= job.deadline_at and job.phase is not Phase.FAILED:
        return GiveUp(
            reason=f"the deadline passed while the service answered {code}: {message}",
            failure=Failure(code=FailureCode.DEADLINE_EXCEEDED, message=f"{code}: {message}"),
        )
    attempt = job.failures_in_a_row + 1
    after_s = retry_delay_s(attempt, limits, chance=chance, retry_after_s=retry_after_s)
    if kind == "conflict":
        return Wait(
            after_s=after_s,
            reason=f"another writer is at work ({code}); look again before any write",
        )
    if kind == "throttled":
        return Retry(
            after_s=after_s,
            counts=False,
            reason=f"the service asks for a pause ({code}): {message}",
        )
    if attempt > limits.retry_max_attempts:
        return GiveUp(
            reason=f"failed {attempt} times in a row, the last time with {code}: {message}",
            failure=Failure(code=FailureCode.RETRIES_EXHAUSTED, message=f"{code}: {message}"),
        )
    return Retry(
        after_s=after_s,
        reason=f"try {attempt} of {limits.retry_max_attempts} failed with {code}: {message}",
    )


def _deadline(seen: Observation, wanted: list[Replica]) -> Decision:
    behind = [one for one in wanted if one.state is not ReplicaState.COMPLETED]
    names = ", ".join(one.region.name for one in behind)
    failure = Failure(
        code=FailureCode.DEADLINE_EXCEEDED,
        message=f"not Completed by {seen.job.deadline_at.isoformat()}: {names}",
    )
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
    job, limits = seen.job, seen.limits
    if job.writes >= limits.write_max_attempts:
        names = ", ".join(sorted(region.name for region in missing))
        return GiveUp(
            reason=f"{job.writes} writes did not bring {names} into the list to stay",
            failure=Failure(
                code=FailureCode.RETRIES_EXHAUSTED,
                message="regions kept vanishing from the list; is another writer removing them?",
            ),
        )
    if job.one_by_one:
        missing = frozenset({min(missing)})
    lost = [one for one in job.replicas if one.region in missing and one.attempts > 0]
    names = ", ".join(sorted(region.name for region in missing))
    if any(not one.rebuilding for one in lost):
        return Apply(regions=missing, reason=f"a write was lost, add again: {names}")
    if lost:
        return Apply(regions=missing, reason=f"add back after the removal for repair: {names}")
    return Apply(regions=missing, reason=f"add {_count(len(missing))}: {names}")


def _follow(seen: Observation, wanted: list[Replica], open_replicas: list[Replica]) -> Decision:
    failed = [one for one in open_replicas if one.state is ReplicaState.FAILED]
    running = [one for one in open_replicas if one.state is not ReplicaState.FAILED]
    hopeful = [one for one in failed if one.attempts < seen.limits.region_max_attempts]
    if hopeful and seen.job.writes < seen.limits.write_max_attempts:
        return _try_again(seen, hopeful)
    if running:
        return _track(seen, running, "")
    spent = failed[0]
    names = ", ".join(f"{one.region} ({one.attempts} copies)" for one in failed)
    failure = Failure(code=FailureCode.COPY_FAILED, message=spent.reason)
    completed = len(wanted) - len(failed)
    if completed:
        return Partial(
            reason=f"{completed} of {len(wanted)} regions are Completed; failed: {names}",
            failure=failure,
        )
    return GiveUp(reason=f"the copy failed in every wanted region: {names}", failure=failure)


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
            elapsed_s=max(0.0, (seen.now - _copy_start(one)).total_seconds()), percent=one.progress
        )
        for one in running
        if one.state is not ReplicaState.FAILED
    ]
    after_s = tracking_delay_s(copies, seen.limits, chance=seen.chance)
    progress = ", ".join(
        f"{one.region} {one.progress if one.progress is not None else '?'} %" for one in running
    )
    return Track(after_s=after_s, reason=f"{prefix}under way: {progress}")


def _copy_start(replica: Replica) -> datetime:
    return replica.copying_since or replica.requested_at or replica.planned_at


def _age_s(seen: Observation) -> float:
    return max(0.0, (seen.now - seen.job.started_at).total_seconds())


def _count(number: int) -> str:
    return "1 region" if number == 1 else f"{number} regions"
