"""An app of several instances whose gallery has a region in trouble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from bootstrap.app import App, build_app
from replication.domain.errors import RecordChangedError, TransientError
from replication.domain.image_version import ImageVersionId
from replication.domain.limits import Limits
from replication.domain.policy import ReplicationPolicy
from replication.guards.circuits import Circuit
from replication.guards.region_health import CIRCUITS, REGION_HELD_BACK, REGION_RELEASED
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.support.fakes import World, build_world

SICK = "westus3"
OTHERS = sorted(set(US_NEIGHBOURS) - {SICK})
HOLD_S = 3600
LIMITS = Limits(circuit_failures=2, circuit_hold_s=HOLD_S, circuit_probe_s=7200)


@dataclass
class IllGallery(MemoryGallery):
    """Copies that begin in an ill region fail at their end, whatever becomes of it later."""

    ill: set[str] = field(default_factory=lambda: {SICK})
    doomed: set[tuple[str, str]] = field(default_factory=set)
    began: list[tuple[datetime, str, str]] = field(default_factory=list)

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        before = dict(self._started)
        super().set_target_regions(version_id, entries)
        for place in list(self._started):
            if place[0] != str(version_id).lower():
                continue
            again = place in self.doomed and self._is_over(place)
            if place in before and not again:
                continue
            self._started[place] = self.clock()
            self.began.append((self.clock(), *place))
            self.doomed.discard(place)
            if place[1] in self.ill:
                self.doomed.add(place)

    def _is_over(self, place: tuple[str, str]) -> bool:
        return (self.clock() - self._started[place]).total_seconds() >= self.copy_s

    def _with_status(self, version_id: ImageVersionId, body: dict[str, Any]) -> dict[str, Any]:
        body = super()._with_status(version_id, body)
        for one in body["properties"]["replicationStatus"]["summary"]:
            if one["state"] == "Completed" and (str(version_id).lower(), one["region"]) in (
                self.doomed
            ):
                one.update(state="Failed", details="the copy failed")
        return body


@dataclass
class Fleet:
    """Instances of the app on the same ports, each with a memory of its own."""

    world: World
    gallery: IllGallery
    apps: list[App]
    turn: int = 0

    def export(self, number: int) -> ImageVersionId:
        one = version_id(version=f"1.0.{number}")
        self.gallery.add(one, version_body())
        self.apps[0].intake.receive(written_event(one, event_id=f"e{number}"), {})
        return one

    def run(self, *, until: datetime | None = None) -> None:
        """Let the instances take messages in turn."""
        for _ in range(2000):
            waiting = self.world.queues.waiting
            if until is not None and (not waiting or min(waiting)[0] > until):
                self.world.clock.now = until
                return
            message = self.world.queues.take()
            if message is None:
                return
            self.turn += 1
            self.apps[self.turn % len(self.apps)].reconciler.reconcile(message)
        raise AssertionError("the queue does not become empty")

    def after(self, seconds: float) -> datetime:
        return self.world.clock() + timedelta(seconds=seconds)

    def states(self, of: ImageVersionId) -> dict[str, str]:
        return {one.region.name: one.state.value for one in self.world.job(of).replicas}

    def circuit(self) -> Circuit | None:
        row = self.world.controls.rows.get(("circuit", SICK))
        return CIRCUITS.read(row) if row else None

    def news(self) -> list[str]:
        circuit_news = (REGION_HELD_BACK, REGION_RELEASED)
        return [one.type for one in self.world.topic.events if one.type in circuit_news]

    def copies_since(self, moment: datetime) -> list[tuple[datetime, str, str]]:
        return [one for one in self.gallery.began if one[0] >= moment and one[2] == SICK]


def at_once() -> Retrying:
    """Try again like the app, without its pauses."""
    return Retrying(
        retry=retry_if_exception_type((RecordChangedError, TransientError)),
        stop=stop_after_attempt(8),
        reraise=True,
    )


def a_fleet(instances: int, limits: Limits = LIMITS) -> Fleet:
    world = build_world(limits=limits)
    gallery = IllGallery(world.clock)
    ports = replace(world.app.ports, gallery=gallery, retries=at_once)
    apps = [build_app(world.app.settings, ReplicationPolicy(), ports) for _ in range(instances)]
    return Fleet(world=replace(world, app=apps[0], gallery=gallery), gallery=gallery, apps=apps)


def hold_back(fleet: Fleet) -> list[ImageVersionId]:
    """Let two versions fail, and export three more into the region that is held back."""
    failed = [fleet.export(number) for number in range(2)]
    fleet.run(until=fleet.after(500))
    circuit = fleet.circuit()
    assert circuit is not None
    assert circuit.is_open
    return failed + [fleet.export(number) for number in range(2, 5)]


def look_after(fleet: Fleet, seconds: float, *versions: ImageVersionId) -> None:
    """Let time pass, then look at these versions, whenever their next looks are due."""
    fleet.run(until=fleet.after(seconds))
    for one in versions:
        fleet.apps[0].intake.revisit(one, why="a test")
    fleet.run(until=fleet.after(20))
