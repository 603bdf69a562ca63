"""What replicas cost, told to the budgets."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from costs.pricing.estimate import CostEstimate, RegionalReplicas
from costs.pricing.estimator import Estimates
from replication.domain.job import Replica, ReplicationJob
from replication.domain.regions import Region
from replication.guards.budgets import PlanCost, month_of


@dataclass(frozen=True, slots=True)
class EstimatePricing:
    """Prices by the estimate that plans and jobs show."""

    estimates: Estimates = field(default_factory=Estimates)

    def adding(self, job: ReplicationJob, regions: Iterable[Region]) -> PlanCost:
        """Return what these regions of a job would cost."""
        # Prices that cannot be read are no reason to hold a plan for a day: the job tries again.
        self.estimates.book(self.estimates.currency)
        found = (job.replica(region) for region in regions)
        cost = self._estimate(job, [_kept(one) for one in found if one is not None])
        return PlanCost(
            monthly=cost.monthly,
            egress_once=cost.egress_once,
            currency=cost.currency,
            basis=cost.basis,
        )

    def standing(self, job: ReplicationJob, *, month: str) -> tuple[Decimal, int]:
        """Return what a job costs in a month, and how many of its replicas have no price."""
        there = [one for one in job.replicas if one.listed_at and one.removed_at is None]
        kept = [_kept(one) for one in there]
        if job.home is not None:
            home = RegionalReplicas(
                region=job.home_region.name,
                replica_count=job.home.replica_count,
                storage_account_type=job.home.storage_account_type,
            )
            kept.append(home)
        cost = self._estimate(job, kept)
        if cost.priced_monthly is None:
            return Decimal(0), len(kept)
        moved = [one for one in there if one.managed and one.listed_at]
        of_month = [one for one in moved if one.listed_at and month_of(one.listed_at) == month]
        egress = self._estimate(job, [_kept(one) for one in of_month]).egress_once
        return cost.priced_monthly + (egress or Decimal(0)), len(cost.unpriced)

    def _estimate(self, job: ReplicationJob, kept: list[RegionalReplicas]) -> CostEstimate:
        return self.estimates.of(
            job.image_version_id,
            kept,
            home_region=job.home_region.name,
            provisioned_gb=job.size_gb,
        )


def _kept(replica: Replica) -> RegionalReplicas:
    return RegionalReplicas(
        region=replica.region.name,
        replica_count=replica.replica_count or 1,
        storage_account_type=replica.storage_account_type or "Standard_LRS",
    )
