"""Observe an image version, decide, and carry the decision out: at most one write a step."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from replication.decision import (
    Apply,
    Decision,
    GiveUp,
    Observation,
    Repair,
    Retry,
    Supersede,
    decide,
    decide_on_error,
)
from replication.errors import (
    ConflictError,
    FailureCode,
    GoneError,
    LeaseLostError,
    PermanentError,
    RecordChangedError,
    RegionUnavailableError,
    ReplicationError,
    ThrottledError,
    TransientError,
)
from replication.evolution import absorb, intend, withheld_regions, withhold
from replication.image_version import (
    ImageVersion,
    MalformedImageVersionError,
    NewRegion,
    merge_target_regions,
)
from replication.job import Failure, ReplicationJob
from replication.job_records import JobRecords
from replication.limits import Limits
from replication.log import log_outcome
from replication.planning import PlanSubject, plan
from replication.policy import ReplicationPolicy
from replication.ports import Catalogs, Gallery
from replication.regions import InvalidRegionNameError, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The job with all that was learned, and the decision that was carried out."""

    job: ReplicationJob
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Does what the decision says; every error becomes a decision of its own."""

    records: JobRecords
    gallery: Gallery
    catalogs: Catalogs
    policy: ReplicationPolicy
    limits: Limits
    clock: Callable[[], datetime]
    chance: Callable[[], float]

    def step(self, job: ReplicationJob, owner: str) -> Step:
        """Take one step for a claimed job; raises LeaseLostError and nothing else of ours."""
        try:
            return self._step(job, owner)
        except LeaseLostError:
            raise
        except _StepFailedError as failed:
            return self._after_error(failed)

    def _step(self, job: ReplicationJob, owner: str) -> Step:
        try:
            catalog = self.catalogs.of(job.image_version_id.subscription_id)
            job = replace(job, arm_calls=job.arm_calls + 1)
            version = self.gallery.read(job.image_version_id, catalog)
            now = self.clock()
            planned = None
            if version is not None:
                withheld = withheld_regions(job, version, self.policy, now=now)
                planned = plan(PlanSubject.of(version), self.policy, catalog, withheld)
                job = absorb(
                    job,
                    version,
                    planned,
                    policy_fingerprint=self.policy.fingerprint,
                    now=now,
                    limits=self.limits,
                )
            seen = Observation(
                job=job,
                version=version,
                plan=planned,
                now=now,
                limits=self.limits,
                repair_allowed=self.policy.repair_failed_regions,
                chance=self.chance(),
            )
            decision = decide(seen)
        # An error nobody foresaw is counted and capped like any other; losing the job is worse.
        except Exception as error:
            raise _StepFailedError(job, error) from error
        if version is not None and isinstance(decision, Apply | Repair):
            job = self._write(job, version, decision, owner)
        return Step(job=job, decision=decision)

    def _write(
        self, job: ReplicationJob, version: ImageVersion, decision: Apply | Repair, owner: str
    ) -> ReplicationJob:
        if isinstance(decision, Repair):
            entries = tuple(
                target.entry
                for target in version.target_regions
                if target.region != decision.region
            )
        else:
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
            job = intend(job, new, decision.reason, now=self.clock())
        try:
            self._save_intent(job, owner)
            job = replace(job, arm_calls=job.arm_calls + 1)
            self.gallery.set_target_regions(job.image_version_id, entries)
        except LeaseLostError:
            raise
        except Exception as error:
            asked_for = frozenset() if isinstance(decision, Repair) else decision.regions
            raise _StepFailedError(job, error, asked_for=asked_for) from error
        return job

    def _save_intent(self, job: ReplicationJob, owner: str) -> None:
        """Write the intent down before the act, and make sure that the claim still holds."""

        def change(fresh: ReplicationJob) -> ReplicationJob:
            if fresh.lease is None or fresh.lease.owner != owner:
                raise LeaseLostError("another worker took the job over before the write")
            if fresh.lease.expires_at <= self.clock():
                raise LeaseLostError("the claim lapsed before the write")
            return replace(
                job, lease=fresh.lease, look_again=fresh.look_again, sequence=fresh.sequence
            )

        if self.records.change(job.key, change) is None:
            raise LeaseLostError("the record was removed before the write")

    def _after_error(self, failed: "_StepFailedError") -> Step:
        now, job, error = self.clock(), failed.job, failed.error
        if isinstance(error, GoneError):
            return Step(job=job, decision=Supersede(reason=str(error)))
        if isinstance(error, PermanentError) and error.code in _ABOUT_ONE_REGION:
            return self._after_refusal(job, error, failed.asked_for)
        if isinstance(error, PermanentError):
            failure = Failure(code=error.code, message=str(error))
            return Step(job=job, decision=GiveUp(reason=str(error), failure=failure))
        return self._after_transient(job, error, now=now)

    def _after_refusal(
        self, job: ReplicationJob, error: PermanentError, asked_for: frozenset[Region]
    ) -> Step:
        """Go on without the regions that were refused: one bad region never blocks the others."""
        regions = error.regions if isinstance(error, RegionUnavailableError) else frozenset()
        if not regions and len(asked_for) == 1:
            regions = asked_for
        if regions:
            until = self.clock() + timedelta(seconds=self.limits.refusal_memory_s)
            names = ", ".join(sorted(region.name for region in regions))
            reason = f"Azure refused it to this subscription: {error}"
            return Step(
                job=withhold(job, regions, reason, until=until),
                decision=Retry(
                    after_s=self.limits.retry_base_s,
                    counts=False,
                    reason=f"{names} may not be used; go on without: {error}",
                ),
            )
        return Step(
            job=replace(job, one_by_one=True),
            decision=Retry(
                after_s=self.limits.retry_base_s,
                counts=False,
                reason=f"Azure does not say which region it means, add them one by one: {error}",
            ),
        )

    def _after_transient(self, job: ReplicationJob, error: Exception, *, now: datetime) -> Step:
        if not isinstance(error, _EXPECTED):
            log_outcome(
                "replication.unexpected_error",
                level=logging.ERROR,
                error=error,
                key=job.key,
                image_version=str(job.image_version_id),
            )
        transient = error if isinstance(error, TransientError) else None
        decision = decide_on_error(
            job,
            now=now,
            limits=self.limits,
            chance=self.chance(),
            code=transient.code if transient else type(error).__name__,
            message=str(error),
            retry_after_s=transient.retry_after_s if transient else None,
            kind=(
                "conflict"
                if isinstance(error, ConflictError)
                else "throttled"
                if isinstance(error, ThrottledError)
                else "failed"
            ),
        )
        return Step(job=job, decision=decision)


# Refusals that are about a region, whether the service names it or not.
_ABOUT_ONE_REGION = (FailureCode.REGION_UNAVAILABLE, FailureCode.ZONE_REDUNDANCY_UNSUPPORTED)
_EXPECTED = (
    TransientError,
    MalformedImageVersionError,
    InvalidRegionNameError,
    RecordChangedError,
)


class _StepFailedError(ReplicationError):
    """Carries what was learned before the error."""

    def __init__(
        self, job: ReplicationJob, error: Exception, *, asked_for: frozenset[Region] = frozenset()
    ) -> None:
        super().__init__(str(error))
        self.job = job
        self.error = error
        self.asked_for = asked_for
