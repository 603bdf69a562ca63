"""The gauges over OTLP: sent by one instance, and by another when that one is gone."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from replication.domain.errors import TransientError
from replication.gauges import DUTIES, GAUGES, Duty, GaugeLeader, StateGauges, hold_s
from replication.shared_state.state import SharedState
from replication.telemetry.metrics import (
    BUILD,
    JOBS,
    METRICS,
    QUEUE_DEPTH,
    REPLICAS,
    SCRAPE_ERRORS,
    MetricKind,
)
from replication.telemetry.port import Sample
from tests.support.builders import NOON
from tests.support.fakes import World, build_world
from tests.support.listing import MemoryListing
from tests.support.listings import once
from tests.support.recording import record
from tests.support.scenarios.steps import export

HOLD_S = 150.0


class Reading:
    """A source that counts how often it is read."""

    part = "queues"

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> tuple[Sample, ...]:
        self.reads += 1
        return (Sample(metric=QUEUE_DEPTH, value=float(self.reads)),)


@pytest.fixture
def world() -> World:
    return build_world()


def duty(world: World, owner: str) -> GaugeLeader:
    shared_state = SharedState(
        store=world.controls, kinds=(DUTIES,), retries=once, clock=world.clock
    )
    return GaugeLeader(
        gauges=StateGauges(sources=(Reading(),), clock=world.clock),
        shared_state=shared_state,
        clock=world.clock,
        owner=owner,
        hold_s=HOLD_S,
    )


def reads(one: GaugeLeader) -> int:
    (source,) = one.gauges.sources
    assert isinstance(source, Reading)
    return source.reads


def rounds(world: World, instances: Iterable[GaugeLeader], number: int) -> list[int]:
    """Let every instance export so often, a minute apart; return how many sent in each round."""
    sent = []
    for _ in range(number):
        sent.append(sum(bool(one.read()) for one in instances))
        world.clock.now += timedelta(seconds=60)
    return sent


def test_one_of_many_instances_sends(world: World) -> None:
    instances = [duty(world, f"i{number}") for number in range(5)]
    assert rounds(world, instances, 30) == [1] * 30
    assert [reads(one) for one in instances] == [30, 0, 0, 0, 0]


def test_another_takes_over_when_the_first_is_gone(world: World) -> None:
    first, second = duty(world, "first"), duty(world, "second")
    assert rounds(world, [first, second], 5) == [1] * 5
    gap = rounds(world, [second], 6)
    assert gap.index(1) <= HOLD_S // 60
    assert gap[gap.index(1) :] == [1] * (6 - gap.index(1))
    assert rounds(world, [first, second], 5) == [1] * 5


def test_who_is_not_on_duty_asks_only_when_it_lapses(world: World) -> None:
    first, second = duty(world, "first"), duty(world, "second")
    assert first.read()
    assert second.read() == ()
    world.controls.failures = [TransientError("no call was to be made")]
    assert second.read() == ()
    assert len(world.controls.failures) == 1


@pytest.mark.parametrize("shift_s", [-90_000, 90_000])
def test_a_clock_that_is_wrong_keeps_the_duty_from_nobody(world: World, shift_s: int) -> None:
    first, second = duty(world, "first"), duty(world, "second")
    world.clock.now += timedelta(seconds=shift_s)
    assert first.read()
    world.clock.now -= timedelta(seconds=shift_s)
    assert second.read()


def test_where_nobody_knows_whose_duty_it_is_that_is_told_and_nothing_read(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.controls.failures = [TransientError("no storage")] * 3
    one = duty(world, "first")
    for _ in range(5):
        assert [(s.metric, s.value, s.labels) for s in one.read()] == [
            (SCRAPE_ERRORS, 1.0, {"gallery_replicator.part": "controls"})
        ]
    assert [json.loads(line.message)["event"] for line in caplog.records] == ["gauges.unsent"]
    assert reads(one) == 0
    world.clock.now += timedelta(seconds=60)
    assert rounds(world, [one], 2) == [1, 1]


def test_a_row_that_another_wrote_over_is_taken_back(world: World) -> None:
    one = duty(world, "first")
    one.shared_state.put(DUTIES, Duty(name=GAUGES, by="x", until=NOON - timedelta(days=1)))
    assert one.read()
    found = one.shared_state.all(DUTIES)[GAUGES]
    assert (found.by, found.until) == ("first", world.clock() + timedelta(seconds=HOLD_S))


@pytest.mark.parametrize(
    ("env", "expected_s"),
    [
        ({}, 150),
        ({"OTEL_METRIC_EXPORT_INTERVAL": ""}, 150),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "x"}, 150),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "nan"}, 150),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "-1"}, 150),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "10000"}, 25),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "1"}, 2.5),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "inf"}, 9000),
    ],
)
def test_a_duty_lasts_two_rounds_and_a_half(env: dict[str, str], expected_s: float) -> None:
    assert hold_s(env) == expected_s


def test_every_gauge_is_sent_with_its_labels_and_storage_is_read_once(world: World) -> None:
    export(world)
    recording = record()
    one = duty(world, "first")
    one.gauges = world.app.gauges
    listing = world.app.listing.store
    assert isinstance(listing, MemoryListing)
    before = listing.calls
    recording.telemetry.watch(one.read)
    assert listing.calls == before
    data = recording.reader.get_metrics_data()
    assert data is not None
    assert listing.calls == before + 1
    sent = {
        metric.name: metric.unit
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    samples = world.app.gauges.read()
    assert sent == {one.metric.name: one.metric.unit for one in samples}
    assert recording.figures(JOBS.name)["planned"] == 1
    assert recording.figures(REPLICAS.name)["planned"] == 8


def test_a_second_instance_sends_no_gauge(world: World) -> None:
    first, second = record(), record()
    for name, recording in (("first", first), ("second", second)):
        one = duty(world, name)
        one.gauges = world.app.gauges
        recording.telemetry.watch(one.read)
    assert first.figures(JOBS.name)
    assert second.reader.get_metrics_data() is None


def test_every_gauge_but_the_release_has_an_instrument() -> None:
    recording = record()
    gauges = [one for one in METRICS if one.kind is MetricKind.GAUGE and one is not BUILD]
    recording.telemetry.watch(lambda: [Sample(metric=one, value=1.0) for one in METRICS])
    assert all(recording.figures(one.name) == {"": 1.0} for one in gauges)
    assert recording.figures(BUILD.name) == {}
