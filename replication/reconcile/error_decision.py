"""Decide what to do after an error that may pass: pure, and with a budget for each kind."""

from datetime import datetime

from replication.domain.errors import FailureCode
from replication.domain.job import Failure, Phase, ReplicationJob
from replication.domain.limits import Limits
from replication.reconcile.backoff import retry_delay_s
from replication.reconcile.decision import Decision, GiveUp, Retry, Wait


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
    """Decide after a transient error of the kinds `throttled`, `conflict`, `unknown`, `failed`.

    A pause that the service asks for, and a conflict with another writer, cost no retry; only
    the deadline ends them. A job that had failed before, and is looked at again after its
    deadline, stays failed for the cause that it has.
    """
    # Azure's messages mostly begin with the code already.
    answer = message if message.startswith(f"{code}:") else f"{code}: {message}"
    if now >= job.deadline_at and job.phase is not Phase.FAILED:
        return GiveUp(
            reason=f"the deadline passed while the service answered {answer}",
            failure=Failure(code=FailureCode.DEADLINE_EXCEEDED, message=answer),
        )
    if now >= job.deadline_at and job.failure is not None:
        reason = f"{job.failure.message}; another look failed with {answer}"
        return GiveUp(reason=reason, failure=job.failure)
    return _in_time(
        job,
        limits=limits,
        chance=chance,
        code=code,
        answer=answer,
        retry_after_s=retry_after_s,
        kind=kind,
    )


def _in_time(
    job: ReplicationJob,
    *,
    limits: Limits,
    chance: float,
    code: str,
    answer: str,
    retry_after_s: float | None,
    kind: str,
) -> Decision:
    attempt = job.failures_in_a_row + 1
    after_s = retry_delay_s(attempt, limits, chance=chance, retry_after_s=retry_after_s)
    if kind == "conflict":
        # Conflicts are not counted, so the pause does not grow; it must not be a short one.
        return Wait(
            after_s=max(after_s, limits.tracking_min_s),
            reason=f"another writer is at work ({code}); look again before any write",
        )
    if kind == "throttled":
        return Retry(
            after_s=after_s,
            counts=False,
            reason=f"the service asks for a pause: {answer}",
        )
    unknown = job.unknown_in_a_row + 1
    if kind == "unknown" and unknown > limits.unknown_max_attempts:
        return GiveUp(
            reason=f"refused {unknown} times in a row in words that are not known: {answer}",
            failure=Failure(code=FailureCode.UNKNOWN_ANSWER, message=answer),
        )
    if attempt > limits.retry_max_attempts:
        return GiveUp(
            reason=f"failed {attempt} times in a row, the last time with {answer}",
            failure=Failure(code=FailureCode.RETRIES_EXHAUSTED, message=answer),
        )
    count, most = attempt, limits.retry_max_attempts
    if kind == "unknown":
        count, most = unknown, limits.unknown_max_attempts
    return Retry(
        after_s=after_s,
        reason=f"try {count} of {most} failed with {answer}",
        unknown=kind == "unknown",
    )
