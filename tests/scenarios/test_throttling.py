"""Five hundred exports into one subscription: Azure's limits are used, and hardly ever hit."""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from bootstrap.app import App, build_app
from replication.domain.errors import Operation, RecordChangedError, TransientError
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase, ReplicationJob
from replication.domain.message import JobMessage
from replication.guards.admission import GATES
from replication.intake.events import TEMPLATE_EXPORTED, ReceivedEvent
from replication.ports import QueueName, StoredJob
from replication.records.message_codec import decode_message, encode_message
from tests.support.arm.limits import (
    Call,
    LimitedGallery,
    MakeAllowance,
    Subscription,
    fixed,
    ideal_s,
    refilled,
)
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import MemoryJobStore, MemoryQueues, World, build_world

EXPORTS = 500
# How old an instance's knowledge of the gates may be.
CACHE = timedelta(seconds=2)


@dataclass
class QuickJobStore(MemoryJobStore):
    """Keeps the records as they are: what encoding does to them is tested elsewhere."""

    jobs: dict[str, StoredJob] = field(default_factory=dict)
    tags: Iterator[int] = field(default_factory=lambda: count(1))

    def load(self, key: str) -> StoredJob | None:
        return self.jobs.get(key)

    def insert(self, job: ReplicationJob) -> StoredJob:
        if job.key in self.jobs:
            raise RecordChangedError(f"{job.key} is on record already")
        return self._put(job)

    def replace(self, stored: StoredJob, job: ReplicationJob) -> StoredJob:
        if self.jobs[job.key].etag != stored.etag:
            raise RecordChangedError(f"{job.key} was changed meanwhile")
        return self._put(job)

    def _put(self, job: ReplicationJob) -> StoredJob:
        self.jobs[job.key] = StoredJob(job=job, etag=str(next(self.tags)))
        return self.jobs[job.key]


