"""Planner: where an image version would be replicated, and at what cost; it changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.schemas.replications import Plan
from costs.pricing.estimate import RegionalReplicas
from costs.pricing.estimator import Estimates
from replication.domain.image_version import ImageVersionId
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.guards.budget_guard import BudgetGuard
from replication.guards.budgets import PlanCost
from replication.ports import Catalogs, Gallery
from replication.reconcile.observe import withheld_regions
from replication.records.repository import JobRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans without acting."""

    jobs: JobRepository
    gallery: Gallery
    catalogs: Catalogs
    guard: BudgetGuard
    policy: ReplicationPolicy
    clock: Callable[[], datetime]
    estimates: Estimates

    def plan(self, version_id: ImageVersionId) -> Plan | None:
        """Plan a version as it is now, None when it does not exist."""
        catalog = self.catalogs.of(version_id.subscription_id)
        version = self.gallery.read(version_id, catalog)
        if version is None:
            return None
        stored = self.jobs.load(version_id.key)
        withheld = (
            withheld_regions(stored.job, version, self.policy, now=self.clock()) if stored else {}
        )
        planned = plan(PlanSubject.of(version), self.policy, catalog, withheld)
        if stored is not None and stored.job.lost_its_source and stored.job.failure is not None:
            why = f"its source is gone: {stored.job.failure.message}"
            added = [one.region for one in planned.wanted if not one.already_listed]
            withheld |= dict.fromkeys(added, why)
            planned = plan(PlanSubject.of(version), self.policy, catalog, withheld)
        missing = [
            RegionalReplicas(
                region=wanted.region.name,
                replica_count=self.policy.replica_count,
                storage_account_type=self.policy.storage_account_type,
            )
            for wanted in planned.wanted
            if not wanted.already_listed
        ]
        cost = self.estimates.of(
            version_id,
            missing,
            home_region=version.home_region.name,
            provisioned_gb=version.size_gb,
        )
        held = None
        if missing:
            costing = PlanCost(
                monthly=cost.monthly,
                egress_once=cost.egress_once,
                currency=cost.currency,
                basis=cost.basis,
            )
            held = self.guard.preview(version_id, costing)
        return Plan.of(planned, cost, held=held)
