"""Series whose labels are known beforehand: they stand at zero until something happens."""

from collections.abc import Mapping

from replication.domain.job import Phase
from replication.guards.throttling import Operation
from replication.telemetry.metrics import (
    EVENTS,
    JOBS_ENDED,
    SWEEP_FINDINGS,
    SWEEPS,
    THROTTLES,
    Metric,
)

# What becomes of an event; replication.intake names them.
ACTIONS = ("queued", "due", "skipped", "ignored", "not_found", "rejected")
SWEPT = ("complete", "incomplete")

CLOSED_SERIES: Mapping[Metric, tuple[tuple[str, ...], ...]] = {
    EVENTS: tuple((action,) for action in ACTIONS),
    JOBS_ENDED: tuple((phase.value,) for phase in Phase if phase.is_end),
    THROTTLES: tuple((operation.value,) for operation in Operation),
    SWEEPS: tuple((outcome,) for outcome in SWEPT),
    SWEEP_FINDINGS: ((),),
}
