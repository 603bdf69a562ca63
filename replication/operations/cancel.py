"""Stop following a replication because an operator says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from replication.dead_letters.desk import DeadLetterDesk
from replication.domain.job import Phase, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.message import JobMessage
from replication.ports import History, JobQueues, QueueName
from replication.reconcile.transitions import with_entry
from replication.records.repository import JobRepository
from replication.telemetry.log import log_outcome
from replication.telemetry.port import NO_TELEMETRY, Telemetry
from replication.telemetry.telling import tell_step

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

    records: JobRepository
    history: History
    queues: JobQueues
    desk: DeadLetterDesk
    limits: Limits
    clock: Callable[[], datetime]
    telemetry: Telemetry = NO_TELEMETRY

    def cancel(self, key: str, *, remove: bool, by: str) -> Cancelled | None:
        """Cancel a job, None when there is none of this key.

        Azure's list stays as it is; with `remove`, the regions that this app added and whose
        copies are not Completed are taken out again, by a worker.
        """
        changed = self.records.change(
            key,
            lambda job: cancelled(job, remove=remove, by=by, now=self.clock(), limits=self.limits),
        )
        if changed is None:
            return None
        job, done, reason = changed.after, changed.is_written, changed.result
        if job.phase is Phase.CANCELLED:
            # Once more does no harm, and makes good what a crash in between left undone.
            self._follow_up(job)
        log_outcome(
            "replication.cancelled" if done else "replication.not_cancelled",
            key=key,
            image_version=str(job.image_version_id),
            by=by,
            remove=remove,
            reason=reason,
        )
        if done:
            with self.telemetry.span("cancel", parent=job.traceparent):
                tell_step(self.telemetry, changed.before, job)
        stands = done or job.phase is Phase.CANCELLED
        return Cancelled(done=done, reason=reason, stands=stands)

    def _follow_up(self, job: ReplicationJob) -> None:
        self.history.append(job.key, job.entries)
        if job.letter_id is not None:
            self.desk.resolve(job.letter_id, reason=job.reason)
        if job.withdrawing:
            self.queues.send(QueueName.JOBS, JobMessage.of(job))


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
    stopped = replace(
        job.to(Phase.CANCELLED, reason, at=now),
        sequence=job.sequence + 1,
        lease=None,
        look_again=False,
        place=None,
        withdrawing=remove,
        next_attempt_at=now if remove else None,
        deadline_at=now + timedelta(seconds=limits.deadline_s) if remove else job.deadline_at,
        writes=0 if remove else job.writes,
        failures_in_a_row=0,
        unknown_in_a_row=0,
        claims=0,
        failure=None,
        # Nobody looks any more, so nobody can tell whether a copy moves.
        replicas=tuple(replace(one, stuck_since=None) for one in job.replicas),
        updated_at=now,
    )
    return with_entry(stopped, "cancel", reason, now=now, details={"by": by}), reason
