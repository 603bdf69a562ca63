"""Pauses that Azure asks for, through the whole app: no call is made, and no job is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tenacity import Retrying, stop_after_attempt

from bootstrap.app import build_app
from replication.domain.errors import (
    Operation,
    ReplicationError,
    ThrottledError,
    ThrottleKind,
    TransientError,
)
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase
from replication.guards.throttling import ThrottleScope, gallery_of
from replication.shared_state.port import ControlRow
from tests.support.builders import SUBSCRIPTION, version_body, version_id, written_event
from tests.support.fakes import World, build_world

ONE, TWO = version_id(), version_id(version="2.0.0")
ELSEWHERE = version_id(gallery="other")
WRITES = ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.WRITE)
READS = replace(WRITES, operation=Operation.READ)


def once() -> Retrying:
    return Retrying(stop=stop_after_attempt(1), reraise=True)


def export(world: World, *versions: ImageVersionId) -> None:
    for one in versions:
        world.gallery.add(one, version_body())
        data = {"resourceInfo": {"location": "eastus"}}
        event = written_event(one, at=world.clock())
        world.app.intake.receive(replace(event, data={**event.data, **data}), {})


def closing(retry_after_s: float, **more: ThrottleKind) -> list[ReplicationError]:
    return [ThrottledError("slow down", retry_after_s=retry_after_s, **more)]


def test_no_call_is_made_while_azure_asks_for_a_pause() -> None:
    world = build_world()
    versions = [version_id(version=f"1.0.{number}") for number in range(20)]
    world.gallery.read_failures = closing(90)
    export(world, *versions)
    world.run(until=world.clock() + timedelta(seconds=89))
    assert world.gallery.reads == 1
    assert world.gallery.writes == []
    world.run(steps=1_000)
    assert {world.job(one).phase for one in versions} == {Phase.SUCCEEDED}
    assert {world.job(one).tries.failures_in_a_row for one in versions} == {0}


def test_who_will_have_to_write_reads_nothing_in_vain_while_writes_are_refused() -> None:
    world = build_world()
    world.gallery.write_failures = closing(90)
    versions = [version_id(version=f"1.0.{number}") for number in range(20)]
    export(world, *versions)
    world.run(until=world.clock() + timedelta(seconds=89))
    assert (world.gallery.reads, world.gallery.writes) == (1, [])
    world.run(steps=1_000)
    assert {world.job(one).phase for one in versions} == {Phase.SUCCEEDED}


def test_another_gallery_goes_on_while_one_is_throttled() -> None:
    world = build_world()
    world.gallery.write_failures = closing(3_600, kind=ThrottleKind.GALLERY)
    export(world, ONE)
    world.run(until=world.clock() + timedelta(seconds=1))
    export(world, TWO, ELSEWHERE)
    world.run(until=world.clock() + timedelta(seconds=1_800))
    phases = [world.job(one).phase for one in (ONE, TWO, ELSEWHERE)]
    assert phases == [Phase.WAITING, Phase.WAITING, Phase.SUCCEEDED]
    assert [key for _, key in world.controls.rows] == [replace(WRITES, gallery=gallery_of(ONE)).key]


def test_copies_are_followed_while_writes_are_refused() -> None:
    world = build_world()
    export(world, ONE)
    world.run(until=world.clock() + timedelta(seconds=60))
    world.gallery.write_failures = closing(3_600)
    export(world, TWO)
    world.run(until=world.clock() + timedelta(seconds=1_800))
    assert [world.job(one).phase for one in (ONE, TWO)] == [Phase.SUCCEEDED, Phase.WAITING]


def test_an_event_is_not_looked_up_while_reads_are_refused() -> None:
    world = build_world()
    world.gallery.add(ONE, version_body())
    world.gallery.read_failures = closing(90)
    for _ in range(3):
        with pytest.raises(ThrottledError):
            world.app.intake.receive(written_event(ONE), {})
    assert world.gallery.reads == 1
    world.clock.advance(90)
    assert world.app.intake.receive(written_event(ONE), {}).action == "queued"


def test_an_unreadable_gate_rejects_no_event() -> None:
    world = build_world()
    world.gallery.add(ONE, version_body())
    world.controls.save(ControlRow(kind="gate", key=READS.key, document={}), etag=None)
    world.gallery.read_failures = closing(90)
    with pytest.raises(TransientError):
        world.app.intake.receive(written_event(ONE), {})
    assert world.letters.letters == {}


@pytest.mark.parametrize("broken_for", range(1, 12))
def test_trouble_in_the_shared_table_loses_no_job(broken_for: int) -> None:
    world = build_world()
    world.app = build_app(
        world.app.settings, world.app.policy, replace(world.app.ports, retries=once)
    )
    export(world, ONE)
    world.gallery.write_failures = closing(30)
    world.controls.failures = [TransientError("storage is down") for _ in range(broken_for)]
    world.run()
    assert world.job(ONE).phase is Phase.SUCCEEDED
    assert world.controls.failures == []
