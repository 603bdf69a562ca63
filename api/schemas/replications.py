"""Replications: the list, one with its timeline, a plan, and what came of an act."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Self, TypedDict

from api.schemas.base import Answer, Moment, Number, Text
from costs.pricing import estimate
from costs.pricing.estimate import LAB_SERVICES_FORMULA, SNAPSHOT_FORMULA, CostEstimate
from costs.pricing.estimator import Estimates
from replication.domain.copy_progress import percent_per_min
from replication.domain.errors import FailureCode
from replication.domain.failures import FAILURES
from replication.domain.formatting import stamp
from replication.domain.image_version import ImageVersionId
from replication.domain.job import HistoryEntry, Replica, ReplicaState, ReplicationJob
from replication.domain.plan import ReplicationPlan, WantedRegion
from replication.intake.intake import IntakeResult
from replication.operations.cancel import Cancelled
from replication.operations.release import Released


class Advice(TypedDict):
    """What a failure code means, and where the runbook speaks of it; nothing for a newer one."""

    advice: str | None
    transient: bool | None
    runbook: str | None


def advice(code: str) -> Advice:
    """Return what a failure code means."""
    try:
        kind = FAILURES[FailureCode(code)]
    except ValueError:  # of a newer release
        return {"advice": None, "transient": None, "runbook": None}
    return {"advice": kind.sentence, "transient": kind.transient, "runbook": kind.runbook}


class TimelineEntry(Answer):
    """One line of a timeline."""

    id: Text
    at: Moment
    event: Text
    reason: Text
    details: dict[Text, Any]

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        """Return it in the shape of the API."""
        return cls(
            id=entry.id,
            at=stamp(entry.at),
            event=entry.event,
            reason=entry.reason,
            details=entry.details,
        )


class Stuck(Answer):
    """Since when a copy has not moved, and how fast it did before."""

    since: Moment
    expected_percent_per_min: float | None


class Region(Answer):
    """A region of a replication."""

    region: Text
    state: Text
    progress: Number | None
    managed: bool
    requested_at: Moment | None
    completed_at: Moment | None
    reason: Text
    attempts: int
    lost_updates: int
    failure_code: Text | None
    copying_since: Moment | None
    progressed_at: Moment | None
    stuck: Stuck | None

    @classmethod
    def of(cls, replica: Replica) -> Self:
        """Return it in the shape of the API."""
        stuck = None
        if replica.stuck_since is not None:
            speed = percent_per_min(replica)
            stuck = Stuck(
                since=stamp(replica.stuck_since),
                expected_percent_per_min=None if speed is None else round(speed, 2),
            )
        return cls(
            region=replica.region.name,
            state=replica.state.value,
            progress=replica.progress,
            managed=replica.managed,
            requested_at=stamp(replica.requested_at),
            completed_at=stamp(replica.completed_at),
            reason=replica.reason,
            attempts=replica.attempts,
            lost_updates=replica.lost_updates,
            failure_code=replica.code.value if replica.code else None,
            copying_since=stamp(replica.copying_since),
            progressed_at=stamp(replica.progressed_at),
            stuck=stuck,
        )


class RegionReason(Answer):
    """A region, and why it is left out, or has no price."""

    region: Text
    reason: Text


class Failure(Answer):
    """Why a replication failed or waits, and what its code means."""

    code: Text
    message: Text
    advice: Text | None
    transient: bool | None
    runbook: Text | None


class Bounds(Answer):
    """Between which amounts of money a figure lies."""

    low: Text
    high: Text

    @classmethod
    def of(cls, amount: estimate.Amount | None) -> Self | None:
        """Return the bounds, None for no amount."""
        return None if amount is None else cls(low=f"{amount.low:f}", high=f"{amount.high:f}")


class FormulaResult(Answer):
    """What one of the two published formulas says."""

    formula: Text
    monthly: Text | None


class Cost(Answer):
    """What regions cost a month, and the transfer to them once, as an estimate.

    `monthly` and `egress_once` are numbers, as they always were; the money beside them is text.
    """

    monthly: float | None
    egress_once: float | None
    currency: Text
    basis: Text
    confidence: Text
    monthly_range: Bounds | None
    egress_range: Bounds | None
    priced_monthly: Text | None
    unpriced: list[RegionReason]
    unpriced_transfer: list[RegionReason]
    formulas: list[FormulaResult]

    @classmethod
    def of(cls, cost: CostEstimate) -> Self:
        """Return an estimate in the shape of the API."""
        return cls(
            monthly=None if cost.monthly is None else float(cost.monthly),
            egress_once=None if cost.egress_once is None else float(cost.egress_once),
            currency=cost.currency,
            basis=cost.basis,
            confidence=cost.confidence,
            monthly_range=Bounds.of(cost.monthly_range),
            egress_range=Bounds.of(cost.egress_range),
            priced_monthly=_money(cost.priced_monthly),
            unpriced=_unpriced(cost.unpriced),
            unpriced_transfer=_unpriced(cost.unpriced_transfer),
            formulas=[
                FormulaResult(formula=SNAPSHOT_FORMULA, monthly=_money(cost.monthly)),
                FormulaResult(
                    formula=LAB_SERVICES_FORMULA, monthly=_money(cost.lab_services_monthly)
                ),
            ],
        )


class Replication(Answer):
    """The replication of one image version."""

    image_version_id: Text
    key: Text
    job_id: Text
    phase: Text
    reason: Text
    trigger: Text
    geography: Text | None
    home_region: Text
    regions: list[Region]
    left_out: list[RegionReason]
    catalog: Text | None
    policy_fingerprint: Text
    size_gb: Number | None
    attempts: int
    polls: int
    writes: int
    arm_calls: int
    started_at: Moment | None
    updated_at: Moment | None
    finished_at: Moment | None
    deadline_at: Moment | None
    next_attempt_at: Moment | None
    correlation_id: Text
    failure: Failure | None
    stuck: bool
    dead_letter_id: Text | None
    cost: Cost

    @classmethod
    def of(cls, job: ReplicationJob, estimates: Estimates | None = None, **more: Any) -> Self:
        """Return a record in the shape of the API; without `estimates` at the shipped prices."""
        failure = None
        if job.failure:
            code = job.failure.code.value
            failure = Failure(code=code, message=job.failure.message, **advice(code))
        return cls(
            image_version_id=str(job.image_version_id),
            key=job.key,
            job_id=job.job_id,
            phase=job.phase.value,
            reason=job.reason,
            trigger=job.trigger,
            geography=job.geography,
            home_region=job.home_region.name,
            regions=[Region.of(replica) for replica in job.replicas],
            left_out=[_left_out(one.region.name, one.reason) for one in job.left_out],
            catalog=job.catalog_source,
            policy_fingerprint=job.policy_fingerprint,
            size_gb=job.size_gb,
            attempts=job.tries.attempts,
            polls=job.tries.polls,
            writes=job.tries.writes,
            arm_calls=job.tries.arm_calls,
            started_at=stamp(job.started_at),
            updated_at=stamp(job.updated_at),
            finished_at=stamp(job.finished_at),
            deadline_at=stamp(job.schedule.deadline_at),
            next_attempt_at=stamp(job.schedule.next_attempt_at),
            correlation_id=job.correlation_id,
            failure=failure,
            stuck=any(replica.stuck_since is not None for replica in job.replicas),
            dead_letter_id=job.letter_id if job.failure else None,
            cost=Cost.of(_cost_of(job, estimates or Estimates())),
            **more,
        )


class ReplicationDetail(Replication):
    """A replication with its timeline, the oldest entry first."""

    history: list[TimelineEntry]


class ReplicationPage(Answer):
    """One page of replications; `next` is the cursor of the page after, null on the last."""

    items: list[Replication]
    next: Text | None


class PlannedRegion(Answer):
    """A region that is wanted, or listed already."""

    region: Text
    state: Text
    reason: Text

    @classmethod
    def of(cls, wanted: WantedRegion) -> Self:
        """Return it in the shape of the command line."""
        state = "already_listed" if wanted.already_listed else "wanted"
        return cls(region=wanted.region.name, state=state, reason=wanted.reason)


class Plan(Answer):
    """Where an image version would be replicated; `held` says why a budget would hold it."""

    image_version_id: Text
    geography: Text | None
    home_region: Text
    reason: Text
    catalog: Text
    regions: list[PlannedRegion]
    left_out: list[RegionReason]
    cost: Cost
    held: Text | None

    @classmethod
    def of(cls, planned: ReplicationPlan, cost: CostEstimate, *, held: str | None) -> Self:
        """Return a plan in the shape of the command line."""
        return cls(
            image_version_id=str(planned.image_version_id),
            geography=planned.geography,
            home_region=planned.home_region.name,
            reason=planned.reason,
            catalog=planned.catalog_source,
            regions=[PlannedRegion.of(wanted) for wanted in planned.wanted],
            left_out=[_left_out(one.region.name, one.reason) for one in planned.left_out],
            cost=Cost.of(cost),
            held=held,
        )


class Taken(Answer):
    """What became of a request to replicate."""

    action: Text
    reason: Text
    image_version_id: Text
    key: Text

    @classmethod
    def of(cls, version_id: ImageVersionId, taken: IntakeResult) -> Self:
        """Return what the intake answered."""
        return cls(
            action=taken.action.value,
            reason=taken.reason,
            image_version_id=str(version_id),
            key=version_id.key,
        )


class Acted(Answer):
    """What came of an act on a replication: done or not, and why."""

    key: Text
    done: bool
    reason: Text

    @classmethod
    def of(cls, key: str, outcome: Cancelled | Released) -> Self:
        """Return what came of it."""
        return cls(key=key, done=outcome.done, reason=outcome.reason)


def _left_out(region: str, reason: str) -> RegionReason:
    return RegionReason(region=region, reason=reason)


def _unpriced(regions: Iterable[estimate.Unpriced]) -> list[RegionReason]:
    return [RegionReason(region=one.region, reason=one.reason) for one in regions]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _cost_of(job: ReplicationJob, estimates: Estimates) -> CostEstimate:
    """Estimate what the regions cost that this app added or is going to add."""
    return estimates.of(
        job.image_version_id,
        [
            estimate.RegionalReplicas(
                region=replica.region.name,
                replica_count=replica.replica_count or 1,
                storage_account_type=replica.storage_account_type or "Standard_LRS",
            )
            for replica in job.replicas
            if replica.managed or replica.state is ReplicaState.PLANNED
            if replica.state is not ReplicaState.REMOVED
        ],
        home_region=job.home_region.name,
        provisioned_gb=job.size_gb,
    )
