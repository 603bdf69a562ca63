"""Budgets: what a scope's replicas cost in a calendar month, and whether a plan still fits."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from replication.domain.image_version import ImageVersionId
from replication.domain.policy import Budget

# Everything in the scope is counted anew after that; until then, what was added since is added up.
RECOUNT_AFTER = timedelta(hours=24)
# A plan that was let through is in Azure's list, and so in the count, after a few minutes.
_UNTIL_COUNTED = timedelta(hours=1)
# A table row holds 64 KiB a property.
_MAX_COMMITMENTS = 200
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCost:
    """What replicas cost: storage a month, transfer once; None where a size or price is missing."""

    monthly: Decimal | None
    egress_once: Decimal | None
    currency: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A plan that was let through: what it adds to the month."""

    key: str
    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a budget's scope costs in a month, in `currency`.

    `counted` is the storage of a whole month of what stood there at `counted_at`, and the
    transfers of the month until then; `folded` sums commitments too many to keep apart.
    `unpriced` replicas are in no figure. `gallery_id` is None for all galleries together.
    """

    budget: str
    gallery_id: str | None
    month: str
    currency: str
    counted_at: datetime
    counted: Decimal
    unpriced: int = 0
    folded: Decimal = Decimal(0)
    commitments: tuple[Commitment, ...] = ()

    @property
    def key(self) -> str:
        """The key of the row."""
        return spending_key(self.budget, self.gallery_id)

    def total(self, *, without: str) -> Decimal:
        """Return the month's cost without the plan of one version."""
        added = (one.amount for one in self.commitments if one.key != without)
        return self.counted + self.folded + sum(added, start=Decimal(0))


def spending_key(budget: str, gallery_id: str | None) -> str:
    """Return the key of the row for a scope; table keys may not hold every letter of a name."""
    scope = f"{budget}\n{(gallery_id or '').lower()}"
    return hashlib.sha256(scope.encode()).hexdigest()[:32]


def month_of(moment: datetime) -> str:
    """Return the calendar month in UTC, as `2026-11`."""
    return f"{moment:%Y-%m}"


def must_count(spending: Spending | None, *, currency: str, now: datetime) -> bool:
    """Tell whether the scope has to be counted, for the first time or anew."""
    return (
        spending is None
        or spending.month != month_of(now)
        or spending.currency != currency
        or now - spending.counted_at >= RECOUNT_AFTER
    )


def recounted(counted: Spending, before: Spending | None) -> Spending:
    """Return the new count with the plans of the old row that may not be in it yet."""
    if before is None or before.month != counted.month or before.currency != counted.currency:
        return counted
    since = counted.counted_at - _UNTIL_COUNTED
    late = tuple(one for one in before.commitments if one.at >= since)
    return replace(counted, commitments=late)


def why_over(spending: Spending, budget: Budget, key: str, cost: PlanCost) -> str | None:
    """Return why a plan does not fit into the budget, None when it does.

    A plan whose cost nobody can tell does not fit.
    """
    scope = spending.gallery_id.rsplit("/", 1)[-1] if spending.gallery_id else "all its galleries"
    if cost.monthly is None or cost.egress_once is None:
        return (
            f"budget {budget.name} of {scope} is {_money(budget.monthly, cost.currency)} a month, "
            f"and what the plan costs cannot be told: {cost.basis}"
        )
    there = spending.total(without=key)
    plan = cost.monthly + cost.egress_once
    if there + plan <= budget.monthly:
        return None
    unpriced = ""
    if spending.unpriced:
        unpriced = f" (without {spending.unpriced} replicas of unknown cost)"
    return (
        f"over budget {budget.name} of {scope}: {_money(there, cost.currency)} in "
        f"{spending.month}{unpriced}, {_money(cost.monthly, cost.currency)} a month and "
        f"{_money(cost.egress_once, cost.currency)} once for this plan, and the ceiling is "
        f"{_money(budget.monthly, cost.currency)}; {cost.basis}"
    )


def committed(spending: Spending, commitment: Commitment) -> Spending:
    """Return the spending with a plan in it; the same plan again changes nothing."""
    others = tuple(one for one in spending.commitments if one.key != commitment.key)
    folded = spending.folded
    if len(others) >= _MAX_COMMITMENTS:
        folded, others = folded + others[0].amount, others[1:]
    return replace(spending, folded=folded, commitments=(*others, commitment))


def uncommitted(spending: Spending, key: str) -> Spending:
    """Return the spending without the plan of a version."""
    others = tuple(one for one in spending.commitments if one.key != key)
    return replace(spending, commitments=others)


def scope_of(budget: Budget, version_id: ImageVersionId) -> str | None:
    """Return the gallery whose spending counts, None for all galleries of the budget together."""
    return version_id.gallery_id if budget.each_gallery else None


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount.quantize(_CENT)} {currency}"
