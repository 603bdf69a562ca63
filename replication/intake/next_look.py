"""The next look at a job that is on record: how an event or a request brings it forward.

Pure functions; the clock is an argument.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from replication.domain import formatting
from replication.domain.job import Phase, ReplicaState, ReplicationJob, with_entry
from replication.domain.limits import Limits


def bring_forward(
    job: ReplicationJob,
    *,
    event_at: datetime | None,
    forced: bool,
    why: str,
    now: datetime,
    limits: Limits,
) -> tuple[ReplicationJob | None, str]:
    """Return the job with its next look brought forward and why; None where nothing changes.

    An event that is older than the last look tells nothing new. Looks that nobody forced keep
    the distance of `tracking_min_s`, so that a burst of events costs one look.
    """
    seen_at = job.schedule.observed_at
    if forced:
        job = _fresh_run(job, now=now, limits=limits)
        job = with_entry(job, "request", why, now=now, details={})
    else:
        if job.phase is Phase.CANCELLED:
            return None, "the replication was cancelled; ask for it to go on"
        if event_at is not None and seen_at is not None and event_at <= seen_at:
            return None, f"already seen by the look at {formatting.moment(seen_at)}"
        if event_at is not None and job.lost_its_source:
            # Who wrote the version may have made it anew, of a source that is there.
            job = replace(job, failure=None)
    schedule, earliest = job.schedule, now
    if forced and schedule.lease is not None:
        # The record of that look, however late, would undo the fresh run: it loses its claim, and
        # may still be in the middle of its act until the claim would have lapsed.
        earliest = max(now, schedule.lease.expires_at)
        schedule = replace(schedule, lease=None)
    elif schedule.is_claimed(now):
        reason = "a look is under way and will be followed by another"
        return replace(job, schedule=replace(schedule, look_again=True)), reason
    elif seen_at is not None and not forced:
        earliest = max(now, seen_at + timedelta(seconds=limits.tracking_min_s))
    due = schedule.next_attempt_at
    if not forced and due is not None and due <= earliest:
        return None, f"a look is due at {formatting.moment(due)}"
    moved = replace(job, schedule=schedule.at(earliest))
    return moved, f"look at {formatting.moment(earliest)}: {why}"


def _fresh_run(job: ReplicationJob, *, now: datetime, limits: Limits) -> ReplicationJob:
    """Give a job new budgets and a new deadline, and put removed regions back into it."""
    replicas = tuple(
        replace(
            replica,
            attempts=0,
            state=ReplicaState.PLANNED if replica.state is ReplicaState.REMOVED else replica.state,
        )
        for replica in job.replicas
    )
    return replace(
        job,
        replicas=replicas,
        withheld={},
        one_by_one=False,
        withdrawing=False,
        failure=None,
        tries=job.tries.fresh(),
        schedule=job.schedule.fresh(now, limits),
    )
