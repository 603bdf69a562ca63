"""The gauges of what stands in storage, read when somebody asks and kept for a few seconds."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from costs.gauges import LastDay
from replication.domain.errors import ReplicationError
from replication.domain.job import Phase, ReplicaState
from replication.guards.budget_guard import SPENDINGS
from replication.guards.budgets import month_of
from replication.guards.pauses import PAUSES
from replication.guards.region_health import CIRCUITS
from replication.listing.job_rows import STUCK
from replication.listing.jobs import ListingTotals
from replication.ports import DeadLetters, JobQueues, QueueName
from replication.shared_state.state import SharedState
from replication.telemetry.log import log_outcome
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
from replication.telemetry.port import Sample

KEPT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCounts:
    """How many records there are of each kind.

    `stuck` counts the jobs with a replica that does not move, `letters` the open dead letters by
    code.
    """

    jobs: Mapping[Phase, int]
    stuck: int
    letters: Mapping[str, int]
    replicas: Mapping[ReplicaState, int]


class Counting(Protocol):
    """Counts what is on record, in a number of storage calls that does not grow with it."""

    def __call__(self) -> RecordCounts:
        """Return the counts; raises what the storage raises."""
        ...


def count_records(listing: Callable[[], ListingTotals], letters: DeadLetters) -> Counting:
    """Take the counts that the lists of jobs and of dead letters keep: one call for each."""

    def count() -> RecordCounts:
        found = listing()
        return RecordCounts(
            jobs={phase: found.jobs.get(phase.value, 0) for phase in Phase},
            stuck=found.jobs.get(STUCK, 0),
            letters={one.code: one.letters for one in letters.causes()},
            replicas=found.replicas,
        )

    return count


@dataclass(slots=True, kw_only=True)
class StateGauges:
    """Reads every gauge; a part that cannot be read is told of and leaves the others standing."""

    queues: JobQueues
    shared_state: SharedState
    counts: Counting
    costs: LastDay
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
        for name, part in (
            ("queues", self._queues),
            ("controls", self._controls),
            ("records", self._records),
            ("books", self.costs.read),
        ):
            failed = False
            try:
                yield from tuple(part())
            except ReplicationError as error:
                failed = True
                log_outcome("state.unreadable", level=logging.WARNING, part=name, reason=str(error))
            yield Sample(metric=SCRAPE_ERRORS, value=float(failed), labels={PART: name})

    def _queues(self) -> Iterator[Sample]:
        for depth in self.queues.depths():
            labels = {QUEUE: depth.name}
            yield Sample(metric=QUEUE_DEPTH, value=depth.depth, labels=labels)
            yield Sample(metric=QUEUE_AGE, value=depth.oldest_age_s or 0.0, labels=labels)
            yield Sample(metric=QUEUE_POISON, value=depth.poison_depth, labels=labels)

    def _controls(self) -> Iterator[Sample]:
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

    def _records(self) -> Iterator[Sample]:
        found = self.counts()
        for phase in Phase:
            yield Sample(metric=JOBS, value=found.jobs.get(phase, 0), labels={PHASE: phase.value})
        for state in ReplicaState:
            count = found.replicas.get(state, 0)
            yield Sample(metric=REPLICAS, value=count, labels={STATE: state.value})
        yield Sample(metric=JOBS_STUCK, value=found.stuck)
        for code in sorted(found.letters):
            yield Sample(metric=LETTERS, value=found.letters[code], labels={CODE: code})


def log_state(samples: Iterable[Sample]) -> None:
    """Log every gauge in one line, for whoever has the logs and no Prometheus."""
    log_outcome(
        "state.measured",
        samples=[
            {
                "metric": one.metric.name,
                "label": " ".join(one.metric.label_values(one.labels)),
                "value": one.value,
            }
            for one in samples
        ],
    )
