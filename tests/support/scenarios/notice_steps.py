"""What the scenarios about notices share: receivers in memory, and letters to tell of."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bootstrap.app import build_app
from replication.domain.errors import ReplicationError
from replication.domain.image_version import ImageVersionId
from replication.notices.digest import Digest
from replication.notices.service import ChannelReport
from replication.ports import DeadLetter
from tests.support.builders import NOON, version_body, version_id, written_event
from tests.support.fakes import World, build_world

PERSON = "casey.teacher@example.edu"


@dataclass
class Channel:
    """A receiver in memory; raises the next of its failures, if any."""

    name: str = "webhook"
    heard: list[Digest] = field(default_factory=list)
    failures: list[ReplicationError] = field(default_factory=list)

    def send(self, digest: Digest) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.heard.append(digest)

    @property
    def story(self) -> list[tuple[str, str]]:
        return [
            (one.change.value, one.cause.key) for digest in self.heard for one in digest.notices
        ]


def told_world(*channels: Channel) -> World:
    world = build_world()
    again = replace(world.app.ports, channels=channels)
    world.app = build_app(world.app.settings, world.app.policy, again)
    return world


def run(world: World) -> tuple[ChannelReport, ...]:
    return world.app.notices.run(site="app.example")


def pass_time(world: World, hours: float) -> None:
    """Let the timer run every five minutes, and the messages that are due before it."""
    for _ in range(round(hours * 12)):
        until = world.clock() + timedelta(minutes=5)
        world.run(steps=2000, until=until)
        world.clock.now = until
        run(world)


def letter(number: int, **changes: Any) -> DeadLetter:
    known = DeadLetter(
        id=f"{number:032x}",
        at=NOON,
        source="job",
        code="locked",
        cause=f"a lock, said {PERSON}",
        attempts=1,
        correlation_id="corr",
        image_version_id=str(version_id(gallery=f"gallery{number % 20}", version=f"1.0.{number}")),
        raw=json.dumps({"claims": PERSON}),
    )
    return replace(known, **changes)


def export(world: World, *versions: ImageVersionId) -> None:
    for one in versions:
        world.gallery.add(one, version_body())
        world.app.intake.receive(written_event(one, at=world.clock()), {})


def run_for(world: World, minutes: int) -> None:
    """Let the timer run every five minutes."""
    for _ in range(0, minutes, 5):
        world.clock.advance(300)
        run(world)