@dataclass
class QuickQueues(MemoryQueues):
    """Keeps the messages in a heap; like Azure's, they stay hidden for whole seconds."""

    def send(self, queue: QueueName, message: JobMessage, *, delay_s: float = 0) -> None:
        due = self.clock() + timedelta(seconds=math.ceil(delay_s))
        heapq.heappush(self.waiting, (due, next(self._order), queue, encode_message(message)))

    def take(self) -> JobMessage | None:
        if not self.waiting:
            return None
        due, _, _, body = heapq.heappop(self.waiting)
        self.clock.now = max(self.clock.now, due)
        return decode_message(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Two instances of the app on the same ports, and what Azure saw of them."""

    world: World
    apps: tuple[App, ...]
    azure: LimitedGallery
    began_at: datetime
    closed_since: dict[tuple[str, datetime], datetime] = field(default_factory=dict)
    breaches: list[Call] = field(default_factory=list)

    def work(self) -> None:
        """Let the instances take turns until the queue is empty."""
        turns = count()
        while (message := self.world.queues.take()) is not None:
            closed, before = self._known_closed(), len(self.azure.calls)
            self.apps[next(turns) % len(self.apps)].reconciler.reconcile(message)
            self.breaches.extend(
                call for call in self.azure.calls[before:] if call.operation in closed
            )

    def accepted_writes(self) -> list[Call]:
        writes = (one for one in self.azure.calls if one.operation is Operation.WRITE)
        return [one for one in writes if not one.refused]

    def refused(self) -> list[Call]:
        return [one for one in self.azure.calls if one.refused]

    def jobs(self) -> list[ReplicationJob]:
        return [self.world.job(exported(number)) for number in range(EXPORTS)]

    def figures(self) -> str:
        return (
            f"{len(self.azure.calls)} calls, {len(self.refused())} refused, the last PATCH after "
            f"{self._s(self.accepted_writes()[-1].at):.1f} s, all Completed after "
            f"{self._s(self.world.clock()):.0f} s"
        )

    def last_write_s(self) -> float:
        return self._s(self.accepted_writes()[-1].at)

    def _known_closed(self) -> set[Operation | None]:
        """Return the operations whose gates are closed, and were so when everybody last looked."""
        closed, now = set[Operation | None](), self.world.clock()
        for row in self.world.controls.rows.values():
            assert row.kind == GATES.name
            gate = GATES.read(row)
            if gate.closed_until is not None and gate.closed_until > now:
                since = self.closed_since.setdefault((row.key, gate.closed_until), now)
                if since + CACHE < now:
                    closed.add(gate.scope.operation)
        return closed

    def _s(self, moment: datetime) -> float:
        return (moment - self.began_at).total_seconds()


def crowd(model: MakeAllowance, *, start_s: float = 0, tells_when: bool = True) -> Crowd:
    """Build two instances, `start_s` seconds into the provider's windows."""
    world = build_world()
    world.clock.advance(start_s)
    world.store, world.queues = QuickJobStore(), QuickQueues(world.clock)
    azure = LimitedGallery(
        gallery=world.gallery,
        limits=Subscription(model=model),
        meter=world.app.ports.meter,
        calls=[],
        tells_when=tells_when,
    )
    apps = []
    for seat in (azure, azure.of_another_instance()):
        ports = replace(
            world.app.ports,
            gallery=seat,
            meter=seat.meter,
            store=world.store,
            queues=world.queues,
        )
        apps.append(build_app(world.app.settings, world.app.policy, ports))
    return Crowd(world=world, apps=tuple(apps), azure=azure, began_at=world.clock())


def exported(number: int) -> ImageVersionId:
    return version_id(gallery=f"gallery{number % 20}", version=f"1.0.{number}")


def export_all(run: Crowd) -> None:
    """Export at the same moment, told by events that name the region: no read is needed."""
    for number in range(EXPORTS):
        one = exported(number)
        run.world.gallery.add(one, version_body())
        data = {"imageVersionId": str(one), "location": "eastus"}
        event = ReceivedEvent(
            id=f"event-{number}", type=TEMPLATE_EXPORTED, subject=str(one), at=None, data=data
        )
        run.apps[number % len(run.apps)].intake.receive(event, {})


def show(figures: str) -> None:
    print(f"\n{figures}")  # noqa: T201 - what docs/reliability.md quotes, seen with pytest -s


@pytest.mark.parametrize(
    ("model", "start_s"),
    [(refilled, 0), (fixed, 0), (fixed, 120)],
    ids=["refilled", "fixed-windows", "fixed-windows-1-min-left"],
)
def test_five_hundred_exports_take_hardly_longer_than_the_limits_demand(
    model: MakeAllowance, start_s: float
) -> None:
    run = crowd(model, start_s=start_s)
    export_all(run)
    run.work()
    ideal = ideal_s(Subscription(model=model), EXPORTS, start=run.began_at)
    show(f"{run.figures()}; ideal {ideal:.1f} s, {run.last_write_s() / ideal - 1:+.1%}")
    assert {one.phase for one in run.jobs()} == {Phase.SUCCEEDED}
    assert len(run.accepted_writes()) == EXPORTS
    assert run.last_write_s() <= 1.1 * ideal
    # One call finds the end of a window, and one more of each instance that does not know it yet.
    assert len(run.refused()) <= len(run.apps)
    assert run.breaches == []


def test_without_a_word_on_when_to_come_back_the_pauses_grow_and_nothing_is_lost() -> None:
    run = crowd(fixed, tells_when=False)
    export_all(run)
    run.work()
    show(run.figures())
    assert {one.phase for one in run.jobs()} == {Phase.SUCCEEDED}
    assert len(run.accepted_writes()) == EXPORTS
    # Pauses of five seconds, doubled each time, are past three minutes at the sixth try.
    assert len(run.refused()) <= 6 * len(run.apps)
    assert run.breaches == []


def test_events_that_must_be_looked_up_cost_no_call_while_azure_asks_for_a_pause() -> None:
    run = crowd(refilled)
    waiting, rounds = list(range(EXPORTS)), 0
    for number in waiting:
        run.world.gallery.add(exported(number), version_body())
    while waiting:
        refused = []
        for number in waiting:
            app = run.apps[number % len(run.apps)]
            try:
                app.intake.receive(written_event(exported(number)), {})
            except TransientError:
                refused.append(number)
        waiting, rounds = refused, rounds + 1
        # Event Grid comes back after ten seconds at first.
        run.world.clock.advance(10)
    run.work()
    show(f"{run.figures()}; {rounds} deliveries")
    assert {one.phase for one in run.jobs()} == {Phase.SUCCEEDED}
    assert rounds == 2
    assert len(run.refused()) <= rounds * len(run.apps)
    assert run.breaches == []
