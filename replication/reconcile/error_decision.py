"""The decision after an error that may pass: pure, and with a number of tries for each kind."""

from datetime import datetime

from replication.domain.errors import (
    ConflictError,
    FailureCode,
    ThrottledError,
    TransientError,
    UnknownAnswerError,
)
from replication.domain.job import Failure, Phase, ReplicationJob
from replication.domain.limits import Limits
from replication.reconcile.backoff import retry_delay_s
from replication.reconcile.decision import Decision, GiveUp, Retry, Wait


def decide_on_error(  # noqa: PLR0911 - one for each way out
    job: ReplicationJob, error: Exception, *, now: datetime, limits: Limits, chance: float
) -> Decision:
    """Decide after an error that may pass.

    A pause that the service asks for, and a conflict with another writer, cost no retry; only
    the deadline ends them. A job that had failed before, and is looked at again after its
    deadline, stays failed for the cause that it has.
    """
    transient = error if isinstance(error, TransientError) else None
    code, message = transient.code if transient else type(error).__name__, str(error)
    # Azure's messages mostly begin with the code already.
    answer = message if message.startswith(f"{code}:") else f"{code}: {message}"
    if now >= job.schedule.deadline_at and job.phase is not Phase.FAILED:
        return GiveUp(
            reason=f"the deadline passed while the service answered {answer}",
            failure=Failure(code=FailureCode.DEADLINE_EXCEEDED, message=answer),
        )
    if now >= job.schedule.deadline_at and job.failure is not None:
        reason = f"{job.failure.message}; another look failed with {answer}"
        return GiveUp(reason=reason, failure=job.failure)
    attempt, unknown = job.tries.failures_in_a_row + 1, job.tries.unknown_in_a_row + 1
    retry_after_s = transient.retry_after_s if transient else None
    after_s = retry_delay_s(attempt, limits, chance=chance, retry_after_s=retry_after_s)
    match error:
        case ConflictError():
            # Conflicts are not counted, so the pause does not grow; it must not be a short one.
            return Wait(
                after_s=max(after_s, limits.tracking_min_s),
                reason=f"another writer is at work ({code}); look again before any write",
            )
        case ThrottledError():
            reason = f"the service asks for a pause: {answer}"
            return Retry(after_s=after_s, counts=False, reason=reason)
        case UnknownAnswerError() if unknown > limits.unknown_max_attempts:
            return GiveUp(
                reason=f"refused {unknown} times in a row in words that are not known: {answer}",
                failure=Failure(code=FailureCode.UNKNOWN_ANSWER, message=answer),
            )
    if attempt > limits.retry_max_attempts:
        return GiveUp(
            reason=f"failed {attempt} times in a row, the last time with {answer}",
            failure=Failure(code=FailureCode.RETRIES_EXHAUSTED, message=answer),
        )
    is_unknown = isinstance(error, UnknownAnswerError)
    count, most = attempt, limits.retry_max_attempts
    if is_unknown:
        count, most = unknown, limits.unknown_max_attempts
    reason = f"try {count} of {most} failed with {answer}"
    return Retry(after_s=after_s, reason=reason, unknown=is_unknown)
