"""Answer questions about what is on record, and plan without acting."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from api.schemas.base import Health
from api.schemas.operations import Queue, QueueList
from api.schemas.replications import (
    Plan,
    Replication,
    ReplicationDetail,
    ReplicationPage,
    TimelineEntry,
)
from costs.pricing.estimate import RegionalReplicas
from costs.pricing.estimator import Estimates
from replication.domain.errors import ReplicationError
from replication.domain.image_version import ImageVersionId
from replication.domain.job import ReplicationJob
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.guards.budget_guard import BudgetGuard
from replication.guards.budgets import PlanCost
from replication.guards.pauses import Pauses
from replication.listing.jobs import Listing
from replication.listing.query import ListQuery
from replication.ports import Catalogs, Gallery, History, JobQuery, JobQueues, JobStore
from replication.reconcile.observe import withheld_regions
from replication.records.repository import JobRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Read-only: nothing here changes a record, a queue or Azure."""

    store: JobStore
    jobs: JobRepository
    listing: Listing
    history: History
    queues: JobQueues
    gallery: Gallery
    catalogs: Catalogs
    guard: BudgetGuard
    pauses: Pauses
    policy: ReplicationPolicy
    clock: Callable[[], datetime]
    estimates: Estimates = field(default_factory=Estimates)

    def health(self) -> Health:
        """Check what the app cannot work without."""
        checks: dict[str, str] = {}
        for name, check in (
            ("tables", lambda: self.store.find(JobQuery(limit=1))),
            ("queues", self.queues.depths),
        ):
            try:
                check()
                checks[name] = "ok"
            except ReplicationError as error:
                checks[name] = str(error)
        return Health.of(checks, self.policy.fingerprint, self.clock())

    def records(self, query: JobQuery) -> ReplicationPage:
        """Return one page of replications in the order of their keys.

        Paged through, it shows each once, whatever changes meanwhile.
        """
        page = self.store.find(query)
        return self._page(page.jobs, page.next_cursor)

    def replications(self, query: ListQuery) -> ReplicationPage:
        """Return one page of the replications that lists show, each as its record is now.

        One that has left what was asked for since it was listed is left out. Raises
        MalformedError for a cursor of another's making.
        """
        page = self.listing.page(query)
        jobs = self.store.load_many([one.key for one in page.jobs])
        return self._page((job for job in jobs if query.means(job)), page.next_cursor)

    def replication(self, key: str, *, entries: int = 500) -> ReplicationDetail | None:
        """Return one replication with its timeline's newest entries, None when there is none."""
        stored = self.jobs.load(key)
        if stored is None:
            return None
        # The newest entries stand in the record as well, in case a crash kept them from the table.
        told = {entry.id: entry for entry in self.history.read(key, limit=entries)}
        told |= {entry.id: entry for entry in stored.job.entries}
        ordered = [told[entry_id] for entry_id in sorted(told)][-entries:]
        timeline = [TimelineEntry.of(entry) for entry in ordered]
        return ReplicationDetail.of(stored.job, self.estimates, history=timeline)

    def queue_depths(self) -> QueueList:
        """Return every queue, and whether an operator has paused it."""
        paused = self.pauses.all()
        depths = self.queues.depths()
        return QueueList(items=[Queue.of(depth, paused.get(depth.name)) for depth in depths])

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
        missing = [
            RegionalReplicas(
                region=one.region.name,
                replica_count=self.policy.replica_count,
                storage_account_type=self.policy.storage_account_type,
            )
            for one in planned.wanted
            if not one.already_listed
        ]
        cost = self.estimates.of(
            version_id,
            missing,
            home_region=version.home_region.name,
            provisioned_gb=version.size_gb,
        )
        held = None
        if missing:
            added = PlanCost(
                monthly=cost.monthly,
                egress_once=cost.egress_once,
                currency=cost.currency,
                basis=cost.basis,
            )
            held = self.guard.preview(version_id, added)
        return Plan.of(planned, cost, held=held)

    def _page(self, jobs: Iterable[ReplicationJob], cursor: str | None) -> ReplicationPage:
        items = [Replication.of(job, self.estimates) for job in jobs]
        return ReplicationPage(items=items, next=cursor)
