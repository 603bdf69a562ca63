"""The gauges: what stands in storage, in a number of calls that does not grow with it."""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from replication.domain.errors import FailureCode, TransientError
from replication.domain.job import Phase, Replica, ReplicaState
from replication.domain.regions import Region
from replication.gauges import (
    KEPT_S,
    RecordGauges,
    StateGauges,
    log_state,
)
from replication.guards.budget_guard import SPENDINGS
from replication.guards.budgets import Spending
from replication.guards.circuits import Circuit
from replication.guards.region_health import CIRCUITS
from replication.listing.jobs import ListingTotals
from replication.ports import QueueName
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
    REGION,
    REPLICAS,
    SCRAPE_ERRORS,
    SPENDING,
    STATE,
    Metric,
)
from replication.telemetry.port import Sample
from tests.support.builders import NOON, version_body, version_id
from tests.support.fakes import MemoryControls, World, build_world
from tests.support.jobs import job
from tests.support.listing import MemoryListing
from tests.support.scenarios.steps import export


def of(samples: Iterable[Sample], metric: Metric, **_: Any) -> dict[str, float]:
    return {
        " ".join(map(str, one.labels.values())): one.value
        for one in samples
        if one.metric is metric
    }


@pytest.fixture
def world() -> World:
    return build_world()


def test_an_empty_app_has_every_phase_and_state_at_zero(world: World) -> None:
    samples = world.app.gauges.read()
    assert of(samples, JOBS) == {phase.value: 0 for phase in Phase}
    assert of(samples, REPLICAS) == {state.value: 0 for state in ReplicaState}
    assert of(samples, QUEUE_DEPTH) == {queue.value: 0 for queue in QueueName}
    assert of(samples, SCRAPE_ERRORS) == {"queues": 0, "controls": 0, "records": 0, "books": 0}
    assert of(samples, LETTERS) == {}


def test_what_stands_in_storage_is_counted(world: World) -> None:
    export(world)
    world.clock.now += timedelta(seconds=90)
    world.app.pauses.pause(QueueName.JOBS, by="operator 1", reason="maintenance")
    world.app.desk.event({"id": "event-9"}, event_id="event-9", cause="a test")
    samples = world.app.gauges.read()
    assert of(samples, QUEUE_DEPTH)["replication-jobs"] == 1
    assert of(samples, QUEUE_AGE)["replication-jobs"] == 90
    assert of(samples, QUEUE_PAUSED) == {
        queue.value: int(queue is QueueName.JOBS) for queue in QueueName
    }
    assert of(samples, JOBS)["planned"] == 1
    assert of(samples, REPLICAS)["planned"] == 8
    assert of(samples, LETTERS) == {"malformed_event": 1}


def test_a_job_counts_as_stuck_while_one_of_its_replicas_is(world: World) -> None:
    replica = Replica(
        region=Region("westus2"),
        reason="",
        planned_at=NOON,
        state=ReplicaState.REPLICATING,
    )
    for number, since in enumerate((NOON, None)):
        replicas = (replace(replica, stuck_since=since),)
        of_one = job(version_id(version=f"1.0.{number}"), replicas=replicas)
        world.app.listing.note(of_one)
    assert of(world.app.gauges.read(), JOBS_STUCK) == {"": 1}


def test_circuits_and_budgets_show_from_the_shared_rows(world: World) -> None:
    state = world.app.shared_state
    state.put(CIRCUITS, Circuit(region=Region("westus"), opened_at=NOON))
    state.put(CIRCUITS, Circuit(region=Region("westus2")))
    month = f"{world.clock():%Y-%m}"
    for gallery, amount, when in (("a", "1.25", month), ("b", "2", month), ("c", "4", "2020-01")):
        state.put(
            SPENDINGS,
            Spending(
                budget="labs",
                gallery_id=gallery,
                month=when,
                currency="USD",
                counted_at=NOON,
                counted=Decimal(amount),
            ),
        )
    samples = world.app.gauges.read()
    assert of(samples, CIRCUITS_OPEN) == {"westus": 1}
    assert of(samples, SPENDING) == {"labs USD": 3.25}
    assert {PART, PHASE, STATE, QUEUE, REGION, CODE, BUDGET, CURRENCY} >= {
        label for one in samples for label in one.labels
    }


