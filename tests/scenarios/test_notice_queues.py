"""Notices about the queues: behind, paused, or with poison in them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bootstrap.app import build_app
from replication.domain.errors import ReplicationError, TransientError
from replication.notices.digest import Digest, cloud_event
from replication.ports import QueueDepth, QueueName
from tests.support.builders import version_id
from tests.support.fakes import World, build_world
from tests.support.scenarios.notice_steps import Channel, export, letter, run, run_for, told_world


@dataclass
class Queues:
    """What can be seen of two queues."""

    age_s: float | None = None
    depth: int = 40
    invisible: int | None = 10
    poison: int = 0
    expires_at: datetime | None = None
    failures: list[ReplicationError] = field(default_factory=list)

    def depths(self) -> tuple[QueueDepth, ...]:
        if self.failures:
            raise self.failures.pop(0)
        return tuple(
            QueueDepth(
                name=queue.value,
                depth=self.depth,
                invisible=self.invisible,
                oldest_age_s=self.age_s if queue is QueueName.JOBS else 3.0,
                poison_depth=self.poison if queue is QueueName.JOBS else 0,
                poison_expires_at=self.expires_at if queue is QueueName.JOBS else None,
            )
            for queue in QueueName
        )


def queues_world(*channels: Channel) -> tuple[World, Queues]:
    """Return a world of which the notices see such queues."""
    world = told_world(*channels)
    queues = Queues()
    sources = replace(world.app.notices.sources, queues=queues)  # type: ignore[arg-type] # of the port only depths are asked
    world.app = replace(world.app, notices=replace(world.app.notices, sources=sources))
    return world, queues


def test_a_message_in_a_poison_queue_counts_with_the_letters_of_that_code() -> None:
    channel = Channel()
    world, queues = queues_world(channel)
    world.letters.put(letter(1, code="poison_message", at=world.clock()))
    queues.poison = 3
    run(world)
    (only,) = channel.heard[0].notices
    assert (only.cause.key, only.cause.jobs) == ("letter|poison_message", 4)


BEHIND = "queue|replication-jobs"


def test_a_queue_that_is_behind_is_told_once_and_resolved_when_it_has_caught_up() -> None:
    channel = Channel()
    world, queues = queues_world(channel)
    queues.age_s = 899
    run(world)
    assert channel.heard == []
    queues.age_s = 1200
    run(world)
    began = world.clock() - timedelta(seconds=1200)
    for _ in range(24):
        # Moving on, and as far behind as before.
        run_for(world, 5)
    assert channel.story == [("new", BEHIND)]
    (change,) = cloud_event(channel.heard[0])["data"]["changes"]
    assert (change["code"], change["queue"], change["jobs"]) == (
        "queue_behind",
        "replication-jobs",
        30,
    )
    assert (change["atLeast"], change["since"]) == (False, began.isoformat())
    queues.age_s = None
    run_for(world, 40)
    assert channel.story == [("new", BEHIND), ("resolved", BEHIND)]
    assert channel.heard[-1].notices[0].lasted_s == 1200 + 120 * 60 + 300


def test_a_queue_that_an_operator_paused_is_not_behind_and_not_resolved_either() -> None:
    channel = Channel()
    world, queues = queues_world(channel)
    queues.age_s = 3600
    world.app.pauses.pause(QueueName.JOBS, by="operator 1", reason="an incident")
    run_for(world, 60)
    assert channel.heard == []
    world.app.pauses.resume(QueueName.JOBS, by="operator 1")
    run_for(world, 5)
    assert channel.story == [("new", BEHIND)]
    world.app.pauses.pause(QueueName.JOBS, by="operator 1", reason="another incident")
    run_for(world, 120)
    assert channel.story == [("new", BEHIND)]
    queues.age_s = 5
    run_for(world, 40)
    assert channel.story == [("new", BEHIND), ("resolved", BEHIND)]


def test_queues_that_cannot_be_read_are_neither_behind_nor_resolved() -> None:
    channel = Channel()
    world, queues = queues_world(channel)
    queues.age_s, queues.invisible = 3600, None
    run(world)
    queues.age_s, queues.failures = 0, [TransientError("no queues") for _ in range(12)]
    run_for(world, 60)
    assert channel.story == [("new", BEHIND)]
    assert channel.heard[0].notices[0].cause.at_least


def test_the_limit_of_a_queue_is_a_setting() -> None:
    channel = Channel()
    world = build_world()
    settings = replace(world.app.settings, notice_queue_behind_s=60.0)
    again = replace(world.app.ports, channels=(channel,))
    world.app = build_app(settings, world.app.policy, again)
    export(world, version_id())
    world.clock.advance(61)
    run(world)
    assert channel.story == [("new", BEHIND)]


def test_a_poison_digest_that_is_sent_again_is_the_same_one() -> None:
    class Deaf(Channel):
        """Gets every digest, and its answers are lost."""

        def send(self, digest: Digest) -> None:
            super().send(digest)
            if len(self.heard) < 5:
                raise TransientError("no answer")

    channel = Deaf()
    world, queues = queues_world(channel)
    queues.poison = 2
    run_for(world, 60)
    assert len(channel.heard) == 5
    assert len({one.id for one in channel.heard}) == 1
    assert len({one.notices[0].cause.since for one in channel.heard}) == 1
    queues.poison = 0
    run_for(world, 60)
    assert channel.story[5:] == [("resolved", "letter|poison_message")]


EXPIRING = "expiring|replication-jobs-poison"


def test_a_message_that_nobody_keeps_is_told_of_long_before_it_expires() -> None:
    channel = Channel()
    world, queues = queues_world(channel)
    queues.poison, queues.expires_at = 2, world.clock() + timedelta(days=7)
    run_for(world, 23 * 60)
    assert ("new", EXPIRING) not in channel.story
    run_for(world, 65)
    assert ("new", EXPIRING) in channel.story
    changes = [one for digest in channel.heard for one in cloud_event(digest)["data"]["changes"]]
    (change,) = [one for one in changes if one["code"] == "poison_expiring"]
    assert (change["queue"], change["jobs"]) == ("replication-jobs-poison", 2)
    assert change["next"].startswith("Azure deletes the first at 2026-11-")
    assert change["runbook"].endswith("#poison_expiring")


def test_a_poison_message_that_is_hidden_is_neither_new_nor_over() -> None:
    channel = Channel()
    world, queues = queues_world(channel)
    queues.poison = 1
    run_for(world, 60)
    assert ("new", EXPIRING) not in channel.story
    queues.expires_at = world.clock() + timedelta(days=3)
    run_for(world, 5)
    queues.expires_at = None
    run_for(world, 120)
    assert channel.story.count(("new", EXPIRING)) == 1
    assert ("resolved", EXPIRING) not in channel.story
    queues.poison = 0
    run_for(world, 60)
    assert ("resolved", EXPIRING) in channel.story
