"""Cancelling: a replication is no longer followed, because an operator says so."""

from dataclasses import dataclass, replace
from datetime import datetime

from replication.domain.job import Phase, ReplicationJob, with_entry
from replication.domain.limits import Limits
from replication.records.commit import JobCommits
from replication.telemetry.job_metrics import tell_step
from replication.telemetry.log import log_outcome
from replication.telemetry.runtime import Runtime

_DONE = (Phase.SUCCEEDED, Phase.SKIPPED, Phase.SUPERSEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What became of the wish: `done` or not, and why; `stands` where it was so before."""

    done: bool
    reason: str
    stands: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Canceller:
    """Cancels jobs; a worker that is in the middle of a look loses its claim and records nothing.

    One write that it has sent already cannot be called back; the next look at the version, should
    anyone ask for one, sees what came of it.
    """

    commits: JobCommits
    runtime: Runtime

    def cancel(self, key: str, *, remove: bool, by: str) -> Cancelled | None:
        """Cancel a job, None when there is none of this key.

        Azure's list stays as it is; with `remove`, the regions that this app added and whose
        copies are not Completed are taken out again, by a worker.
        """
        now, limits = self.runtime.clock(), self.runtime.limits
        changed = self.commits.change(
            key, lambda job: cancelled(job, remove=remove, by=by, now=now, limits=limits)
        )
        if changed is None:
            return None
        job, done, reason = changed.after, changed.is_written, changed.result
        stands = job.phase is Phase.CANCELLED
        if stands and not done:
            self.commits.finish(job)
        log_outcome(
            "replication.cancelled" if done else "replication.not_cancelled",
            key=key,
            image_version=str(job.image_version_id),
            by=by,
            remove=remove,
            reason=reason,
        )
        if done:
            telemetry = self.runtime.telemetry
            with telemetry.span("cancel", parent=job.traceparent):
                tell_step(telemetry, changed.before, job)
        return Cancelled(done=done, reason=reason, stands=stands)


def cancelled(
    job: ReplicationJob, *, remove: bool, by: str, now: datetime, limits: Limits
) -> tuple[ReplicationJob | None, str]:
    """Return the job cancelled and the reason; None where nothing changes."""
    if job.phase in _DONE:
        return None, f"it has ended already: {job.phase.value}"
    if job.phase is Phase.CANCELLED and (job.withdrawing or not remove):
        return None, "it is cancelled already"
    reason = f"cancelled by {by}; Azure's list stays as it is"
    if remove:
        reason = f"cancelled by {by}; what was added and is not Completed is to be removed"
    schedule = job.schedule.unclaimed().at(now if remove else None)
    stopped = replace(
        job.to(Phase.CANCELLED, reason, at=now),
        # What was tried stays on show, unless a new run begins.
        tries=job.tries.fresh() if remove else replace(job.tries.without_failures(), claims=0),
        schedule=schedule.fresh(now, limits) if remove else schedule,
        place=None,
        withdrawing=remove,
        failure=None,
        # Nobody looks any more, so nobody can tell whether a copy moves.
        replicas=tuple(replace(one, stuck_since=None) for one in job.replicas),
        updated_at=now,
    )
    return with_entry(stopped, "cancel", reason, now=now, details={"by": by}), reason
