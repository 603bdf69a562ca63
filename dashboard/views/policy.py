"""Policy in force, with what its budgets have spent."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bootstrap.app import App
from replication.domain.policy import ReplicationPolicy
from replication.guards.budget_guard import SPENDINGS
from replication.guards.budgets import Spending, month_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the replicas of a budget's scope cost this month, as counted at a moment."""

    budget: str
    gallery_id: str | None
    amount: Decimal
    currency: str
    counted_at: datetime
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """The policy and its fingerprint."""

    at: datetime
    fingerprint: str
    policy: ReplicationPolicy
    extra_regions: tuple[str, ...]
    denied_regions: tuple[str, ...]
    spent: tuple[Spent, ...]


def policy_page(app: App, now: datetime) -> PolicyPage:
    """Read the policy in force."""
    month = month_of(now)
    spending = (
        spending for spending in app.shared_state.all(SPENDINGS).values() if spending.month == month
    )
    policy = app.policy
    return PolicyPage(
        at=now,
        fingerprint=policy.fingerprint,
        policy=policy,
        extra_regions=tuple(sorted(one.name for one in policy.extra_regions)),
        denied_regions=tuple(sorted(one.name for one in policy.denied_regions)),
        spent=tuple(
            sorted(map(_spent, spending), key=lambda one: (one.budget, one.gallery_id or ""))
        ),
    )


def _spent(spending: Spending) -> Spent:
    return Spent(
        budget=spending.budget,
        gallery_id=spending.gallery_id,
        amount=spending.total(without=""),
        currency=spending.currency,
        counted_at=spending.counted_at,
        unpriced=spending.unpriced,
    )
