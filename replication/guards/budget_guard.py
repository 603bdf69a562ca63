"""Budget guard: a plan that would cost more than its budgets allow is held back, and whole."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from replication.domain.errors import FailureCode, ReplicationError
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.job import Failure, Phase, ReplicaState, ReplicationJob
from replication.domain.policy import Budget, ReplicationPolicy
from replication.domain.regions import Region
from replication.guards.budgets import (
    Commitment,
    PlanCost,
    Spending,
    committed,
    month_of,
    must_count,
    recounted,
    scope_of,
    spending_key,
    uncommitted,
    why_over,
)
from replication.ports import JobQuery, JobStore
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState

SPENDINGS = Kind("budget", Spending, key=lambda spending: spending.key)
_PAGE = 1000


class Pricing(Protocol):
    """Tells what replicas cost; raises TransientError when the prices cannot be read."""

    def adding(self, job: ReplicationJob, regions: Iterable[Region]) -> PlanCost:
        """Return what these regions of a job would cost."""
        ...

    def standing(self, job: ReplicationJob, *, month: str) -> tuple[Decimal, int]:
        """Return what a job costs in a month, and how many of its replicas have no price.

        That is the storage of a whole month, and the transfers of the month.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetGuard:
    """Asks the budgets before new regions are written; storage is touched only where there are any.

    What a scope costs is counted from the records once a day, by whoever asks first; in between
    the plans let through are added up. A worker that dies between the two rows may leave its plan
    counted without effect until the next count.
    """

    shared_state: SharedState
    store: JobStore
    pricing: Pricing
    policy: ReplicationPolicy
    clock: Callable[[], datetime]

    def ask(
        self, job: ReplicationJob, version: ImageVersion, regions: frozenset[Region]
    ) -> tuple[ReplicationJob, Failure | None]:
        """Return the job with its plan let through, or why it is held.

        Asked for the whole plan at once, whichever of its `regions` are to be written first.
        """
        budgets = self.policy.budgets_of(job.image_version_id)
        added = regions - version.listed - job.budget_cleared
        if not budgets or not added:
            return job, None
        planned = frozenset(
            replica.region
            for replica in job.replicas
            if replica.region not in version.listed and replica.state is not ReplicaState.REMOVED
        )
        adding = (planned | regions) - version.listed
        cost = self.pricing.adding(job, sorted(adding))
        over = self._commit(job, budgets, cost)
        if over is None:
            return replace(job, budget_cleared=job.budget_cleared | adding), None
        return job, Failure(code=FailureCode.BUDGET_EXCEEDED, message=over)

    def preview(self, version_id: ImageVersionId, cost: PlanCost) -> str | None:
        """Return why a plan would be held now, None when it would not; nothing is written."""
        for budget in self.policy.budgets_of(version_id):
            before = self._row(budget, version_id)
            if before is None or must_count(before, currency=cost.currency, now=self.clock()):
                gallery_id = scope_of(budget, version_id)
                before = recounted(self._count(budget, gallery_id, cost.currency), before)
            over = why_over(before, budget, version_id.key, cost)
            if over is not None:
                return over
        return None

    def _commit(
        self, job: ReplicationJob, budgets: tuple[Budget, ...], cost: PlanCost
    ) -> str | None:
        """Enter the plan into every budget, or into none; returns why it does not fit."""
        entered: list[str] = []
        try:
            for budget in budgets:
                over = self._enter(job, budget, cost)
                if over is not None:
                    self._withdraw(job.key, entered)
                    return over
                entered.append(spending_key(budget.name, scope_of(budget, job.image_version_id)))
        except ReplicationError:
            self._withdraw(job.key, entered)
            raise
        return None

    def _enter(self, job: ReplicationJob, budget: Budget, cost: PlanCost) -> str | None:
        gallery_id, now = scope_of(budget, job.image_version_id), self.clock()
        before = self._row(budget, job.image_version_id)
        counted = None
        if must_count(before, currency=cost.currency, now=now):
            counted = self._count(budget, gallery_id, cost.currency)

        def enter(spending: Spending | None) -> tuple[Spending | None, str | None]:
            if counted is not None and must_count(spending, currency=cost.currency, now=now):
                spending = recounted(counted, spending)
            if spending is None:  # somebody removed the row since; the next look counts
                return None, f"what budget {budget.name} has spent is being counted"
            over = why_over(spending, budget, job.key, cost)
            if over is not None or cost.monthly is None or cost.egress_once is None:
                return spending, over
            amount = cost.monthly + cost.egress_once
            return committed(spending, Commitment(key=job.key, at=now, amount=amount)), None

        return self.shared_state.change(SPENDINGS, spending_key(budget.name, gallery_id), enter)

    def _withdraw(self, key: str, entered: Iterable[str]) -> None:
        for row in entered:
            self.shared_state.change(
                SPENDINGS, row, lambda spending: (spending and uncommitted(spending, key), None)
            )

    def _row(self, budget: Budget, version_id: ImageVersionId) -> Spending | None:
        key = spending_key(budget.name, scope_of(budget, version_id))
        return self.shared_state.get(SPENDINGS, key)

    def _count(self, budget: Budget, gallery_id: str | None, currency: str) -> Spending:
        """Count what stands in the scope, from every record of it."""
        now = self.clock()
        counted, unpriced = Decimal(0), 0
        for job in self._jobs(gallery_id):
            of = scope_of(budget, job.image_version_id)
            ours = budget in self.policy.budgets_of(job.image_version_id)
            if not ours or (of or "").lower() != (gallery_id or "").lower():
                continue
            cost, without_price = self.pricing.standing(job, month=month_of(now))
            counted += cost
            unpriced += without_price
        return Spending(
            budget=budget.name,
            gallery_id=gallery_id,
            month=month_of(now),
            currency=currency,
            counted_at=now,
            counted=counted,
            unpriced=unpriced,
        )

    def _jobs(self, gallery_id: str | None) -> Iterator[ReplicationJob]:
        name = gallery_id.rsplit("/", 1)[-1] if gallery_id else None
        query = JobQuery(gallery=name, limit=_PAGE)
        while True:
            page = self.store.find(query)
            yield from (one for one in page.jobs if one.phase is not Phase.SUPERSEDED)
            if page.next_cursor is None:
                return
            query = replace(query, cursor=page.next_cursor)
