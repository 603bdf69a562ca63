"""One run: the whole app, everything that may break around it, and what must hold all the same."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from bootstrap.app import Ports
from replication.domain.image_version import ImageVersionId
from replication.domain.job import ReplicationJob
from replication.domain.regions import Region
from replication.ports import LetterAction, LetterQuery
from replication.records.message_codec import encode_message
from tests.support.builders import SUBSCRIPTION, version_id, written_event
from tools.simulation.app import CATALOG, build_instance
from tools.simulation.books import Export
from tools.simulation.cloud import Version, finished
from tools.simulation.invariants import (
    DEADLINE_SLACK_S,
    deadline_problems,
    end_problems,
    letter_list_problems,
    letter_problems,
    listing_problems,
    record_problems,
    write_problems,
)
from tools.simulation.operators import Operators
from tools.simulation.parts import MAX_DELIVERIES, Message
from tools.simulation.scheduler import START, Killed
from tools.simulation.world import World

HOMES = ("uksouth", "japaneast", "australiaeast", "southindia", "eastus")
_REDELIVERY_S = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
_WORKERS = 4
_REPLAYS = 6
# Far more than the doubles of a few exports, and few enough to be told of before they are millions.
_MOST_MESSAGES = 300


class Simulation(World):
    """Holds one run; `problems` is what must be empty at its end.

    `spoil` may break the app's ports, to see that the checks notice.
    """

    def __init__(
        self,
        seed: int,
        *,
        out: Callable[[str], None] | None = None,
        spoil: Callable[[Ports], Ports] = lambda ports: ports,
    ) -> None:
        super().__init__(seed, out=out, on_record=self._on_record)
        self.apps += [build_instance(self, number, spoil) for number in range(2)]
        self._sweeps_to_come = 0
        self._sweeping = 0
        self.operators = Operators(self)
        self._agenda: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self._numbers = count(1)

    def run(self) -> "Simulation":
        """Run it through; the invariants are checked on the way and at the end."""
        logger = logging.getLogger("gallery_replicator")
        logger.disabled = True  # half of the time would go into lines that nobody reads
        try:
            self._run()
        finally:
            logger.disabled = False
        return self

    def _run(self) -> None:
        trouble_s = self.chance.uniform(600, 6 * 3600)
        self._plan(trouble_s)
        self._go_on(until=START + timedelta(seconds=trouble_s))
        self._calm()
        self._settle("after the faults")
        # A copy may stand still for longer than one deadline; then it takes another replay.
        for turn in range(_REPLAYS):
            if not self._replay():
                break
            self._settle(f"after replay {turn + 1}")
        self.problems += [*self.cloud.problems, *write_problems(self), *end_problems(self)]
        self.problems += listing_problems(self)
        self.counts.update(self.faults.counts)
        self.counts["writes"] = len(self.cloud.writes)
        self.counts["reads"] = self.cloud.reads

    # The agenda: what the world does, besides the app.

    def _plan(self, trouble_s: float) -> None:
        self.scheduler.kill_share = self.chance.choice((0.0, 0.005, 0.02, 0.05))
        self.scheduler.drift_share = self.chance.choice((0.0, 0.02, 0.1))
        self.scheduler.drift_s = self.chance.choice((5.0, 60.0, 300.0))
        home = self.chance.choice(HOMES)
        for number in range(self.chance.randint(1, 3)):
            self._at(self.chance.uniform(0, 900), "export", partial(self._export, number, home))
        neighbours = sorted(region.name for region in CATALOG.same_geography(Region(home)))
        if self.chance.random() < 0.15:
            self.cloud.refused = {self.chance.choice(neighbours)}
        for _ in range(self.chance.choice((0, 0, 1, 3))):
            when = self.chance.uniform(0, trouble_s)
            self._at(when, "rival", partial(self._rival, neighbours))
        if self.chance.random() < 0.1:
            self._at(self.chance.uniform(0, trouble_s), "delete", self._delete)
        if self.chance.random() < 0.15:
            self._at(self.chance.uniform(0, trouble_s), "cancel", self.operators.cancel)
        if self.chance.random() < 0.2:
            self._at(self.chance.uniform(0, trouble_s), "replay", self.operators.replay)
        if self.chance.random() < 0.1:
            self._at(self.chance.uniform(0, trouble_s), "pause", self.operators.pause)
            self._at(self.chance.uniform(0, trouble_s), "resume", self.operators.resume)
        if self.chance.random() < 0.05:
            self._at(self.chance.uniform(0, trouble_s), "event", self._junk)
        self._at(self.chance.uniform(0, self.sweep_s), "sweep", self._sweep)

    def _at(self, after_s: float, name: str, act: Callable[[], None]) -> None:
        due = self.clock() + timedelta(seconds=after_s)
        heappush(self._agenda, (due, next(self._numbers), name, act))

    def _export(self, number: int, home: str) -> None:
        target = version_id(version=f"1.0.{number}")
        version = Version(id=target, home=home, may_remove=self.chance.random() < 0.5)
        version.entries[home] = {"name": home, "regionalReplicaCount": 1}
        version.copies[home] = finished(self.clock())
        self.cloud.versions_by_key[target.key] = version
        export = Export(version=version)
        self.exports[target.key] = export
        self.counts["exports"] += 1
        if self.faults.active and self.chance.random() < 0.1:
            export.event_lost = True
            self.tell(f"the event of {target.version} is lost")
            return
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            self._at(self.chance.uniform(0, 120), "event", partial(self._deliver, target, 0))

    def _deliver(self, target: ImageVersionId, tries: int) -> None:
        event = written_event(target, event_id=f"e-{target.version}", at=self.clock())
        app = self.chance.choice(self.apps)

        taken: list[str] = []

        def deliver() -> None:
            taken.append(app.intake.receive(event, {}).action)

        def ended(error: BaseException | None) -> None:
            export = self.exports[target.key]
            if error is None:
                # Azure denied that the version is there; the sweep finds it where a region lacks.
                export.event_lost |= taken == ["not_found"]
                export.accepted_at = export.accepted_at or self.clock()
            elif tries < len(_REDELIVERY_S):
                again = partial(self._deliver, target, tries + 1)
                self._at(_REDELIVERY_S[tries], "event", again)
            else:
                export.event_lost = True

        self.spawn("event", deliver, ended)

    def _rival(self, neighbours: list[str]) -> None:
        versions = [one for one in self.cloud.versions_by_key.values() if not one.deleted]
        if not versions:
            return
        version = self.chance.choice(versions)
        names = dict(version.entries)
        others = [name for name in names if name != version.home]
        if others and self.chance.random() < 0.5:
            gone = self.chance.choice(others)
            del names[gone]
            self.exports[version.id.key].removed_by_rival.add(gone)
            what = f"removes {gone}"
        else:
            new = self.chance.choice(neighbours)
            names.setdefault(new, {"name": new, "regionalReplicaCount": 2})
            what = f"adds {new}"
        self.tell(f"rival: {what} of {version.id.version}")
        self.counts["rival writes"] += 1
        self.cloud.apply(version, names)
        self._at(self.chance.uniform(0, 60), "event", partial(self._deliver, version.id, 0))

    def _delete(self) -> None:
        versions = list(self.cloud.versions_by_key.values())
        if versions:
            version = self.chance.choice(versions)
            version.deleted = True
            self.tell(f"{version.id.version} is deleted")
            self.counts["deletions"] += 1

    def _sweep(self) -> None:
        self._at(self.sweep_s, "sweep", self._sweep)
        # The host runs one at a time; another one is somebody's who asked for it by hand.
        if self._sweeping and self.chance.random() < 0.9:
            return
        app = self.chance.choice(self.apps)
        self.counts["sweeps"] += 1
        self._sweeping += 1
        self.spawn("sweep", app.sweep.run, self._swept)

    def _swept(self, error: BaseException | None) -> None:
        self._sweeping -= 1
        self._sweeps_to_come -= 0 if error else 1
        self.problems += deadline_problems(self)

    def _junk(self) -> None:
        """Deliver an event that nobody can read; once acknowledged it must be on the desk."""
        event = written_event(
            f"/subscriptions/{SUBSCRIPTION}/galleries/x/versions/y", event_id="junk"
        )
        app = self.chance.choice(self.apps)
        self.spawn("junk", lambda: app.intake.receive(event, {"id": "junk"}), self._junk_ended)

    def _junk_ended(self, error: BaseException | None) -> None:
        if error is not None:
            self._at(_REDELIVERY_S[0], "event", self._junk)
        elif not any(one.source == "event" for one in self.letters.letters.values()):
            self.problems.append("an event that cannot be read was acknowledged and is not kept")

    # The host: workers take messages, the scheduler gives turns.

    def _go_on(self, until: datetime, *, done: Callable[[], bool] = lambda: False) -> None:
        while self.clock() < until and not (not self.scheduler.tasks and done()):
            while self._agenda and self._agenda[0][0] <= self.clock():
                _, _, name, act = heappop(self._agenda)
                self.tell(f"agenda: {name}")
                act()
            if len(self.queues.waiting) > _MOST_MESSAGES:
                self.problems.append(f"{_MOST_MESSAGES} messages wait: they multiply")
                self.queues.waiting.clear()
            visible = self.queues.visible() if len(self.scheduler.tasks) < _WORKERS else []
            if visible and (not self.scheduler.tasks or self.chance.random() < 0.3):
                self._work(self.chance.choice(visible))
            elif self.scheduler.tasks:
                self.scheduler.turn()
            else:
                due = [self._agenda[0][0]] if self._agenda else []
                message_at = self.queues.next_at()
                due += [message_at] if message_at else []
                self.clock.now = max(self.clock(), min([*due, until]))

    def _work(self, message: Message) -> None:
        app = self.chance.choice(self.apps)
        self.queues.take(message)
        if message.deliveries > MAX_DELIVERIES:
            self.counts["poisoned"] += 1
            body = encode_message(message.body).encode()
            poison = partial(app.desk.poison, body, queue=message.queue.value)
            self.spawn("poison", poison, lambda _error: self.queues.handled(message), mortal=False)
            return

        def ended(error: BaseException | None) -> None:
            if error is None:
                self.queues.handled(message)
            elif not isinstance(error, Killed):
                self.queues.failed(message)

        again = message.deliveries > 1
        self.spawn(
            "worker", lambda: app.reconciler.reconcile(message.body, redelivered=again), ended
        )

    # The end: calm, then everything must be in order.

    def _calm(self) -> None:
        self.tell("the faults stop")
        self.counts["kills"] = self.scheduler.kills
        self.faults.active = False
        self.scheduler.kill_share = 0.0
        self.scheduler.drift_share = 0.0
        # A pause may still be on its way.
        self._at(600, "resume", self.operators.resume)

    def _settle(self, when: str) -> None:
        self._sweeps_to_come = 2  # the world may have changed since the last one
        bound = self.clock() + timedelta(seconds=self.limits.deadline_s + 2 * DEADLINE_SLACK_S)
        self._go_on(bound, done=self._is_settled)
        if not self._is_settled():
            open_jobs = [row.job for row in self.store.rows.values() if not _ended(row.job)]
            self.problems += [
                f"{when}: {job.image_version_id.version} is {job.phase.value} past its deadline: "
                f"{job.reason}"
                for job in open_jobs
            ] or [f"{when}: the queues never came to rest"]

    def _is_settled(self) -> bool:
        known = all(
            key in self.store.rows or export.version.deleted or export.event_lost
            for key, export in self.exports.items()
        )
        return (
            known
            and self._sweeps_to_come <= 0
            and not self.queues.waiting
            and all(_ended(row.job) for row in self.store.rows.values())
            and not any(name in ("event", "export") for _, _, name, _ in self._agenda)
        )

    def _replay(self) -> int:
        app = self.apps[0]
        self.operators.nobody_stays_cancelled()
        app.ports.letters.mend()  # as the sweep does, for a list may lag until it
        query = LetterQuery()
        selection = app.dead_letters.select(query, LetterAction.REPLAY)
        self.counts["dead letters"] += selection.count
        self.problems += [*letter_problems(self), *letter_list_problems(self)]
        outcomes = app.dead_letters.act_on_selection(
            query, LetterAction.REPLAY, selection.token, by="simulation"
        )
        done = sum(1 for one in outcomes if one.done)
        self.counts["replayed"] += done
        return done

    # What is checked at each record.

    def _on_record(self, job: ReplicationJob) -> None:
        self.problems += record_problems(self, job)
        old = self.store.rows.get(job.key)
        if old is None or old.job.phase is not job.phase:
            self.tell(f"  {job.image_version_id.version} is {job.phase.value}: {job.reason}")


def _ended(job: ReplicationJob) -> bool:
    return job.phase.is_end and job.schedule.next_attempt_at is None
