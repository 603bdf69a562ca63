"""A paused queue: nothing is written, what is under way is followed, and nothing runs out."""

from datetime import timedelta

import pytest

from replication.domain.job import Phase
from replication.ports import QueueName
from tests.support.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID, export, states

WHY = "an incident in eastus"


def pause(world: World, queue: QueueName = QueueName.JOBS) -> None:
    assert world.app.pauses.pause(queue, by="ann", reason=WHY).done


def test_nothing_is_written_while_a_queue_is_paused_and_the_reason_is_shown() -> None:
    for queue in QueueName:
        world = build_world()
        pause(world, queue)
        export(world)
        world.run(until=world.clock() + timedelta(minutes=10))
        assert world.gallery.writes == []
        job = world.job(ID)
        assert job.phase is Phase.WAITING
        assert job.reason.startswith(f"{queue.value} is paused since 2026-")
        assert f"by ann: {WHY}" in job.reason


def test_resuming_lets_what_waited_go_on_within_a_minute() -> None:
    world = build_world()
    pause(world)
    export(world)
    world.run(until=world.clock() + timedelta(minutes=10))
    assert world.app.pauses.resume(QueueName.JOBS, by="ann").done
    world.run(until=world.clock() + timedelta(seconds=61))
    assert len(world.gallery.writes) == 1
    world.run()
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")


def test_copies_under_way_are_followed_to_their_end() -> None:
    world = build_world()
    export(world)
    world.run(until=world.clock() + timedelta(seconds=30))
    assert len(world.gallery.writes) == 1
    pause(world)
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1


@pytest.mark.slow
def test_a_pause_longer_than_the_deadline_fails_nothing() -> None:
    world = build_world()
    pause(world)
    export(world)
    left_s = (world.job(ID).schedule.deadline_at - world.clock()).total_seconds()
    world.run(until=world.clock() + timedelta(seconds=left_s + 7200), steps=5000)
    assert world.job(ID).phase is Phase.WAITING
    assert world.letters.letters == {}
    assert (world.job(ID).schedule.deadline_at - world.clock()).total_seconds() > left_s - 600
    world.app.pauses.resume(QueueName.JOBS, by="ann")
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_a_long_pause_reads_nothing_and_says_it_once_in_the_timeline() -> None:
    world = build_world()
    pause(world)
    export(world)
    world.run(until=world.clock() + timedelta(hours=2), steps=1000)
    assert world.job(ID).tries.arm_calls == 2  # the intake's, and one look
    events = [entry.event for entry in world.history.read(ID.key)]
    assert events.count("pause") <= 2


def test_pauses_hold_until_all_are_resumed() -> None:
    world = build_world()
    for queue in QueueName:
        pause(world, queue)
    why = world.app.pauses.why()
    assert why is not None
    assert all(queue.value in why for queue in QueueName)
    for queue in QueueName:
        assert world.app.pauses.why() is not None
        world.app.pauses.resume(queue, by="ann")
    assert world.app.pauses.why() is None


def test_pausing_twice_keeps_the_first_reason_and_resuming_twice_is_harmless() -> None:
    world = build_world()
    pause(world)
    again = world.app.pauses.pause(QueueName.JOBS, by="bob", reason="another")
    assert not again.done
    assert again.pause is not None
    assert (again.pause.by, again.pause.reason) == ("ann", WHY)
    assert "paused already" in again.reason
    assert world.app.pauses.resume(QueueName.JOBS, by="bob").done
    assert not world.app.pauses.resume(QueueName.JOBS, by="bob").done


def test_an_export_during_a_pause_is_planned_and_kept() -> None:
    world = build_world()
    pause(world)
    other = version_id(version="1.0.1")
    world.gallery.add(other, version_body())
    world.app.intake.receive(written_event(other, at=world.clock()), {})
    assert world.job(other).phase is Phase.PLANNED
    assert len(world.job(other).replicas) == len(US_NEIGHBOURS)