def test_a_part_that_cannot_be_read_leaves_the_others_standing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    gauges = with_totals(world, failing)
    samples = gauges.read()
    assert of(samples, SCRAPE_ERRORS) == {"queues": 0, "controls": 0, "records": 1, "books": 0}
    assert of(samples, JOBS) == {}
    assert of(samples, QUEUE_DEPTH)
    told = [json.loads(one.message) for one in caplog.records]
    assert [(one["event"], one["part"]) for one in told] == [("state.unreadable", "records")]


def failing() -> ListingTotals:
    raise TransientError("no storage")


def with_totals(world: World, totals: Callable[[], ListingTotals]) -> StateGauges:
    records = RecordGauges(totals, world.letters)
    sources = tuple(
        records if source.part == records.part else source for source in world.app.gauges.sources
    )
    return StateGauges(sources=sources, clock=world.clock)


def test_what_was_read_is_kept_for_a_few_seconds_and_no_longer(world: World) -> None:
    calls = []

    def totals() -> ListingTotals:
        calls.append(world.clock())
        return ListingTotals(jobs={}, replicas={})

    gauges = with_totals(world, totals)
    first = gauges.read()
    world.clock.now += timedelta(seconds=KEPT_S)
    assert gauges.read() is first
    world.clock.now += timedelta(seconds=1)
    assert gauges.read() is not first
    world.clock.now -= timedelta(seconds=5)  # the clock was set back
    gauges.read()
    assert len(calls) == 3


def test_a_listing_s_counts_are_taken_as_they_are(world: World) -> None:
    totals = ListingTotals(
        jobs={"tracking": 7, "stuck": 2}, replicas={ReplicaState.COMPLETED: 10**6}
    )
    samples = with_totals(world, lambda: totals).read()
    assert of(samples, JOBS)["tracking"] == 7
    assert of(samples, JOBS)["failed"] == 0
    assert of(samples, JOBS_STUCK) == {"": 2}
    assert of(samples, REPLICAS)["completed"] == 10**6
    assert of(samples, REPLICAS)["failed"] == 0


@pytest.mark.parametrize("jobs", [1, 60])
def test_the_records_cost_one_call_however_many_jobs_there_are(jobs: int) -> None:
    world = build_world()
    for number in range(jobs):
        replica = Replica(region=Region("westus2"), reason="", planned_at=NOON)
        one = job(version_id(version=f"1.0.{number}"), replicas=(replica,))
        world.store.insert(one)
        world.app.listing.note(one)
    store = world.app.listing.store
    assert isinstance(store, MemoryListing)
    before, listed = world.store.calls, store.calls
    samples = world.app.gauges.read()
    assert of(samples, REPLICAS)["planned"] == jobs
    assert (world.store.calls - before, store.calls - listed) == (0, 1)


def test_one_line_tells_every_gauge(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world.gallery.add(version_id(), version_body())
    samples = world.app.gauges.read()
    log_state(samples)
    (line,) = [json.loads(one.message) for one in caplog.records]
    assert line["event"] == "state.measured"
    assert len(line["samples"]) == len(samples)
    assert {
        "metric": "gallery_replicator.jobs",
        "value": 0,
        "label": "planned",
    } in line["samples"]


def test_a_letter_of_a_code_is_counted_by_it(world: World) -> None:
    for number in range(3):
        world.app.desk.message(
            f"message {number}",
            queue="replication-jobs",
            attempts=5,
            code=FailureCode.POISON_MESSAGE,
            cause="a test",
        )
    assert isinstance(world.controls, MemoryControls)
    assert of(world.app.gauges.read(), LETTERS) == {"poison_message": 3}
