"""Metrics: the name, unit, labels and meaning of each; docs/telemetry.md shows them all.

Names follow the semantic conventions of OpenTelemetry where those have one; the others stand under
`gallery_replicator`. Labels are attributes of the same conventions where there are any.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """How the figures of a metric belong together."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric; `unit` is of UCUM, in braces where it only says what is counted.

    `buckets` are the upper bounds of a histogram.
    """

    name: str
    kind: MetricKind
    unit: str
    description: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def prometheus_name(self) -> str:
        """The name in Prometheus, as OpenTelemetry's rules turn it: with its unit, and `_total`."""
        unit = _PROMETHEUS_UNITS.get(self.unit, "")
        name = "_".join(part for part in (prometheus_label(self.name), unit) if part)
        return f"{name}_total" if self.kind is MetricKind.COUNTER else name

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its time series in Prometheus."""
        if self.kind is not MetricKind.HISTOGRAM:
            return (self.prometheus_name,)
        return tuple(f"{self.prometheus_name}_{part}" for part in ("bucket", "count", "sum"))

    def label_values(self, attributes: Mapping[str, object]) -> tuple[str, ...]:
        """Return the values of its labels in their order, empty where an attribute is missing."""
        return tuple(str(attributes.get(label, ""))[:_MAX_LABEL] for label in self.labels)


def prometheus_label(attribute: str) -> str:
    """Return the name of an attribute in Prometheus."""
    return re.sub(r"[^a-zA-Z0-9]+", "_", attribute)


_MAX_LABEL = 200
_PROMETHEUS_UNITS = {"s": "seconds"}
_OWN = "gallery_replicator"
_MINUTE_S, _HOUR_S = 60.0, 3600.0
# The first are those that the conventions advise; a look may wait long for Azure and storage.
_CALL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30)
# From minutes for a small image next door to a day, which is the usual deadline.
_COPY_BUCKETS = (
    *(minutes * _MINUTE_S for minutes in (1, 5, 10, 15, 20, 30, 45)),
    *(hours * _HOUR_S for hours in (1, 1.5, 2, 3, 4, 6, 8, 12, 18, 24, 48)),
)

QUEUE, REGION, CODE = "messaging.destination.name", "cloud.region", "error.type"
PHASE, STATE, OPERATION = f"{_OWN}.phase", f"{_OWN}.state", f"{_OWN}.operation"
DECISION, ACTION, SOURCE = f"{_OWN}.decision", f"{_OWN}.action", f"{_OWN}.source"
OUTCOME, PART = f"{_OWN}.outcome", f"{_OWN}.part"
BUDGET, CURRENCY, CHARGE = f"{_OWN}.budget", f"{_OWN}.currency", f"{_OWN}.charge"


def _counter(name: str, unit: str, description: str, *labels: str) -> Metric:
    return Metric(
        name=f"{_OWN}.{name}",
        kind=MetricKind.COUNTER,
        unit=unit,
        description=description,
        labels=labels,
    )


def _gauge(name: str, unit: str, description: str, *labels: str) -> Metric:
    return Metric(
        name=f"{_OWN}.{name}",
        kind=MetricKind.GAUGE,
        unit=unit,
        description=description,
        labels=labels,
    )


# What this process saw since it started.
EVENTS = _counter("events", "{event}", "Events of Event Grid, by what became of them.", ACTION)
PROCESS_DURATION = Metric(
    name="messaging.process.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    description="How long the look at an image version took that a message asked for.",
    labels=("messaging.system", "messaging.operation.name", QUEUE, DECISION, CODE),
    buckets=_CALL_BUCKETS,
)
HTTP_DURATION = Metric(
    name="http.client.request.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    description="How long calls to Azure Resource Manager took.",
    labels=(
        OPERATION,
        "http.request.method",
        "url.template",
        "http.response.status_code",
        "server.address",
        "server.port",
        CODE,
    ),
    buckets=_CALL_BUCKETS,
)
THROTTLES = _counter(
    "arm.throttles", "{answer}", "Answers of Azure that asked for a pause, by kind.", OPERATION
)
RETRIES = _counter(
    "retries", "{retry}", "Looks and copies that failed and are to be tried again, by cause.", CODE
)
JOBS_ENDED = _counter("jobs.ended", "{job}", "Jobs that came to an end.", PHASE)
TIME_TO_AVAILABLE = Metric(
    name=f"{_OWN}.replica.time_to_available",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    description="From the plan for a region until its replica was seen Completed.",
    labels=(REGION,),
    buckets=_COPY_BUCKETS,
)
REPLICA_FAILURES = _counter(
    "replica.failures", "{replica}", "Replicas that Azure reported as failed.", REGION, CODE
)
STUCK_FOUND = _counter(
    "replica.stuck_found", "{replica}", "Replicas that stopped moving, when noticed.", REGION
)
LETTERS_LAID = _counter(
    "dead_letters.laid", "{letter}", "Dead letters laid, again included.", SOURCE, CODE
)
SWEEPS = _counter("sweeps", "{run}", "Sweeps, by whether all parts were seen.", OUTCOME)
SWEEP_FINDINGS = _counter("sweep.findings", "{version}", "Versions that a sweep queued again.")

# What stands in storage when somebody asks.
QUEUE_DEPTH = _gauge("queue.depth", "{message}", "Messages in a queue, hidden ones too.", QUEUE)
QUEUE_AGE = _gauge(
    "queue.oldest_age", "s", "How long the oldest message in sight has been due.", QUEUE
)
QUEUE_POISON = _gauge("queue.poison_depth", "{message}", "Messages in a poison queue.", QUEUE)
QUEUE_PAUSED = _gauge("queue.paused", "{queue}", "1 where an operator paused the queue.", QUEUE)
JOBS = _gauge("jobs", "{job}", "Jobs on record, by phase.", PHASE)
REPLICAS = _gauge("replicas", "{replica}", "Replicas on record, by state.", STATE)
JOBS_STUCK = _gauge("jobs.stuck", "{job}", "Jobs with a replica that does not move.")
LETTERS = _gauge("dead_letters", "{letter}", "Open dead letters, by cause.", CODE)
CIRCUITS_OPEN = _gauge("circuits.open", "{region}", "1 for a region that is held back.", REGION)
SPENDING = _gauge(
    "cost.month",
    "{currency}",
    "What a budget's replicas cost this month, plans let through included.",
    BUDGET,
    CURRENCY,
)
COST_DAY = _gauge(
    "cost.day",
    "{currency}",
    "What the last day on the books cost.",
    REGION,
    CHARGE,
    CURRENCY,
)
BOOKS_AGE = _gauge("cost.books_age", "s", "How long ago the last day on the books was over.")
SCRAPE_ERRORS = _gauge("scrape.errors", "{part}", "1 for a part that could not be read.", PART)
BUILD = _gauge("build", "{build}", "Always 1; which release answers.", "service.version")

METRICS = (
    EVENTS,
    PROCESS_DURATION,
    HTTP_DURATION,
    THROTTLES,
    RETRIES,
    JOBS_ENDED,
    TIME_TO_AVAILABLE,
    REPLICA_FAILURES,
    STUCK_FOUND,
    LETTERS_LAID,
    SWEEPS,
    SWEEP_FINDINGS,
    QUEUE_DEPTH,
    QUEUE_AGE,
    QUEUE_POISON,
    QUEUE_PAUSED,
    JOBS,
    REPLICAS,
    JOBS_STUCK,
    LETTERS,
    CIRCUITS_OPEN,
    SPENDING,
    COST_DAY,
    BOOKS_AGE,
    SCRAPE_ERRORS,
    BUILD,
)
