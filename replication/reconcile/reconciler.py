"""The reconciler: one look at one image version. Claim, observe, decide, act, commit."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from replication.dead_letters.desk import DeadLetterDesk
from replication.domain.copy_progress import stuck
from replication.domain.errors import (
    FailureCode,
    LeaseLostError,
    MalformedError,
    NewerFormatError,
    ReplicationError,
)
from replication.domain.job import Failure, Lease, ReplicationJob
from replication.domain.message import JobMessage
from replication.domain.trace_context import TraceParent
from replication.guards.region_health import RegionHealth
from replication.intake.intake import Intake
from replication.ports import (
    OutcomeEvent,
    OutcomeTopic,
    QueueName,
)
from replication.reconcile.decision import Apply, GiveUp, Track
from replication.reconcile.executor import Executor
from replication.reconcile.outcome_events import outcome_events
from replication.reconcile.recovery import Step
from replication.reconcile.transitions import concluded
from replication.records.commit import JobCommits
from replication.records.message_codec import decode_message
from replication.telemetry.job_metrics import tell_step
from replication.telemetry.log import ERROR, WARNING, log_outcome
from replication.telemetry.metrics import DECISION, PROCESS_DURATION, QUEUE
from replication.telemetry.port import MAX_SHOWN, PROCESS, Span, SpanKind, Telemetry, Value
from replication.telemetry.runtime import Runtime

# A claim that was never followed by a record means that the worker died in between.
MAX_CLAIMS = 10
# How long a message that a newer release wrote, or whose record it wrote, is left alone.
NEWER_DELAY_S = 300.0


class LookOutcome(StrEnum):
    """What a look came to: a decision by its name, or why there was no look."""

    APPLY = "apply"
    TRACK = "track"
    WAIT = "wait"
    RETRY = "retry"
    REPAIR = "repair"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    SUCCEED = "succeed"
    PARTIAL = "partial"
    SKIP = "skip"
    SUPERSEDE = "supersede"
    GIVEUP = "giveup"
    OVERBUDGET = "overbudget"
    PAUSE = "pause"
    STALE = "stale"
    BUSY = "busy"
    LEASE_LOST = "lease_lost"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileResult:
    """What an invocation came to, and why."""

    outcome: LookOutcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a queue handed out for the time that `attempts` counts, and the trace of that call."""

    body: str
    attempts: int = 1
    invocation: TraceParent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    result: ReconcileResult
    busy_for_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Level-triggered: the message says which version to look at, the look says what to do."""

    commits: JobCommits
    desk: DeadLetterDesk
    topic: OutcomeTopic
    executor: Executor
    health: RegionHealth
    intake: Intake
    runtime: Runtime

    def receive(self, delivery: Delivery, *, queue: QueueName) -> None:
        """Handle what a queue handed out, readable or not; raises what the storage raises."""
        try:
            self.reconcile(
                decode_message(delivery.body),
                redelivered=delivery.attempts > 1,
                queue=queue,
                invocation=delivery.invocation,
            )
        except NewerFormatError as error:
            # Failing would count against it until it is poison; so it waits as it came.
            log_outcome("message.newer", level=WARNING, queue=queue.value, reason=str(error))
            self.commits.queues.put_back(queue, delivery.body, delay_s=NEWER_DELAY_S)
        except MalformedError as error:
            letter = self.desk.message(
                delivery.body,
                queue=queue.value,
                attempts=delivery.attempts,
                code=FailureCode.MALFORMED_MESSAGE,
                cause=str(error),
            )
            log_outcome(
                "message.unreadable",
                level=ERROR,
                queue=queue.value,
                reason=str(error),
                dead_letter=letter.id,
            )

    def reconcile(
        self,
        message: JobMessage,
        *,
        redelivered: bool = False,
        queue: QueueName = QueueName.JOBS,
        invocation: TraceParent | None = None,
    ) -> ReconcileResult:
        """Handle one message; raises what the storage raises, so that the host delivers again.

        `queue` is where it came from, `invocation` the host's trace of this call.
        """
        with _message_span(self.runtime.telemetry, message, queue.value, invocation) as span:
            done = self._reconcile(message, redelivered=redelivered)
            span.set(DECISION, done.outcome.value)
        return done

    def _reconcile(self, message: JobMessage, *, redelivered: bool) -> ReconcileResult:
        if message.trace_fault:
            log_outcome(
                "message.trace_unreadable",
                level=WARNING,
                key=message.key,
                reason=message.trace_fault,
            )
        owner = self.runtime.new_id()
        claim = self._claim(message, owner)
        if claim is None:
            taken = self.intake.request(
                message.image_version_id,
                trigger="a message without a record",
                correlation_id=message.correlation_id,
            )
            done = ReconcileResult(outcome=LookOutcome.RECOVERED, reason=taken.reason)
        elif isinstance(claim, _Refusal):
            done = self._refuse(message, claim, redelivered=redelivered)
        else:
            done = self._step(claim, owner)
        log_outcome(
            "replication.reconciled",
            key=message.key,
            image_version=str(message.image_version_id),
            correlation_id=message.correlation_id,
            sequence=message.sequence,
            decision=done.outcome,
            reason=done.reason,
        )
        return done

    def _claim(self, message: JobMessage, owner: str) -> ReplicationJob | _Refusal | None:
        """Claim the job for this invocation; None where there is no record of it."""

        def change(
            job: ReplicationJob,
        ) -> tuple[ReplicationJob | None, ReplicationJob | _Refusal]:
            now, schedule = self.runtime.clock(), job.schedule
            if message.sequence < schedule.sequence or schedule.next_attempt_at is None:
                reason = (
                    f"message {message.sequence} is older than the record's {schedule.sequence}"
                )
                return None, _Refusal(
                    result=ReconcileResult(outcome=LookOutcome.STALE, reason=reason)
                )
            lease = schedule.lease
            if lease is not None and lease.owner != owner and lease.expires_at > now:
                busy = ReconcileResult(outcome=LookOutcome.BUSY, reason="another worker is at it")
                busy_for_s = (lease.expires_at - now).total_seconds()
                return None, _Refusal(result=busy, busy_for_s=busy_for_s)
            lapses_at = now + timedelta(seconds=self.runtime.limits.lease_s)
            claimed = replace(
                job,
                schedule=replace(schedule, lease=Lease(owner=owner, expires_at=lapses_at)),
                tries=replace(job.tries, claims=job.tries.claims + 1),
                traceparent=job.traceparent or self.runtime.telemetry.trace(),
            )
            return claimed, claimed

        changed = self.commits.jobs.change(message.key, change)
        return None if changed is None else changed.result

    def _refuse(
        self, message: JobMessage, refusal: _Refusal, *, redelivered: bool
    ) -> ReconcileResult:
        if redelivered and refusal.busy_for_s is not None:
            # Whoever is at it has a message of its own, so that this one is one too many; kept,
            # such messages would multiply. One that comes again may be that very message, of a
            # worker that failed: it waits until the claim has lapsed.
            delay_s = refusal.busy_for_s * (1 + self.runtime.chance() / 10)
            self.commits.queues.send(QueueName.JOBS, message, delay_s=delay_s)
        elif redelivered:
            self._resume(message)
        return refusal.result

    def _resume(self, message: JobMessage) -> None:
        """Finish what a killed invocation had recorded and not yet sent."""
        stored = self.commits.jobs.load(message.key)
        if stored is None:
            return
        if stored.job.schedule.sequence == message.sequence + 1:
            self.commits.finish(stored.job)
        else:
            self.commits.settle_letter(stored.job)

    def _step(self, claimed: ReplicationJob, owner: str) -> ReconcileResult:
        try:
            killed = claimed.tries.claims > MAX_CLAIMS
            step = _given_up(claimed) if killed else self.executor.step(claimed, owner)
            after = self._commit(step, owner)
        except LeaseLostError as error:
            return ReconcileResult(outcome=LookOutcome.LEASE_LOST, reason=str(error))
        self._publish(after, (*outcome_events(claimed, after), *self._learn(claimed, after)))
        self._tell_stuck(claimed, after)
        tell_step(self.runtime.telemetry, claimed, after)
        decision = step.decision
        outcome = LookOutcome(type(decision).__name__.lower())
        return ReconcileResult(outcome=outcome, reason=decision.reason)

    def _commit(self, step: Step, owner: str) -> ReplicationJob:
        now, limits = self.runtime.clock(), self.runtime.limits

        def change(fresh: ReplicationJob) -> tuple[ReplicationJob, None]:
            if not fresh.schedule.is_claimed_by(owner):
                raise LeaseLostError("the claim lapsed and another worker took over")
            job = step.job.abreast_of(fresh)
            return concluded(job, step.decision, now=now, limits=limits), None

        quiet = isinstance(step.decision, Track | Apply)
        queue = QueueName.TRACKING if quiet else QueueName.JOBS
        changed = self.commits.change(step.job.key, change, queue=queue)
        if changed is None:
            raise LeaseLostError("the record was removed meanwhile")
        return changed.after

    def _learn(self, before: ReplicationJob, after: ReplicationJob) -> tuple[OutcomeEvent, ...]:
        """Tell all versions how regions fare; that never fails a replication."""
        try:
            return self.health.learn(before, after)
        except ReplicationError as error:
            log_outcome("circuit.unrecorded", level=WARNING, key=after.key, reason=str(error))
            return ()

    def _tell_stuck(self, before: ReplicationJob, after: ReplicationJob) -> None:
        for replica in after.replicas:
            old = before.replica(replica.region)
            if replica.stuck_since is None or (old is not None and old.stuck_since is not None):
                continue
            found = stuck(replica, now=after.updated_at, limits=self.runtime.limits)
            if found is not None:
                log_outcome(
                    "replica.stuck",
                    level=WARNING,
                    key=after.key,
                    image_version=str(after.image_version_id),
                    region=replica.region.name,
                    since=found.since,
                    percent_per_min=found.percent_per_min,
                    reason=found.reason,
                )

    def _publish(self, after: ReplicationJob, events: tuple[OutcomeEvent, ...]) -> None:
        """Tell the outcome topic; its failure never fails a replication."""
        if not events:
            return
        try:
            self.topic.publish(events)
        except ReplicationError as error:
            log_outcome(
                "outcome.unpublished",
                level=WARNING,
                key=after.key,
                events=[event.id for event in events],
                reason=str(error),
            )


def _message_span(
    telemetry: Telemetry, message: JobMessage, queue: str, invocation: TraceParent | None
) -> AbstractContextManager[Span]:
    """Open the span of a look, under what began its trace and not under the invocation.

    All looks of a run stand side by side under their beginning: in a row, each under the one
    before, a day of looks would be hundreds of levels deep.
    """
    attributes: dict[str, Value] = {
        **PROCESS,
        # Azure Queue Storage has no name among the conventions' messaging systems yet.
        "messaging.system": "azure_storage_queue",
        QUEUE: queue,
        "messaging.message.conversation_id": message.correlation_id[:MAX_SHOWN],
        "gallery_replicator.key": message.key,
        "gallery_replicator.sequence": message.sequence,
    }
    return telemetry.span(
        f"process {queue}",
        kind=SpanKind.CONSUMER,
        parent=message.traceparent or invocation,
        link=invocation if message.traceparent else None,
        attributes=attributes,
        duration=PROCESS_DURATION,
    )


def _given_up(claimed: ReplicationJob) -> Step:
    failure = Failure(
        code=FailureCode.POISON_MESSAGE,
        message=f"{MAX_CLAIMS} workers in a row died while they were at it",
    )
    return Step(job=claimed, decision=GiveUp(reason=failure.message, failure=failure))
