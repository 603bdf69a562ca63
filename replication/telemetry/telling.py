"""Tell what a change of a record means: to the figures, the trace and the log."""

from dataclasses import replace
from typing import Any

from replication.domain.errors import FailureCode
from replication.domain.job import Phase, ReplicationJob
from replication.telemetry.job_metrics import measure_step
from replication.telemetry.log import log_outcome
from replication.telemetry.metrics import (
    CODE,
    REGION,
    REPLICA_FAILURES,
    STUCK_FOUND,
    TIME_TO_AVAILABLE,
    MetricKind,
)
from replication.telemetry.port import Telemetry


def tell_step(telemetry: Telemetry, before: ReplicationJob, after: ReplicationJob) -> None:
    """Tell what is new in a record: copies ready, failed or stuck, and the job's end."""
    if not after.phase.is_end:
        for replica in after.replicas:
            region = {REGION: replica.region.name}
            telemetry.expected(TIME_TO_AVAILABLE, region)
            telemetry.expected(STUCK_FOUND, region)
            telemetry.expected(REPLICA_FAILURES, {**region, CODE: FailureCode.COPY_FAILED.value})
    for one in measure_step(before, after):
        telemetry.told(one.event, one.fields)
        if one.metric.kind is MetricKind.HISTOGRAM:
            telemetry.observed(one.metric, one.value, one.labels)
        else:
            telemetry.counted(one.metric, one.labels, by=one.value)
        if one.metric is not STUCK_FOUND:  # which is told with its reason
            fields: dict[str, Any] = {
                **one.fields,
                "image_version": str(after.image_version_id),
            }
            log_outcome(one.event, key=after.key, **fields)


def tell_first(telemetry: Telemetry, job: ReplicationJob) -> None:
    """Tell what a first record means, such as a job that ends as it begins."""
    tell_step(telemetry, replace(job, phase=Phase.PLANNED), job)
