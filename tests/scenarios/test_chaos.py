"""Seeded chaos on the fake clock: whatever breaks in between, every export ends Completed."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from replication.errors import ConflictError, ReplicationError, ThrottledError, TransientError
from replication.job import Phase, ReplicaState
from replication.limits import Limits
from replication.messages import JobMessage
from tests.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.fakes import World, build_world

SEEDS = 150
_HIDDEN_AFTER_CRASH_S = 600
_LIMITS = Limits(deadline_s=30 * 24 * 3600)


class Killed(BaseException):
    """The process of a worker ended here."""


@dataclass
class Chaos:
    """Kills workers and makes Azure fail, by chance, until it is told to stop."""

    world: World
    chance: random.Random
    active: bool = True
    rival_regions: list[str] = field(default_factory=list)

    def wrap(self, port: object, *names: str) -> None:
        for name in names:
            setattr(port, name, self._mischief(getattr(port, name), name))

    def _mischief(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return call(*args, **kwargs)
            if self.chance.random() < 0.04:
                raise Killed
            if name in ("read", "set_target_regions") and self.chance.random() < 0.15:
                raise self._azure_error()
            answer = call(*args, **kwargs)
            if self.chance.random() < 0.04:
                raise Killed
            return answer

        return wrapped

    def _azure_error(self) -> ReplicationError:
        return self.chance.choice(
            [
                TransientError("ARM is down", code="unreachable"),
                ThrottledError("slow down", code="429", retry_after_s=60),
                ConflictError("someone writes", code="Conflict"),
            ]
        )


def take_any(world: World, chance: random.Random) -> tuple[JobMessage, str] | None:
    """Take one of the next few messages, not always the first: queues keep no order."""
    if not world.queues.waiting:
        return None
    world.queues.waiting.sort(key=lambda one: one[:2])
    index = chance.randrange(min(3, len(world.queues.waiting)))
    due, _, _, body = world.queues.waiting.pop(index)
    world.clock.now = max(world.clock.now, due)
    return JobMessage.decode(body), body


def step(world: World, chaos: Chaos, redelivered: list[tuple[datetime, JobMessage]]) -> None:
    chance = chaos.chance
    redelivered.sort(key=lambda one: one[0])
    if redelivered and (not world.queues.waiting or chance.random() < 0.3):
        due, message = redelivered.pop(0)
        world.clock.now = max(world.clock.now, due)
        again = True
    else:
        taken = take_any(world, chance)
        if taken is None:
            world.clock.advance(900)
            sweep(world)
            return
        message, again = taken[0], False
    try:
        world.app.reconciler.reconcile(message, redelivered=again)
        if chaos.active and chance.random() < 0.1:
            world.app.reconciler.reconcile(message, redelivered=True)
    except (Killed, ReplicationError):
        hidden = timedelta(seconds=_HIDDEN_AFTER_CRASH_S)
        redelivered.append((world.clock() + hidden, message))


def sweep(world: World) -> None:
    with suppress(Killed, ReplicationError):  # the next timer comes
        world.app.sweep.run()


def deliver(world: World, number: int) -> None:
    """Deliver an event until it is acknowledged, as Event Grid does."""
    target = version_id(version=f"1.0.{number}")
    for _ in range(50):
        try:
            world.app.intake.receive(written_event(target, at=world.clock()), {})
        except (Killed, ReplicationError):
            world.clock.advance(10)
        else:
            return
    raise AssertionError("the event was never acknowledged")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_accepted_export_ends_completed_whatever_breaks(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed replays the run
    world = build_world(limits=_LIMITS, chance=chance.random())
    chaos = Chaos(world, chance)
    chaos.wrap(world.store, "load", "insert", "replace")
    chaos.wrap(world.history, "append")
    chaos.wrap(world.queues, "send")
    chaos.wrap(world.gallery, "read", "set_target_regions")
    redelivered: list[tuple[datetime, JobMessage]] = []
    targets = [version_id(version=f"1.0.{number}") for number in range(3)]
    for number, target in enumerate(targets):
        world.gallery.add(target, version_body())
        deliver(world, number)
    for _ in range(60):
        if chance.random() < 0.05:
            world.gallery.lose_next_write = True
        if chance.random() < 0.05 and world.queues.waiting:
            world.queues.waiting.pop(chance.randrange(len(world.queues.waiting)))
        if chance.random() < 0.1:
            deliver(world, chance.randrange(3))
        listed = {target: set(world.gallery.names(target)) for target in targets}
        step(world, chaos, redelivered)
        for target in targets:
            assert listed[target] <= set(world.gallery.names(target))
    chaos.active = False
    for _ in range(400):
        if all(world.job(target).phase is Phase.SUCCEEDED for target in targets):
            break
        step(world, chaos, redelivered)
    for target in targets:
        job = world.job(target)
        assert job.phase is Phase.SUCCEEDED, job.reason
        assert {one.region.name for one in job.replicas} == set(US_NEIGHBOURS)
        assert {one.state for one in job.replicas} == {ReplicaState.COMPLETED}
        assert {one.managed for one in job.replicas} == {True}
        assert job.reason
    assert world.letters.letters == {}
