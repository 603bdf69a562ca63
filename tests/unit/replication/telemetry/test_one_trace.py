"""One export is one trace: from the event through every message to the last Completed."""

import json
import logging
from datetime import timedelta

import pytest

from replication.domain.errors import TransientError
from replication.domain.job import Phase
from replication.domain.message import JobMessage
from replication.domain.trace_context import TraceParent
from replication.ports import QueueName
from replication.records.message_codec import decode_message
from replication.telemetry.process import ProcessTelemetry
from tests.support.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.recording import Recording, record, trace_of
from tests.support.scenarios.steps import ID

EVENT = TraceParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)
LATER = TraceParent("1af7651916cd43dd8448eb211c80319d", "c7ad6b7169203332", 1)
INVOCATION = TraceParent("2af7651916cd43dd8448eb211c80319e", "d7ad6b7169203333", 1)


@pytest.fixture
def recording() -> Recording:
    return record()


@pytest.fixture
def world(recording: Recording) -> World:
    return build_world(telemetry=recording.telemetry)


def export(world: World, trace: TraceParent | None = EVENT) -> None:
    world.gallery.add(ID, version_body())
    world.app.intake.receive(written_event(ID, at=world.clock()), {}, traceparent=trace)


def bodies(world: World) -> list[JobMessage]:
    return [decode_message(body) for *_, body in world.queues.waiting]


def run(world: World) -> list[JobMessage]:
    """Work through the queue as the host does, each call with an invocation of its own."""
    seen: list[JobMessage] = []
    for _ in range(200):
        waiting = bodies(world)
        message = world.queues.take()
        if message is None:
            return seen
        assert message in waiting
        seen.append(message)
        world.app.reconciler.reconcile(message, queue=QueueName.TRACKING, invocation=INVOCATION)
    raise AssertionError("it does not end")


def test_every_message_and_every_span_of_an_export_belong_to_the_trace_of_its_event(
    world: World, recording: Recording
) -> None:
    export(world)
    seen = run(world)
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(seen) > 3
    assert {one.traceparent.trace_id for one in seen if one.traceparent} == {EVENT.trace_id}
    assert all(one.traceparent for one in seen)
    assert recording.traces() == {EVENT.trace_id}
    assert len(recording.spans("process replication-tracking")) == len(seen)


def test_all_looks_stand_under_the_event_and_point_at_their_invocation(
    world: World, recording: Recording
) -> None:
    export(world)
    run(world)
    (event,) = recording.spans("process event")
    assert event.parent is not None
    assert f"{event.parent.span_id:016x}" == EVENT.span_id
    looks = recording.spans("process replication-tracking")
    began = event.get_span_context()
    assert began is not None
    assert {one.parent.span_id for one in looks if one.parent} == {began.span_id}
    for look in looks:
        assert [f"{link.context.trace_id:032x}" for link in look.links] == [INVOCATION.trace_id]


def test_the_trace_tells_of_every_completed_replica_and_of_the_end(
    world: World, recording: Recording
) -> None:
    export(world)
    run(world)
    events = [one for span in recording.spans("process") for one in span.events]
    ready = [one.attributes for one in events if one.name == "replica.completed"]
    assert sorted(str(one["region"]) for one in ready if one) == US_NEIGHBOURS
    ended = [one for one in events if one.name == "job.ended"]
    assert [dict(one.attributes or {})["phase"] for one in ended] == ["succeeded"]


def test_a_message_that_comes_twice_changes_nothing_about_the_trace(
    world: World, recording: Recording
) -> None:
    export(world)
    twice = world.queues.take()
    assert twice is not None
    for redelivered in (False, True, True):
        world.app.reconciler.reconcile(twice, redelivered=redelivered)
    for message in run(world):
        world.app.reconciler.reconcile(message, redelivered=True)
    run(world)
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert recording.traces() == {EVENT.trace_id}
    assert {one.traceparent for one in bodies(world)} <= {world.job(ID).traceparent}


def test_a_second_event_about_a_run_under_way_joins_its_trace_by_message_only(
    world: World, recording: Recording
) -> None:
    export(world)
    world.clock.now += timedelta(seconds=1)
    event = written_event(ID, event_id="event-2", at=world.clock())
    world.app.intake.receive(event, {}, traceparent=LATER)
    seen = run(world)
    assert {one.traceparent.trace_id for one in seen if one.traceparent} == {EVENT.trace_id}
    assert [trace_of(one) for one in recording.spans("process event")] == [
        EVENT.trace_id,
        LATER.trace_id,
    ]


