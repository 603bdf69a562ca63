"""Let a plan go that its budget holds back, because an operator says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from replication.dead_letters.desk import DeadLetterDesk
from replication.domain.job import ReplicationJob
from replication.domain.limits import Limits
from replication.domain.message import JobMessage
from replication.ports import History, JobQueues, QueueName
from replication.reconcile.transitions import with_entry
from replication.records.repository import JobRepository
from replication.telemetry.log import log_outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Whether the plan was released by this call, and why or why not."""

    done: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Releaser:
    """Releases plans; a plan is released once, what is planned later is held again."""

    records: JobRepository
    history: History
    queues: JobQueues
    desk: DeadLetterDesk
    limits: Limits
    clock: Callable[[], datetime]

    def release(self, key: str, *, by: str) -> Released | None:
        """Release the held plan of a job; None when there is no job of this key."""
        changed = self.records.change(
            key, lambda job: released(job, by=by, now=self.clock(), limits=self.limits)
        )
        if changed is None:
            return None
        before, job, reason = changed.before, changed.after, changed.result
        done = changed.is_written
        if done:
            self.history.append(job.key, job.entries)
            if before.letter_id is not None:
                self.desk.resolve(before.letter_id, reason=reason)
            self.queues.send(QueueName.JOBS, JobMessage.of(job))
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
        lease=None,
        budget_cleared=frozenset(one.region for one in job.replicas),
        deadline_at=now + timedelta(seconds=limits.deadline_s),
        next_attempt_at=now,
        sequence=job.sequence + 1,
        updated_at=now,
    )
    return with_entry(job, "release", reason, now=now, details={"by": by}), reason
