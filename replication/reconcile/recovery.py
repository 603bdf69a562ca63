"""Recovery: what follows when a look at a version, or a write to it, fails."""

from dataclasses import dataclass, replace
from datetime import datetime

from replication.domain.errors import (
    FailureCode,
    GoneError,
    Operation,
    PermanentError,
    RecordChangedError,
    ReplicationError,
    ThrottledError,
    TransientError,
)
from replication.domain.image_version import MalformedImageVersionError
from replication.domain.job import Failure, ReplicaState, ReplicationJob
from replication.domain.regions import InvalidRegionNameError, Region, RegionRefusedError
from replication.guards.admission import AdmissionControl, Deferral
from replication.guards.region_health import RegionHealth, refusal_end
from replication.reconcile.decision import Decision, GiveUp, Retry, Supersede
from replication.reconcile.error_decision import decide_on_error
from replication.reconcile.transitions import withhold
from replication.telemetry.log import ERROR, WARNING, log_outcome
from replication.telemetry.runtime import Runtime

# Refusals of a region that hold for every version of the subscription, whoever was refused.
_ABOUT_THE_SUBSCRIPTION = (
    FailureCode.REGION_UNAVAILABLE,
    FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
)
# These may also be about something else: about the region only if it is named, or others were let
# in. A disk encryption set is the version's own.
_MAYBE_ABOUT_THE_SUBSCRIPTION = (FailureCode.NOT_AUTHORISED, FailureCode.QUOTA_EXCEEDED)
_EXPECTED = (
    TransientError,
    MalformedImageVersionError,
    InvalidRegionNameError,
    RecordChangedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The job with all that was learned, and the decision that was carried out."""

    job: ReplicationJob
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailure:
    """An error in a step, with what was learned before it and what was asked for."""

    job: ReplicationJob
    error: Exception
    operation: Operation
    asked_for: frozenset[Region] = frozenset()
    listed: frozenset[Region] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Turns every error into a decision of its own."""

    admission: AdmissionControl
    health: RegionHealth
    runtime: Runtime

    def after(self, failed: StepFailure) -> Step:
        """Return the job with what the error taught, and what is to be done next."""
        job = failed.job
        match failed.error:
            case GoneError() as error:
                return Step(job=job, decision=Supersede(reason=str(error)))
            case ThrottledError() as error:
                return self._after_throttle(job, error, failed.operation)
            case RegionRefusedError() as error:
                return self._after_refusal(job, error, failed.asked_for, failed.listed)
            case PermanentError() as error:
                failure = Failure(code=error.code, message=str(error))
                return Step(job=job, decision=GiveUp(reason=str(error), failure=failure))
            case error:
                return self._after_transient(job, error)

    def _after_throttle(
        self, job: ReplicationJob, error: ThrottledError, operation: Operation
    ) -> Step:
        """Close the gate for everybody, and take a place in the line behind it."""
        try:
            self.admission.refused(job.image_version_id, operation, error)
            job, deferral = self.admission.ask(job, (operation,))
        except ReplicationError as unrecorded:
            log_outcome("throttle.unrecorded", level=WARNING, key=job.key, reason=str(unrecorded))
            deferral = None
        if deferral is None:
            return self._after_transient(job, error)
        return self.queue_up(job, deferral, error)

    def queue_up(
        self, job: ReplicationJob, deferral: Deferral, error: ThrottledError | None = None
    ) -> Step:
        """Wait for a place in line; only the deadline ends that."""
        message, code = (str(error), error.code) if error else (deferral.reason, "held_back")
        now = self.runtime.clock()
        after_s = max(0.0, (deferral.until - now).total_seconds())
        decision = decide_on_error(
            job,
            ThrottledError(message, code=code, retry_after_s=after_s),
            now=now,
            limits=self.runtime.limits,
            # The places are spread already; jitter would only lose the turn.
            chance=0.0,
        )
        return Step(job=job, decision=decision)

    def _after_refusal(
        self,
        job: ReplicationJob,
        error: RegionRefusedError,
        asked_for: frozenset[Region],
        listed: frozenset[Region],
    ) -> Step:
        """Go on without the regions that were refused: one bad region never blocks the others."""
        regions = error.regions
        if not regions and len(asked_for) == 1:
            regions = asked_for
        failure = Failure(code=error.code, message=str(error))
        if not (regions or asked_for) - listed:
            # About what is in the list already: to leave it out changes nothing.
            return Step(job=job, decision=GiveUp(reason=str(error), failure=failure))
        if regions:
            until = refusal_end(self.runtime.clock(), self.runtime.limits)
            names = ", ".join(sorted(region.name for region in regions))
            reason = f"Azure refused it to this subscription: {error}"
            if _holds_for_others(job, error):
                self._remember(job, regions, reason, until)
            left = {one.region for one in job.replicas if one.state is not ReplicaState.REMOVED}
            job = withhold(job, regions, reason, until=until)
            if not left - regions:
                reason = f"no region is left to replicate to: {error}"
                return Step(job=job, decision=GiveUp(reason=reason, failure=failure))
            return Step(
                job=job,
                decision=Retry(
                    after_s=self.runtime.limits.retry_base_s,
                    counts=False,
                    reason=f"{names} may not be used; go on without: {error}",
                ),
            )
        return Step(
            job=replace(job, one_by_one=True),
            decision=Retry(
                after_s=self.runtime.limits.retry_base_s,
                counts=False,
                reason=f"Azure does not say which region it means, add them one by one: {error}",
            ),
        )

    def _remember(
        self, job: ReplicationJob, regions: frozenset[Region], reason: str, until: datetime
    ) -> None:
        """Tell every other version of the subscription; this one knows it in any case."""
        subscription_id = job.image_version_id.subscription_id
        try:
            self.health.refuse(subscription_id, regions, reason, until=until)
        except ReplicationError as error:
            log_outcome("refusal.unrecorded", level=WARNING, key=job.key, reason=str(error))

    def _after_transient(self, job: ReplicationJob, error: Exception) -> Step:
        if not isinstance(error, _EXPECTED):
            log_outcome(
                "replication.unexpected_error",
                level=ERROR,
                error=error,
                key=job.key,
                image_version=str(job.image_version_id),
            )
        decision = decide_on_error(
            job,
            error,
            now=self.runtime.clock(),
            limits=self.runtime.limits,
            chance=self.runtime.chance(),
        )
        return Step(job=job, decision=decision)


def _holds_for_others(job: ReplicationJob, error: RegionRefusedError) -> bool:
    if error.code in _MAYBE_ABOUT_THE_SUBSCRIPTION:
        return bool(error.regions) or job.tries.writes > 0
    return error.code in _ABOUT_THE_SUBSCRIPTION