def test_an_event_after_the_end_begins_a_trace_of_its_own(
    world: World, recording: Recording
) -> None:
    export(world)
    run(world)
    world.clock.now += timedelta(hours=1)
    event = written_event(ID, event_id="event-2", at=world.clock())
    world.app.intake.receive(event, {}, traceparent=LATER)
    assert {one.traceparent.trace_id for one in run(world) if one.traceparent} == {LATER.trace_id}
    assert recording.traces() == {EVENT.trace_id, LATER.trace_id}


def test_who_asks_for_a_replication_begins_a_new_trace(world: World, recording: Recording) -> None:
    export(world)
    world.app.intake.request(ID, trigger="api", correlation_id="corr-2")
    (asked,) = recording.traces("request")
    seen = run(world)
    assert seen[-1].traceparent is not None
    assert seen[-1].traceparent.trace_id == asked
    assert asked != EVENT.trace_id


def test_what_the_sweep_queues_again_stays_in_the_trace_of_its_event(
    world: World, recording: Recording
) -> None:
    export(world)
    world.queues.waiting.clear()  # the message was lost
    world.clock.now += timedelta(hours=2)
    with recording.telemetry.span("sweep"):
        world.app.sweep.run()
    seen = run(world)
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert {one.traceparent.trace_id for one in seen if one.traceparent} == {EVENT.trace_id}


def test_each_version_that_the_sweep_discovers_gets_a_trace_of_its_own(
    world: World, recording: Recording
) -> None:
    other = version_id(version="2.0.0")
    world.gallery.add(ID, version_body())
    world.gallery.add(other, {**version_body(), "id": str(other)})
    with recording.telemetry.span("sweep"):
        world.app.sweep.run()
    traces = [one.traceparent.trace_id for one in bodies(world) if one.traceparent]
    assert len(set(traces)) == 2
    assert not set(traces) & recording.traces("sweep")


def test_a_record_without_a_trace_gets_one_at_its_next_look(
    world: World, recording: Recording
) -> None:
    plain = build_world()
    export(plain, trace=None)
    world.store.rows.update(plain.store.rows)
    world.queues.waiting += plain.queues.waiting
    world.gallery.add(ID, version_body())
    assert bodies(world)[0].traceparent is None
    seen = run(world)
    assert {one.traceparent.trace_id for one in seen[1:] if one.traceparent} == recording.traces()
    assert recording.traces() == {INVOCATION.trace_id}


def test_a_malformed_trace_in_a_message_is_told_and_fails_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    export(world)
    due, number, queue, body = world.queues.waiting.pop()
    document = json.loads(body)
    document["job"]["traceparent"] = "00-nonsense" * 100
    world.queues.waiting.append((due, number, queue, json.dumps(document)))
    with caplog.at_level(logging.WARNING):
        seen = run_tolerant(world)
    assert world.job(ID).phase is Phase.SUCCEEDED
    told = [json.loads(one.message) for one in caplog.records if "trace_unreadable" in one.message]
    assert [one["event"] for one in told] == ["message.trace_unreadable"]
    assert told[0]["reason"].startswith("job.traceparent: '00-nonsense")
    assert len(told[0]["reason"]) < 150
    # The record knows the trace still, and its next messages carry it on.
    assert {one.traceparent.trace_id for one in seen[1:] if one.traceparent} == {EVENT.trace_id}


def run_tolerant(world: World) -> list[JobMessage]:
    seen = []
    while (message := world.queues.take()) is not None:
        seen.append(message)
        world.app.reconciler.reconcile(message)
    return seen


def test_without_an_exporter_the_trace_of_the_host_goes_through_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = build_world(telemetry=ProcessTelemetry())
    export(world)
    seen = run(world)
    assert {one.traceparent for one in seen} == {EVENT}
    lines = [json.loads(one.message) for one in caplog.records]
    kinds = {"event.queued", "replication.reconciled"}
    assert {one["trace_id"] for one in lines if one["event"] in kinds} == {EVENT.trace_id}


def test_a_look_that_the_storage_fails_shows_as_failed(world: World, recording: Recording) -> None:
    export(world)
    message = world.queues.take()
    assert message is not None
    world.queues.failures.append(TransientError("no storage"))
    with pytest.raises(TransientError):
        world.app.reconciler.reconcile(message)
    (look,) = recording.spans("process replication-jobs")
    assert dict(look.attributes or {})["error.type"] == "TransientError"
    assert not look.status.is_ok


def test_nothing_about_a_person_stands_in_a_span(world: World, recording: Recording) -> None:
    export(world)
    run(world)
    kept = "\n".join(one.to_json() for one in recording.spans())
    assert "process replication-tracking" in kept
    assert "Casey Teacher" not in kept
