"""Job metrics: what a change of a record adds to the figures, the trace and the log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from replication.domain.actions import IntakeAction
from replication.domain.errors import FailureCode, Operation
from replication.domain.job import Phase, Replica, ReplicaState, ReplicationJob
from replication.telemetry.log import log_outcome
from replication.telemetry.metrics import (
    CODE,
    EVENTS,
    JOBS_ENDED,
    PHASE,
    REGION,
    REPLICA_FAILURES,
    STUCK_FOUND,
    SWEEP_FINDINGS,
    SWEEPS,
    THROTTLES,
    TIME_TO_AVAILABLE,
    Metric,
    MetricKind,
)
from replication.telemetry.port import Attributes, Telemetry

# What becomes of an event; replication.intake names them.
SWEPT = ("complete", "incomplete")

# Series whose labels are known beforehand: they stand at zero until something happens.
CLOSED_SERIES: Mapping[Metric, tuple[tuple[str, ...], ...]] = {
    EVENTS: tuple((action,) for action in IntakeAction),
    JOBS_ENDED: tuple((phase.value,) for phase in Phase if phase.is_end),
    THROTTLES: tuple((operation.value,) for operation in Operation),
    SWEEPS: tuple((outcome,) for outcome in SWEPT),
    SWEEP_FINDINGS: ((),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value for a metric; `event` and `fields` say it in the trace and in the log."""

    metric: Metric
    value: float
    labels: Attributes
    event: str
    fields: Attributes


def measure_step(before: ReplicationJob, after: ReplicationJob) -> tuple[Measurement, ...]:
    """Return what is new in a record: copies ready, failed or stuck, and the job's end."""
    found = [
        measurement
        for replica in after.replicas
        for measurement in _measure(before.replica(replica.region), replica, after)
    ]
    if after.phase.is_end and (after.phase is not before.phase or not before.phase.is_end):
        phase = after.phase.value
        found.append(
            Measurement(
                metric=JOBS_ENDED,
                value=1,
                labels={PHASE: phase},
                event="job.ended",
                fields={"phase": phase, "reason": after.reason},
            )
        )
    return tuple(found)


def tell_step(telemetry: Telemetry, before: ReplicationJob, after: ReplicationJob) -> None:
    """Tell what is new in a record: copies ready, failed or stuck, and the job's end."""
    if not after.phase.is_end:
        for replica in after.replicas:
            region = {REGION: replica.region.name}
            telemetry.expected(TIME_TO_AVAILABLE, region)
            telemetry.expected(STUCK_FOUND, region)
            telemetry.expected(REPLICA_FAILURES, {**region, CODE: FailureCode.COPY_FAILED.value})
    for measurement in measure_step(before, after):
        telemetry.happened(measurement.event, measurement.fields)
        if measurement.metric.kind is MetricKind.HISTOGRAM:
            telemetry.observed(measurement.metric, measurement.value, measurement.labels)
        else:
            telemetry.counted(measurement.metric, measurement.labels, by=measurement.value)
        if measurement.metric is not STUCK_FOUND:  # which is told with its reason
            fields: dict[str, Any] = {
                **measurement.fields,
                "image_version": str(after.image_version_id),
            }
            log_outcome(measurement.event, key=after.key, **fields)


def tell_first(telemetry: Telemetry, job: ReplicationJob) -> None:
    """Tell what a first record means, such as a job that ends as it begins."""
    tell_step(telemetry, replace(job, phase=Phase.PLANNED), job)


def _measure(old: Replica | None, replica: Replica, after: ReplicationJob) -> Iterator[Measurement]:
    region = replica.region.name
    entered = old is None or old.state is not replica.state
    # What was there before this app asked for anything says nothing about its speed.
    if entered and replica.state is ReplicaState.COMPLETED and replica.managed:
        since = max(replica.planned_at, after.started_at)
        took_s = max(0.0, ((replica.completed_at or after.updated_at) - since).total_seconds())
        yield Measurement(
            metric=TIME_TO_AVAILABLE,
            value=took_s,
            labels={REGION: region},
            event="replica.completed",
            fields={"region": region, "took_s": took_s},
        )
    if entered and replica.state is ReplicaState.FAILED:
        code = replica.code.value if replica.code else ""
        yield Measurement(
            metric=REPLICA_FAILURES,
            value=1,
            labels={REGION: region, CODE: code},
            event="replica.failed",
            fields={"region": region, "code": code, "reason": replica.reason},
        )
    was_stuck = old is not None and old.stuck_since is not None
    if replica.stuck_since is not None and not was_stuck:
        yield Measurement(
            metric=STUCK_FOUND,
            value=1,
            labels={REGION: region},
            event="replica.stuck",
            fields={"region": region, "since": replica.stuck_since.isoformat()},
        )
