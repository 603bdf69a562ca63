"""The executor: it looks at a version, decides, and carries that out: at most one write."""

from dataclasses import dataclass, replace
from datetime import datetime

from replication.domain.errors import (
    FailureCode,
    LeaseLostError,
    Operation,
    ReplicationError,
)
from replication.domain.failures import may_copy_again
from replication.domain.image_version import ImageVersion
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.domain.plan import PlanSubject, ReplicationPlan, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import Region, RegionCatalog
from replication.domain.target_regions import NewRegion, merge_target_regions
from replication.guards.circuits import Hold
from replication.guards.guards import Guards
from replication.ports import Catalogs, Gallery
from replication.reconcile.decide import decide
from replication.reconcile.decision import (
    Apply,
    Cancel,
    Decision,
    Observation,
    OverBudget,
    Pause,
    Repair,
    Retry,
    Skip,
    Wait,
    Withdraw,
)
from replication.reconcile.observe import absorb, withheld_regions
from replication.reconcile.recovery import Recovery, Step, StepFailure
from replication.reconcile.transitions import intend
from replication.records.repository import JobRepository
from replication.telemetry.log import WARNING, log_outcome
from replication.telemetry.metrics import CODE, RETRIES
from replication.telemetry.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Does what the decision says."""

    jobs: JobRepository
    gallery: Gallery
    catalogs: Catalogs
    guards: Guards
    recovery: Recovery
    policy: ReplicationPolicy
    runtime: Runtime

    def step(self, job: ReplicationJob, owner: str) -> Step:
        """Take one step for a claimed job; raises LeaseLostError and nothing else of ours."""
        done = self._step(job, owner)
        if isinstance(done, Step):
            return done
        step = self.recovery.after(done)
        if isinstance(step.decision, Retry | Wait):
            code = getattr(done.error, "code", type(done.error).__name__)
            self.runtime.telemetry.counted(RETRIES, {CODE: code})
        return step

    def _step(self, job: ReplicationJob, owner: str) -> Step | StepFailure:
        try:
            paused = self.guards.pauses.why()
            if paused is not None and _waits_idle(job):
                return Step(job=job, decision=Pause(after_s=_PAUSED_LOOK_S, reason=paused))
            job, deferral = self.guards.admission.ask(job, _calls_ahead(job))
            if deferral is not None:
                return self.recovery.queue_up(job, deferral)
            catalog = self.catalogs.of(job.image_version_id.subscription_id)
            job = replace(job, tries=job.tries.one_call())
            version = self.gallery.read(job.image_version_id, catalog)
            job, decision = self._decide(job, version, catalog)
            if paused is not None and isinstance(decision, Apply | Repair | Withdraw):
                reason = f"{paused}; to do then: {decision.reason}"
                decision = Pause(after_s=_PAUSED_LOOK_S, reason=reason)
            if version is not None and isinstance(decision, Apply):
                job, over = self.guards.budget.ask(job, version, decision.regions)
                if over is not None:
                    decision = OverBudget(reason=f"held: {over.message}", failure=over)
        # An error nobody foresaw is counted and capped like any other; losing the job is worse.
        except Exception as error:  # noqa: BLE001 - handed on, and told of where it is unexpected
            return StepFailure(job=job, error=error, operation=Operation.READ)
        if version is not None and isinstance(decision, Apply | Repair | Withdraw):
            written = self._write(job, version, decision, owner)
            if isinstance(written, StepFailure):
                return written
            job = written
        if isinstance(decision, Retry):
            self.runtime.telemetry.counted(RETRIES, {CODE: _cause(job)})
        self._learn(job)
        return Step(job=job, decision=decision)

    def _decide(
        self, job: ReplicationJob, version: ImageVersion | None, catalog: RegionCatalog
    ) -> tuple[ReplicationJob, Decision]:
        now, planned, held = self.runtime.clock(), None, {}
        if version is not None:
            refused = self.guards.health.refused(job.image_version_id.subscription_id)
            withheld = refused | withheld_regions(job, version, self.policy, now=now)
            planned = plan(PlanSubject.of(version), self.policy, catalog, withheld)
            job = absorb(
                job,
                version,
                planned,
                policy=self.policy,
                now=now,
                limits=self.runtime.limits,
            )
            held = self._held(job, version, planned, now)
        seen = Observation(
            job=job,
            version=version,
            plan=planned,
            now=now,
            limits=self.runtime.limits,
            repair_allowed=self.policy.repair_failed_regions,
            chance=self.runtime.chance(),
            held=held,
        )
        return job, self._within_scope(job, decide(seen))

    def _within_scope(self, job: ReplicationJob, decision: Decision) -> Decision:
        """Ask the policy before any write, whatever the record and its message say."""
        if not isinstance(decision, Apply | Repair | Withdraw):
            return decision
        outside = self.policy.why_out_of_scope(job.image_version_id)
        if outside is None:
            return decision
        if isinstance(decision, Withdraw):
            return Cancel(reason=f"cancelled; nothing is removed: {outside}")
        return Skip(reason=outside)

    def _held(
        self, job: ReplicationJob, version: ImageVersion, planned: ReplicationPlan, now: datetime
    ) -> dict[Region, Hold]:
        """Return the regions to be left in peace; a probe is claimed only by who can write now."""
        wanted = [one for one in job.replicas if one.region in planned.wanted_regions]
        missing = [one.region for one in wanted if one.region not in version.listed]
        failed = [
            one
            for one in wanted
            if one.region in version.listed and one.state is ReplicaState.FAILED
        ]
        health, limits = self.guards.health, self.runtime.limits
        if now >= job.schedule.deadline_at:
            return health.closed(job.key, [*missing, *(one.region for one in failed)])
        may_write = job.tries.writes < limits.write_max_attempts
        if job.withdrawing or version.is_changing or not may_write:
            return {}
        hopeful = [one.region for one in failed if may_copy_again(one.code, one.attempts, limits)]
        return health.holds(job.key, [*missing, *hopeful])

    def _learn(self, job: ReplicationJob) -> None:
        """Note what Azure says is left of its limits; that never fails a replication."""
        try:
            self.guards.admission.learn()
        except ReplicationError as error:
            log_outcome("throttle.unrecorded", level=WARNING, key=job.key, reason=str(error))

    def _write(
        self,
        job: ReplicationJob,
        version: ImageVersion,
        decision: Apply | Repair | Withdraw,
        owner: str,
    ) -> ReplicationJob | StepFailure:
        asked_for: frozenset[Region] = frozenset()
        if isinstance(decision, Apply):
            asked_for = decision.regions
            new = [
                NewRegion(
                    region=region,
                    replica_count=self.policy.replica_count,
                    storage_account_type=self.policy.storage_account_type,
                )
                for region in decision.regions - version.listed
            ]
            merged = merge_target_regions(version.target_regions, new, home=version.home_region)
            entries = merged.entries
            job = intend(job, new, decision.reason, now=self.runtime.clock())
        else:
            gone = decision.regions if isinstance(decision, Withdraw) else {decision.region}
            entries = tuple(
                target.entry for target in version.target_regions if target.region not in gone
            )
        try:
            self._save_intent(job, owner)
            job = replace(job, tries=job.tries.one_call())
            self.gallery.set_target_regions(job.image_version_id, entries)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001 - as when looking
            return StepFailure(
                job=job,
                error=error,
                operation=Operation.WRITE,
                asked_for=asked_for,
                listed=version.listed,
            )
        return job

    def _save_intent(self, job: ReplicationJob, owner: str) -> None:
        """Write the intent down before the act, and make sure that the claim still holds."""

        def change(fresh: ReplicationJob) -> tuple[ReplicationJob, None]:
            if not fresh.schedule.is_claimed_by(owner):
                raise LeaseLostError("another worker took the job over before the write")
            if not fresh.schedule.is_claimed(self.runtime.clock()):
                raise LeaseLostError("the claim lapsed before the write")
            return job.abreast_of(fresh), None

        if self.jobs.change(job.key, change) is None:
            raise LeaseLostError("the record was removed before the write")


# How soon a resumed queue is noticed by what waited for it.
_PAUSED_LOOK_S = 60.0


def _waits_idle(job: ReplicationJob) -> bool:
    """Tell whether nothing of a waiting job is under way that would have to be followed."""
    moving = (ReplicaState.REQUESTED, ReplicaState.REPLICATING)
    return job.phase is Phase.WAITING and not any(one.state in moving for one in job.replicas)


def _calls_ahead(job: ReplicationJob) -> tuple[Operation, ...]:
    """Return what a look at the job will need: one that will write must not read in vain."""
    unasked = (ReplicaState.PLANNED, ReplicaState.FAILED)
    if job.withdrawing or any(one.state in unasked for one in job.replicas):
        return (Operation.READ, Operation.WRITE)
    return (Operation.READ,)


def _cause(job: ReplicationJob) -> str:
    """Return the code of the copy for which a look decided to try again."""
    codes = (one.code for one in job.replicas if one.state is ReplicaState.FAILED and one.code)
    return next(codes, FailureCode.COPY_FAILED).value
