"""What one look at a job adds to the figures: pure, from the record before and after it."""

from collections.abc import Iterator
from dataclasses import dataclass

from replication.domain.job import Replica, ReplicaState, ReplicationJob
from replication.telemetry.metrics import (
    CODE,
    JOBS_ENDED,
    PHASE,
    REGION,
    REPLICA_FAILURES,
    STUCK_FOUND,
    TIME_TO_AVAILABLE,
    Metric,
)
from replication.telemetry.port import Attributes


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
        one
        for replica in after.replicas
        for one in _measure(before.replica(replica.region), replica, after)
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
