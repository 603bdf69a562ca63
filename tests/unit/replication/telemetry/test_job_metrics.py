"""What one look adds to the figures."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from replication.domain.errors import FailureCode
from replication.domain.job import Phase, Replica, ReplicaState, ReplicationJob
from replication.domain.regions import Region
from replication.telemetry.job_metrics import Measurement, measure_step
from replication.telemetry.metrics import (
    JOBS_ENDED,
    METRICS,
    REPLICA_FAILURES,
    STUCK_FOUND,
    TIME_TO_AVAILABLE,
)
from tests.support.builders import NOON
from tests.support.jobs import job
from tests.support.strategies import jobs

WEST = Region("westus2")


def a_replica(**changes: Any) -> Replica:
    return replace(Replica(region=WEST, reason="in the geography", planned_at=NOON), **changes)


def found(
    before: ReplicationJob, after: ReplicationJob
) -> list[tuple[object, float, dict[str, Any]]]:
    return [(one.metric, one.value, dict(one.labels)) for one in measure_step(before, after)]


COPYING = job(replicas=(a_replica(state=ReplicaState.REPLICATING, managed=True),))


def after(**changes: Any) -> ReplicationJob:
    (replica,) = COPYING.replicas
    return replace(COPYING, replicas=(replace(replica, **changes),))


def test_a_replica_that_became_ready_took_from_its_plan_until_it_was_seen() -> None:
    ready = after(state=ReplicaState.COMPLETED, completed_at=NOON + timedelta(minutes=7))
    assert found(COPYING, ready) == [(TIME_TO_AVAILABLE, 420.0, {"cloud.region": "westus2"})]


def test_a_region_put_back_in_a_later_run_counts_from_that_run() -> None:
    later = NOON + timedelta(days=30)
    ready = replace(
        after(state=ReplicaState.COMPLETED, completed_at=later + timedelta(minutes=7)),
        started_at=later,
    )
    assert found(COPYING, ready)[0][1] == 420.0


def test_a_clock_that_went_back_counts_nothing_below_zero() -> None:
    ready = after(state=ReplicaState.COMPLETED, completed_at=NOON - timedelta(minutes=7))
    assert found(COPYING, ready)[0][1] == 0.0


def test_a_replica_that_was_there_before_the_app_came_says_nothing_about_its_speed() -> None:
    assert found(COPYING, after(state=ReplicaState.COMPLETED, managed=False)) == []


def test_a_replica_that_failed_is_counted_by_region_and_cause() -> None:
    failed = after(state=ReplicaState.FAILED, code=FailureCode.COPY_FAILED)
    labels = {"cloud.region": "westus2", "error.type": "copy_failed"}
    assert found(COPYING, failed) == [(REPLICA_FAILURES, 1, labels)]
    assert found(COPYING, after(state=ReplicaState.FAILED))[0][2]["error.type"] == ""


def test_a_replica_is_counted_as_stuck_once_each_time() -> None:
    stuck = after(stuck_since=NOON)
    assert found(COPYING, stuck) == [(STUCK_FOUND, 1, {"cloud.region": "westus2"})]
    assert found(stuck, stuck) == []
    assert found(stuck, COPYING) == []


@pytest.mark.parametrize("phase", [one for one in Phase if one.is_end])
def test_the_end_of_a_job_is_counted_once(phase: Phase) -> None:
    ended = replace(COPYING, phase=phase)
    assert found(COPYING, ended) == [(JOBS_ENDED, 1, {"gallery_replicator.phase": phase.value})]
    assert found(ended, ended) == []


def test_a_region_that_was_not_in_the_job_before_counts_as_new() -> None:
    ready = after(state=ReplicaState.COMPLETED, completed_at=NOON)
    assert [one[0] for one in found(job(), ready)] == [TIME_TO_AVAILABLE]


@given(before=jobs(), then=jobs())
def test_every_figure_is_finite_and_fits_its_metric(
    before: ReplicationJob, then: ReplicationJob
) -> None:
    for one in measure_step(before, then):
        assert isinstance(one, Measurement)
        assert one.metric in METRICS
        assert set(one.labels) <= set(one.metric.labels)
        assert one.value >= 0
