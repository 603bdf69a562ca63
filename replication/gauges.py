"""Gauges: what stands in storage, measured when somebody asks and kept for a few seconds.

Over OTLP one instance at a time sends them, for all read the same storage.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from replication.domain.errors import ReplicationError
from replication.domain.job import Phase, ReplicaState
from replication.guards.budget_guard import SPENDINGS
from replication.guards.budgets import month_of
from replication.guards.pauses import PAUSES
from replication.guards.region_health import CIRCUITS
from replication.listing.job_rows import STUCK
from replication.listing.jobs import ListingTotals
from replication.ports import DeadLetters, JobQueues, QueueName
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState
from replication.telemetry.log import WARNING, log_outcome
from replication.telemetry.metrics import (
    BUDGET,
    CIRCUITS_OPEN,
    CODE,
    CURRENCY,
    JOBS,
    JOBS_STUCK,
    LETTERS,
    PART,
    PHASE,
    QUEUE,
    QUEUE_AGE,
    QUEUE_DEPTH,
    QUEUE_PAUSED,
    QUEUE_POISON,
    REGION,
    REPLICAS,
    SCRAPE_ERRORS,
    SPENDING,
    STATE,
)
from replication.telemetry.port import GaugeSource, Sample

KEPT_S = 10.0
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


@dataclass(frozen=True, slots=True)
class QueueGauges:
    """The queues: how long they are, and how late."""

    part: ClassVar[str] = "queues"
    queues: JobQueues

    def read(self) -> Iterator[Sample]:
        for depth in self.queues.depths():
            labels = {QUEUE: depth.name}
            yield Sample(metric=QUEUE_DEPTH, value=depth.depth, labels=labels)
            yield Sample(metric=QUEUE_AGE, value=depth.oldest_age_s or 0.0, labels=labels)
            yield Sample(metric=QUEUE_POISON, value=depth.poison_depth, labels=labels)


@dataclass(frozen=True, slots=True)
class SharedStateGauges:
    """What all instances share: pauses, regions held back, and what budgets have spent."""

    part: ClassVar[str] = "controls"
    shared_state: SharedState
    clock: Callable[[], datetime]

    def read(self) -> Iterator[Sample]:
        month, paused = month_of(self.clock()), self.shared_state.all(PAUSES)
        for queue in QueueName:
            labels = {QUEUE: queue.value}
            yield Sample(metric=QUEUE_PAUSED, value=float(queue.value in paused), labels=labels)
        for region, circuit in self.shared_state.all(CIRCUITS).items():
            if circuit.is_open:
                yield Sample(metric=CIRCUITS_OPEN, value=1.0, labels={REGION: region})
        spent: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for spending in self.shared_state.all(SPENDINGS).values():
            if spending.month == month:
                spent[spending.budget, spending.currency] += spending.total(without="")
        for (budget, currency), amount in sorted(spent.items()):
            labels = {BUDGET: budget, CURRENCY: currency}
            yield Sample(metric=SPENDING, value=float(amount), labels=labels)


@dataclass(frozen=True, slots=True)
class RecordGauges:
    """The jobs and the dead letters, as their lists keep count of them: one call for each."""

    part: ClassVar[str] = "records"
    totals: Callable[[], ListingTotals]
    letters: DeadLetters

    def read(self) -> Iterator[Sample]:
        totals = self.totals()
        for phase in Phase:
            count = totals.jobs.get(phase.value, 0)
            yield Sample(metric=JOBS, value=count, labels={PHASE: phase.value})
        for state in ReplicaState:
            count = totals.replicas.get(state, 0)
            yield Sample(metric=REPLICAS, value=count, labels={STATE: state.value})
        yield Sample(metric=JOBS_STUCK, value=totals.jobs.get(STUCK, 0))
        for cause in sorted(self.letters.causes(), key=lambda cause: cause.code):
            yield Sample(metric=LETTERS, value=cause.letters, labels={CODE: cause.code})


@dataclass(slots=True, kw_only=True)
class StateGauges:
    """Reads every source; one that cannot be read is told of and leaves the others standing."""

    sources: tuple[GaugeSource, ...]
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: tuple[Sample, ...] = ()
    _read_at: datetime | None = None

    def read(self) -> tuple[Sample, ...]:
        """Return the samples, at most ten seconds old; whoever asks meanwhile waits for them."""
        with self._lock:
            now = self.clock()
            oldest = now - timedelta(seconds=KEPT_S)
            if self._read_at is None or not oldest <= self._read_at <= now:
                # Kept from the end of the reading on: it may take longer than that.
                self._known, self._read_at = tuple(self._read()), self.clock()
            return self._known

    def _read(self) -> Iterator[Sample]:
        for source in self.sources:
            failed = False
            try:
                yield from tuple(source.read())
            except ReplicationError as error:
                failed = True
                log_outcome("state.unreadable", level=WARNING, part=source.part, reason=str(error))
            yield Sample(metric=SCRAPE_ERRORS, value=float(failed), labels={PART: source.part})


@dataclass(slots=True, kw_only=True)
class GaugeLeader:
    """Reads the gauges where this instance is on duty, and nothing where another is.

    The duty is a row that all instances share; it lapses `hold_s` after the last renewal. Nobody
    asks for it as long as it is known to be another's, so that those cost next to no storage call.
    """

    gauges: StateGauges
    shared_state: SharedState
    clock: Callable[[], datetime]
    owner: str
    hold_s: float = _ROUNDS * _INTERVAL_MS / 1000
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _mine: bool | None = None
    _known: tuple[datetime, datetime] | None = None

    def read(self) -> tuple[Sample, ...]:
        """Return the samples, none where another instance sends them.

        Where that cannot be found out, return only that the shared state cannot be read.
        """
        with self._lock:
            now = self.clock()
            if self._known is None or not self._known[0] <= now < self._known[1]:
                self._mine, ask_again_at = self._ask(now)
                self._known = now, ask_again_at
            mine = self._mine
        if mine is None:
            return (Sample(metric=SCRAPE_ERRORS, value=1.0, labels={PART: SharedStateGauges.part}),)
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
            log_outcome("gauges.unsent", level=WARNING, reason=str(error))
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


def log_state(samples: Iterable[Sample]) -> None:
    """Log every gauge in one line, for whoever has the logs and no Prometheus."""
    log_outcome(
        "state.measured",
        samples=[
            {
                "metric": sample.metric.name,
                "label": " ".join(sample.metric.label_values(sample.labels)),
                "value": sample.value,
            }
            for sample in samples
        ],
    )
