"""Bring one image version one step further: claim, observe, decide, act, record, requeue."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from replication.dead_letters.desk import DeadLetterDesk
from replication.domain.copy_progress import stuck
from replication.domain.errors import FailureCode, LeaseLostError, ReplicationError
from replication.domain.job import Failure, Lease, Phase, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.message import JobMessage
from replication.domain.trace_context import TraceParent
from replication.guards.region_health import RegionHealth
from replication.intake.intake import Intake
from replication.ports import (
    DeadLetter,
    History,
    JobQueues,
    OutcomeEvent,
    OutcomeTopic,
    QueueName,
)
from replication.reconcile.decision import Apply, GiveUp, OverBudget, Partial, Track
from replication.reconcile.executor import Executor
from replication.reconcile.outcome_events import outcome_events
from replication.reconcile.recovery import Step
from replication.reconcile.transitions import record
from replication.records.repository import JobRepository
from replication.telemetry.log import log_outcome
from replication.telemetry.metrics import DECISION
from replication.telemetry.port import NO_TELEMETRY, Telemetry
from replication.telemetry.spans import message_span
from replication.telemetry.telling import tell_step

# A claim that was never followed by a record means that the worker died in between.
MAX_CLAIMS = 10
# How much of its timeline a dead letter takes along.
_TIMELINE = 20
_ENDED_WELL = (Phase.SUCCEEDED, Phase.SKIPPED, Phase.SUPERSEDED, Phase.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileResult:
    """What an invocation came to: the decision's name, or `stale`, `busy`, `lease_lost`."""

    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    result: ReconcileResult
    busy_for_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Level-triggered: the message says which version to look at, the look says what to do."""

    records: JobRepository
    history: History
    queues: JobQueues
    desk: DeadLetterDesk
    topic: OutcomeTopic
    executor: Executor
    health: RegionHealth
    intake: Intake
    limits: Limits
    clock: Callable[[], datetime]
    new_owner: Callable[[], str]
    chance: Callable[[], float]
    telemetry: Telemetry = NO_TELEMETRY

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
        with message_span(self.telemetry, message, queue.value, invocation) as span:
            done = self._reconcile(message, redelivered=redelivered)
            span.set(DECISION, done.outcome)
        return done

    def _reconcile(self, message: JobMessage, *, redelivered: bool) -> ReconcileResult:
        if message.trace_fault:
            log_outcome(
                "message.trace_unreadable",
                level=logging.WARNING,
                key=message.key,
                reason=message.trace_fault,
            )
        owner = self.new_owner()
        claim = self._claim(message, owner)
        if claim is None:
            taken = self.intake.request(
                message.image_version_id,
                trigger="a message without a record",
                correlation_id=message.correlation_id,
            )
            done = ReconcileResult(outcome="recovered", reason=taken.reason)
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
            now = self.clock()
            if message.sequence < job.sequence or job.next_attempt_at is None:
                reason = f"message {message.sequence} is older than the record's {job.sequence}"
                return None, _Refusal(result=ReconcileResult(outcome="stale", reason=reason))
            if job.lease is not None and job.leased_by_another(owner, now):
                busy = ReconcileResult(outcome="busy", reason="another worker is at it")
                busy_for_s = (job.lease.expires_at - now).total_seconds()
                return None, _Refusal(result=busy, busy_for_s=busy_for_s)
            claimed = replace(
                job,
                lease=Lease(owner=owner, expires_at=now + timedelta(seconds=self.limits.lease_s)),
                claims=job.claims + 1,
                traceparent=job.traceparent or self.telemetry.trace(),
            )
            return claimed, claimed

        changed = self.records.change(message.key, change)
        return None if changed is None else changed.result

    def _refuse(
        self, message: JobMessage, refusal: _Refusal, *, redelivered: bool
    ) -> ReconcileResult:
        if redelivered and refusal.busy_for_s is not None:
            # Whoever is at it has a message of its own, so that this one is one too many; kept,
            # such messages would multiply. One that comes again may be that very message, of a
            # worker that failed: it waits until the claim has lapsed.
            delay_s = refusal.busy_for_s * (1 + self.chance() / 10)
            self.queues.send(QueueName.JOBS, message, delay_s=delay_s)
        elif redelivered:
            self._resume(message)
        return refusal.result

    def _resume(self, message: JobMessage) -> None:
        """Finish what a killed invocation had recorded and not yet sent."""
        stored = self.records.load(message.key)
        if stored is None or stored.job.sequence != message.sequence + 1:
            return
        self._resolve_letter(stored.job)
        self.history.append(stored.job.key, stored.job.entries)
        if stored.job.next_attempt_at is not None:
            self._send(stored.job, QueueName.JOBS)

    def _step(self, claimed: ReplicationJob, owner: str) -> ReconcileResult:
        if claimed.claims > MAX_CLAIMS:
            failure = Failure(
                code=FailureCode.POISON_MESSAGE,
                message=f"{MAX_CLAIMS} workers in a row died while they were at it",
            )
            step = Step(job=claimed, decision=GiveUp(reason=failure.message, failure=failure))
        else:
            try:
                step = self.executor.step(claimed, owner)
            except LeaseLostError as error:
                return ReconcileResult(outcome="lease_lost", reason=str(error))
        decision = step.decision
        step, laid = self._settle_letter(claimed, step)
        try:
            after = self._record(claimed, step, owner)
        except LeaseLostError as error:
            if laid is not None:
                self._hand_over(laid, claimed.key)
            return ReconcileResult(outcome="lease_lost", reason=str(error))
        self._resolve_letter(after)
        self.history.append(after.key, after.entries)
        if after.next_attempt_at is not None:
            quiet = isinstance(decision, Track | Apply)
            self._send(after, QueueName.TRACKING if quiet else QueueName.JOBS)
        self._publish(after, (*outcome_events(claimed, after), *self._learn(claimed, after)))
        self._tell_stuck(claimed, after)
        tell_step(self.telemetry, claimed, after)
        return ReconcileResult(outcome=type(decision).__name__.lower(), reason=decision.reason)

    def _hand_over(self, laid: DeadLetter, key: str) -> None:
        """Leave the letter to whoever has the job now: it is that job's, whoever laid it."""

        def change(job: ReplicationJob) -> tuple[ReplicationJob | None, None]:
            if job.letter_id is not None or _is_over(job):
                return None, None
            return replace(job, letter_id=laid.id), None

        changed = self.records.change(key, change)
        if changed is None or _is_over(changed.after):
            self.desk.withdraw(laid, reason="the worker that laid it had lost its claim")

    def _record(self, claimed: ReplicationJob, step: Step, owner: str) -> ReplicationJob:
        def change(fresh: ReplicationJob) -> tuple[ReplicationJob, None]:
            if fresh.lease is None or fresh.lease.owner != owner:
                raise LeaseLostError("the claim lapsed and another worker took over")
            job = replace(step.job, look_again=fresh.look_again, sequence=fresh.sequence)
            if fresh.letter_id != claimed.letter_id:  # handed over meanwhile
                job = replace(job, letter_id=fresh.letter_id)
            return record(job, step.decision, now=self.clock(), limits=self.limits), None

        changed = self.records.change(step.job.key, change)
        if changed is None:
            raise LeaseLostError("the record was removed meanwhile")
        return changed.after

    def _send(self, job: ReplicationJob, queue: QueueName) -> None:
        self.queues.send(queue, JobMessage.of(job), delay_s=job.due_in_s(self.clock()))

    def _resolve_letter(self, job: ReplicationJob) -> None:
        """Resolve the letter of what ended well: after its record, for a record may fail."""
        if job.letter_id is not None and job.phase in _ENDED_WELL:
            self.desk.resolve(job.letter_id, reason=f"{job.phase.value}: {job.reason}")

    def _settle_letter(self, claimed: ReplicationJob, step: Step) -> tuple[Step, DeadLetter | None]:
        """Lay a letter for what ended badly, and return it."""
        letter_id, laid = claimed.letter_id, None
        if letter_id is None and claimed.claims > 1:
            # A worker before this one may have laid a letter and died before its record.
            letter_id = self.desk.open_letter_of(claimed.key)
        if isinstance(step.decision, Partial | GiveUp | OverBudget):
            laid = self._lay_letter(claimed, step)
            letter_id = laid.id if laid is not None else letter_id
        return replace(step, job=replace(step.job, letter_id=letter_id)), laid

    def _lay_letter(self, claimed: ReplicationJob, step: Step) -> DeadLetter | None:
        """Lay a letter about the job as its record will be; None where nothing new is to tell."""
        preview = record(step.job, step.decision, now=self.clock(), limits=self.limits)
        if preview.failure is None or preview.failure == claimed.failure:
            return None
        past = {one.id: one for one in self.history.read(claimed.key, limit=_TIMELINE)}
        past |= {one.id: one for one in preview.entries}
        return self.desk.job(
            preview,
            preview.failure,
            reason=step.decision.reason,
            timeline=tuple(past[one] for one in sorted(past)),
        )

    def _learn(self, before: ReplicationJob, after: ReplicationJob) -> tuple[OutcomeEvent, ...]:
        """Tell all versions how regions fare; that never fails a replication."""
        try:
            return self.health.learn(before, after)
        except ReplicationError as error:
            log_outcome(
                "circuit.unrecorded", level=logging.WARNING, key=after.key, reason=str(error)
            )
            return ()

    def _tell_stuck(self, before: ReplicationJob, after: ReplicationJob) -> None:
        for replica in after.replicas:
            old = before.replica(replica.region)
            if replica.stuck_since is None or (old is not None and old.stuck_since is not None):
                continue
            found = stuck(replica, now=after.updated_at, limits=self.limits)
            if found is not None:
                log_outcome(
                    "replica.stuck",
                    level=logging.WARNING,
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
                level=logging.WARNING,
                key=after.key,
                events=[event.id for event in events],
                reason=str(error),
            )


def _is_over(job: ReplicationJob) -> bool:
    """Tell whether a job has ended well and nobody looks at it again."""
    return job.phase in _ENDED_WELL and job.next_attempt_at is None
