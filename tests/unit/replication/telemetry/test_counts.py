"""What is counted, where it really happens."""

from collections import Counter

from bootstrap.telemetry import open_telemetry
from replication.domain.actions import IntakeAction
from replication.domain.job import Phase
from replication.telemetry.job_metrics import CLOSED_SERIES
from replication.telemetry.metrics import (
    EVENTS,
    JOBS_ENDED,
    REPLICA_FAILURES,
    RETRIES,
    STUCK_FOUND,
    TIME_TO_AVAILABLE,
    Metric,
)
from replication.telemetry.process import ProcessTelemetry
from tests.support.builders import version_body
from tests.support.fakes import World, build_world
from tests.support.scenarios.desk_steps import fail, replay
from tests.support.scenarios.steps import ID, export

DAY_S = 86_400


def counted(telemetry: ProcessTelemetry, metric: Metric) -> Counter[str]:
    """Return the values of a counter by its first label."""
    known = telemetry.tally.figures().counters.get(metric, {})
    return Counter({series[0]: int(value) for series, value in known.items() if value})


def telling() -> tuple[World, ProcessTelemetry]:
    telemetry = ProcessTelemetry()
    return build_world(telemetry=telemetry), telemetry


def test_a_copy_that_failed_and_is_tried_again_counts_by_its_code() -> None:
    world, telemetry = telling()
    world.gallery.failing = {"westus3": 1}
    export(world)
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert counted(telemetry, RETRIES) == {"copy_failed": 1}


def test_what_an_operator_cancels_counts_as_an_end_once() -> None:
    world, telemetry = telling()
    export(world)
    for _ in range(2):
        world.app.operations.cancel(ID.key, remove=True, by="operator 1")
    world.run()
    assert counted(telemetry, JOBS_ENDED) == {"cancelled": 1}


def test_what_is_skipped_from_the_start_counts_as_an_end() -> None:
    world, telemetry = telling()
    world.gallery.add(ID, version_body(location="swedencentral"))
    world.app.intake.request(ID, trigger="a test", correlation_id="c")
    assert world.job(ID).phase is Phase.SKIPPED
    assert counted(telemetry, JOBS_ENDED) == {"skipped": 1}


def test_the_time_to_available_of_a_replay_leaves_the_days_before_it_out() -> None:
    world, telemetry = telling()
    fail(world)
    world.clock.advance(3 * DAY_S)
    replay(world)
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    found = telemetry.tally.figures().histograms[TIME_TO_AVAILABLE]
    assert len(found) == 8
    assert all(one.total < DAY_S for one in found.values())


def test_series_that_are_known_beforehand_begin_at_zero() -> None:
    counters = open_telemetry({}).tally.figures().counters
    assert set(counters) == set(CLOSED_SERIES)
    assert counters[EVENTS] == {(action,): 0.0 for action in IntakeAction}


def test_the_series_of_a_region_begin_at_zero_with_the_first_look_at_a_copy() -> None:
    world, telemetry = telling()
    export(world)
    first = telemetry.tally.figures()
    for metric in (STUCK_FOUND, REPLICA_FAILURES):
        assert len(first.counters[metric]) == 8
        assert set(first.counters[metric].values()) == {0.0}
    times = first.histograms[TIME_TO_AVAILABLE]
    assert len(times) == 8
    assert all((sum(one.counts), one.total) == (0, 0.0) for one in times.values())
    world.run()
    ended = telemetry.tally.figures().histograms[TIME_TO_AVAILABLE]
    assert all(sum(one.counts) == 1 for one in ended.values())
