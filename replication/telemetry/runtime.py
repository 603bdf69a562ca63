"""Runtime: what all services run with, and no port of its own stands behind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from replication.domain.limits import Limits
from replication.telemetry.port import NO_TELEMETRY, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The time, chance, ids that are never the same twice, the limits, and where to count.

    `chance` answers a number in [0, 1).
    """

    clock: Callable[[], datetime]
    chance: Callable[[], float]
    new_id: Callable[[], str]
    limits: Limits = field(default_factory=Limits)
    telemetry: Telemetry = NO_TELEMETRY
