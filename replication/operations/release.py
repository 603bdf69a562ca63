"""Releasing: a plan that its budget holds goes on, because an operator says so."""

from dataclasses import dataclass, replace
from datetime import datetime

from replication.domain.job import ReplicationJob, with_entry
from replication.domain.limits import Limits
from replication.records.commit import JobCommits
from replication.telemetry.log import log_outcome
from replication.telemetry.runtime import Runtime

_RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Whether the plan was released by this call, and why or why not."""

    done: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Releaser:
    """Releases plans; a plan is released once, what is planned later is held again."""

    commits: JobCommits
    runtime: Runtime

    def release(self, key: str, *, by: str) -> Released | None:
        """Release the held plan of a job; None when there is no job of this key."""
        now, limits = self.runtime.clock(), self.runtime.limits
        changed = self.commits.change(
            key, lambda job: released(job, by=by, now=now, limits=limits), resolves=True
        )
        if changed is None:
            return None
        job, done, reason = changed.after, changed.is_written, changed.result
        was_released = any(entry.event == _RELEASE for entry in job.entries)
        if not done and was_released and job.letter_id is None:
            # Whoever released it may not have lived to see its letter resolved.
            self.commits.letters.resolve(job.own_letter_id, reason=job.reason)
        log_outcome(
            "replication.released" if done else "replication.not_released",
            key=key,
            by=by,
            reason=reason,
        )
        return Released(done=done, reason=reason)


def released(
    job: ReplicationJob, *, by: str, now: datetime, limits: Limits
) -> tuple[ReplicationJob | None, str]:
    """Return the job with its plan released, and the reason; None where nothing changes."""
    if not job.held_by_budget or job.failure is None:
        return None, f"it is not held by a budget, it is {job.phase.value}: {job.reason}"
    reason = f"released by {by} although {job.failure.message}"
    job = replace(
        job,
        reason=reason,
        failure=None,
        letter_id=None,
        budget_cleared=frozenset(one.region for one in job.replicas),
        schedule=replace(job.schedule.fresh(now, limits).at(now), lease=None),
        updated_at=now,
    )
    return with_entry(job, _RELEASE, reason, now=now, details={"by": by}), reason
