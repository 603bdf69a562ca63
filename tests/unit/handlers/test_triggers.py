"""The triggers hand the host's trace on, and a sweep tells how things stand."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

import handlers.events
import handlers.jobs
import handlers.timers
from bootstrap import use
from replication.domain.errors import TransientError
from replication.intake.events import RESOURCE_WRITTEN
from replication.records.message_codec import encode_message
from replication.sweeping.report import SweepIncompleteError
from replication.telemetry.metrics import OUTCOME, SWEEP_FINDINGS, SWEEPS
from tests.support.builders import SUBSCRIPTION, version_body
from tests.support.fakes import World, build_world
from tests.support.recording import Recording, record
from tests.support.scenarios.steps import ID

HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-1af7651916cd43dd8448eb211c80319d-c7ad6b7169203332-01"
TRACE = HOST.split("-")[1]


@dataclass
class TraceContext:
    trace_parent: str


@dataclass
class Context:
    trace_context: TraceContext


@pytest.fixture
def recording() -> Recording:
    return record()


@pytest.fixture
def world(recording: Recording) -> Iterator[World]:
    world = build_world(telemetry=recording.telemetry)
    world.gallery.add(ID, version_body())
    with use(world.app):
        yield world


def call(function: Any, trigger: Any, trace: str) -> None:
    """Call a function as the runtime does, past its decorators."""
    function.build().get_user_function()(trigger, Context(TraceContext(trace)))


def exported() -> func.EventGridEvent:
    return func.EventGridEvent(
        id="event-1",
        data={
            "resourceUri": str(ID),
            "operationName": "Microsoft.Compute/galleries/images/versions/write",
        },
        topic=f"/subscriptions/{SUBSCRIPTION}",
        subject=str(ID),
        event_type=RESOURCE_WRITTEN,
        event_time=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
        data_version="2",
    )


def message(world: World) -> func.QueueMessage:
    taken = world.queues.take()
    assert taken is not None
    return func.QueueMessage(id="message-1", body=encode_message(taken))


def test_the_trace_of_the_event_s_invocation_goes_through_both_workers(
    world: World, recording: Recording
) -> None:
    call(handlers.events.image_version_event, exported(), HOST)
    call(handlers.jobs.replicate, message(world), OTHER)
    call(handlers.jobs.track, message(world), OTHER)
    assert recording.traces("process") == {TRACE}
    names = [one.name for one in recording.spans("process")]
    assert names == ["process event", "process replication-jobs", "process replication-tracking"]


@pytest.mark.parametrize("trace", ["", "nonsense", None])
def test_a_host_without_a_trace_is_no_trouble(
    world: World, recording: Recording, trace: Any
) -> None:
    call(handlers.events.image_version_event, exported(), trace)
    call(handlers.jobs.replicate, message(world), trace)
    assert len(recording.traces("process")) == 1


def test_a_sweep_is_a_span_that_counts_and_tells_how_things_stand(
    world: World, recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    call(handlers.timers.sweep, None, HOST)
    assert recording.traces("sweep") == {TRACE}
    counters = recording.telemetry.tally.figures().counters
    assert counters[SWEEPS] == {("complete",): 1}
    assert counters[SWEEP_FINDINGS] == {(): 1}
    told = {json.loads(one.message)["event"] for one in caplog.records}
    assert {"sweep.done", "state.measured"} <= told
    assert SWEEPS.labels == (OUTCOME,)
    assert world.queues.waiting


def test_a_sweep_that_misses_a_part_is_counted_and_shown_as_failed(
    world: World, recording: Recording
) -> None:
    world.gallery.read_failures.append(TransientError("Azure is away"))
    with pytest.raises(SweepIncompleteError):
        call(handlers.timers.sweep, None, HOST)
    assert recording.telemetry.tally.figures().counters[SWEEPS] == {("incomplete",): 1}
    (span,) = recording.spans("sweep")
    assert not span.status.is_ok
