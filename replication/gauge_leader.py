"""Who sends the gauges over OTLP: one instance at a time, for all read the same storage."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from replication.domain.errors import ReplicationError
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState
from replication.telemetry.log import log_outcome
from replication.telemetry.metrics import PART, SCRAPE_ERRORS
from replication.telemetry.port import Sample

GAUGES = "gauges"
_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
_INTERVAL_MS = 60_000.0
# An instance may miss one round without another taking over.
_ROUNDS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What one instance does for all: which of them, and until when unless it goes on."""

    name: str
    by: str
    until: datetime


DUTIES = Kind("duty", Duty, key=lambda duty: duty.name)


class Gauges(Protocol):
    """What stands in storage."""

    def read(self) -> tuple[Sample, ...]:
        """Return the samples; never raises what the storage raises."""
        ...


@dataclass(slots=True, kw_only=True)
class GaugeLeader:
    """Reads the gauges where this instance is on duty, and nothing where another is.

    The duty is a row that all instances share; it lapses `hold_s` after the last renewal. Nobody
    asks for it as long as it is known to be another's, so that those cost next to no storage call.
    """

    gauges: Gauges
    shared_state: SharedState
    clock: Callable[[], datetime]
    owner: str
    hold_s: float = _ROUNDS * _INTERVAL_MS / 1000
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _mine: bool | None = None
    _known: tuple[datetime, datetime] | None = None

    def read(self) -> tuple[Sample, ...]:
        """Return the samples, none where another instance sends them.

        Where that cannot be found out, return only that the controls cannot be read.
        """
        with self._lock:
            now = self.clock()
            if self._known is None or not self._known[0] <= now < self._known[1]:
                self._mine, ask_again_at = self._ask(now)
                self._known = now, ask_again_at
            mine = self._mine
        if mine is None:
            return (Sample(metric=SCRAPE_ERRORS, value=1.0, labels={PART: "controls"}),)
        return self.gauges.read() if mine else ()

    def _ask(self, now: datetime) -> tuple[bool | None, datetime]:
        """Return whose duty it is, None for not known, and when to ask again."""
        held = timedelta(seconds=self.hold_s)
        own = Duty(name=GAUGES, by=self.owner, until=now + held)

        def take(duty: Duty | None) -> tuple[Duty, Duty]:
            # What lies further ahead than anyone holds it was written by a clock that is wrong.
            others = duty and duty.by != self.owner and now < duty.until <= now + 2 * held
            after = duty if duty and others else own
            return after, after

        try:
            after = self.shared_state.change(DUTIES, GAUGES, take)
        except ReplicationError as error:
            log_outcome("gauges.unsent", level=logging.WARNING, reason=str(error))
            return None, now + held / 5
        if after.by != self.owner:
            return False, after.until
        return True, now + held / 2


def hold_s(env: Mapping[str, str]) -> float:
    """Return how long a duty lasts, from how often OpenTelemetry is told to export."""
    try:
        interval_ms = float(env.get(_INTERVAL) or _INTERVAL_MS)
    except ValueError:
        interval_ms = _INTERVAL_MS  # as OpenTelemetry does
    if not interval_ms > 0:  # no number is not, either
        interval_ms = _INTERVAL_MS
    return _ROUNDS * min(max(interval_ms, 1000.0), 3_600_000.0) / 1000
