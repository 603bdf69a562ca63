"""Guards: everything that may hold a write back, as one thing to hand on."""

from dataclasses import dataclass

from replication.guards.admission import AdmissionControl
from replication.guards.budget_guard import BudgetGuard
from replication.guards.pauses import Pauses
from replication.guards.region_health import RegionHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Azure's limits, the health of regions, the budgets, and the operators' pauses."""

    admission: AdmissionControl
    health: RegionHealth
    budget: BudgetGuard
    pauses: Pauses
