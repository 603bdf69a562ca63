"""The bounds of every delay and budget."""

from dataclasses import dataclass

# How long a timer works in one run: half of the host's `functionTimeout`, at which the worker is
# killed with everything that runs in it.
TIMER_MAX_RUN_S = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Delays in seconds and budgets in tries; settings.py says which setting gives which.

    `retry_max_attempts` counts failures in a row without progress, `region_max_attempts` the
    copies started in one region, `write_max_attempts` the writes to one image version,
    `unknown_max_attempts` the refusals in a row that nobody foresaw. `circuit_failures` versions
    whose copies failed open a region's circuit; a probe may take `circuit_probe_s`.
    """

    tracking_min_s: float = 15
    tracking_max_s: float = 3600
    retry_base_s: float = 5
    retry_max_s: float = 300
    lease_s: float = 120
    deadline_s: float = 24 * 3600
    overdue_after_s: float = 300
    refusal_memory_s: float = 24 * 3600
    stuck_min_s: float = 1800
    circuit_memory_s: float = 24 * 3600
    circuit_hold_s: float = 1800
    circuit_probe_s: float = 2 * 3600
    retry_max_attempts: int = 50
    region_max_attempts: int = 3
    write_max_attempts: int = 20
    unknown_max_attempts: int = 8
    circuit_failures: int = 5
