"""A crash between any two steps of any service that commits: nothing is lost, nothing doubled.

Each story is told once as it goes, and then once for each of its effects on the storage, before
which the process dies. Whoever asked asks again, as the host, Event Grid or an operator does; and
a sweep follows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from bootstrap.app import App, build_app
from replication.domain.errors import FailureCode, PermanentError
from replication.domain.job import HistoryEntry, Phase, ReplicationJob
from replication.domain.policy import Budget, ReplicationPolicy
from replication.domain.regions import Region
from replication.operations.dead_letters import UnknownLetterError
from replication.ports import LetterAction, LetterState
from tests.support.builders import US_NEIGHBOURS, version_body, written_event
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID

_EFFECTS = ("append", "discard", "insert", "put", "replace", "send")
_ENDED_WELL = (Phase.SUCCEEDED, Phase.SKIPPED, Phase.SUPERSEDED, Phase.CANCELLED)
_HIDDEN_S = 600


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Life:
    """Ends before its `last` effect, once; counts them else."""

    last: int | None = None
    effects: int = 0

    def step(self) -> None:
        if self.effects == self.last:
            self.last = None
            raise Killed
        self.effects += 1


class Mortal:
    """A port whose effects a process may not live to see."""

    def __init__(self, port: object, life: Life) -> None:
        self._port, self._life = port, life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        if name not in _EFFECTS:
            return call

        def effect(*args: Any, **kwargs: Any) -> Any:
            self._life.step()
            return call(*args, **kwargs)

        return effect


@dataclass
class Story:
    """A world whose app dies once; what was recorded, and may never be lost again."""

    life: Life
    policy: ReplicationPolicy = field(default_factory=ReplicationPolicy)
    world: World = field(default_factory=build_world)
    recorded: dict[str, HistoryEntry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ports = self.world.app.ports
        mortal: dict[str, Any] = {
            name: Mortal(getattr(ports, name), self.life)
            for name in ("store", "history", "letters", "queues")
        }
        self.world.app = build_app(self.world.app.settings, self.policy, replace(ports, **mortal))

    @property
    def app(self) -> App:
        return self.world.app

    @property
    def job(self) -> ReplicationJob:
        return self.world.job(ID)

    def tell(self, act: Callable[[], object]) -> None:
        """Let somebody ask, and ask again where the process died."""
        try:
            act()
        except Killed:
            self.note()
            self.world.clock.advance(_HIDDEN_S)
            act()
        self.note()

    def export(self) -> None:
        self.world.gallery.add(ID, version_body())
        event = written_event(ID, at=self.world.clock())
        self.tell(lambda: self.app.intake.receive(event, {}))

    def lock(self) -> None:
        locked = PermanentError("ScopeLocked: a lock", code=FailureCode.LOCKED)
        self.world.gallery.write_failures = [locked] * 99

    def mend(self) -> None:
        self.world.gallery.write_failures = []

    def work(self, *, looks: int = 99) -> None:
        """Handle messages as the host does: one whose worker died comes again."""
        for _ in range(looks):
            message = self.world.queues.take()
            if message is None:
                return
            try:
                self.app.reconciler.reconcile(message)
            except Killed:
                self.note()
                self.world.clock.advance(_HIDDEN_S)
                self.app.reconciler.reconcile(message, redelivered=True)
            self.note()

    def rest(self, *, after_s: float = 2 * 3_600) -> None:
        """Let a sweep find what was lost, and work until nothing is left to do."""
        self.work()
        self.world.clock.advance(after_s)
        self.tell(self.app.sweep.run)
        self.work()
        self.check()

    def note(self) -> None:
        """Remember what stands on record."""
        stored = self.world.store.rows.get(ID.key) and self.world.store.load(ID.key)
        if stored:
            self.recorded |= {entry.id: entry for entry in stored.job.entries}

    def ended_as(self, phase: Phase) -> None:
        assert self.job.phase is phase, self.job.reason

    def check(self) -> None:
        job, letters = self.job, self.world.letters.letters
        assert self.world.history.entries[ID.key] == self.recorded
        assert job.schedule.lease is None
        assert self.world.queues.waiting == []
        assert job.schedule.next_attempt_at is None
        assert len(letters) <= 1
        opened = [one for one in letters.values() if one.state is LetterState.OPEN]
        if job.phase in _ENDED_WELL:
            assert opened == []
        elif job.letter_id is not None:
            assert job.failure is not None
            (letter,) = opened
            assert (letter.id, letter.code) == (job.letter_id, job.failure.code.value)
            assert letter.timeline[-1].event in ("giveup", "overbudget")
        else:
            assert opened == []


def succeeds(story: Story) -> None:
    story.export()
    story.rest()
    story.ended_as(Phase.SUCCEEDED)
    assert len(story.world.gallery.writes) == 1


def is_skipped(story: Story) -> None:
    story.export()
    story.rest()
    story.ended_as(Phase.SKIPPED)


def fails_and_is_mended(story: Story) -> None:
    story.lock()
    story.export()
    story.rest(after_s=60)
    story.ended_as(Phase.FAILED)
    assert story.job.letter_id is not None
    story.rest()
    story.mend()
    story.rest()
    story.ended_as(Phase.SUCCEEDED)
    (letter,) = story.world.letters.letters.values()
    assert letter.state is LetterState.RESOLVED


def fails_and_is_sent_again(story: Story) -> None:
    story.lock()
    story.export()
    story.rest(after_s=60)
    story.mend()
    replay = LetterAction.REPLAY
    story.tell(lambda: story.app.dead_letters.act(story.job.own_letter_id, replay, by="Casey"))
    story.rest()
    story.ended_as(Phase.SUCCEEDED)
    (letter,) = story.world.letters.letters.values()
    assert letter.state in (LetterState.REPLAYED, LetterState.RESOLVED)


def fails_and_is_discarded(story: Story) -> None:
    story.lock()
    story.export()
    story.rest(after_s=60)

    def discard() -> None:
        try:
            story.app.dead_letters.act(story.job.own_letter_id, LetterAction.DISCARD, by="Casey")
        except UnknownLetterError:
            """It is gone already, as was asked for."""

    story.tell(discard)
    story.rest()
    story.ended_as(Phase.FAILED)


def is_asked_for_once_more(story: Story) -> None:
    story.lock()
    story.export()
    story.rest(after_s=60)
    story.mend()
    story.tell(lambda: story.app.intake.request(ID, trigger="a test", correlation_id="again"))
    story.rest()
    story.ended_as(Phase.SUCCEEDED)


def is_cancelled(story: Story) -> None:
    story.lock()
    story.export()
    story.rest(after_s=60)
    cancel = story.app.operations.canceller.cancel
    story.tell(lambda: cancel(ID.key, remove=False, by="Casey"))
    story.rest()
    story.ended_as(Phase.CANCELLED)


def is_cancelled_and_taken_out(story: Story) -> None:
    story.world.gallery.copy_s = 10_000
    story.export()
    story.work(looks=2)
    cancel = story.app.operations.canceller.cancel
    story.tell(lambda: cancel(ID.key, remove=True, by="Casey"))
    story.rest()
    story.ended_as(Phase.CANCELLED)


def is_held_and_released(story: Story) -> None:
    story.export()
    story.rest(after_s=60)
    assert story.job.held_by_budget
    release = story.app.operations.releaser.release
    story.tell(lambda: release(ID.key, by="Casey"))
    story.rest()
    story.ended_as(Phase.SUCCEEDED)
    (letter,) = story.world.letters.letters.values()
    assert letter.state is LetterState.RESOLVED


_DENIED = ReplicationPolicy(denied_regions=frozenset(Region(name) for name in US_NEIGHBOURS))
_HELD = ReplicationPolicy(budgets=(Budget(name="labs", monthly=Decimal("0.01")),))
_STORIES: list[tuple[Callable[[Story], None], ReplicationPolicy]] = [
    (succeeds, ReplicationPolicy()),
    (is_skipped, _DENIED),
    (fails_and_is_mended, ReplicationPolicy()),
    (fails_and_is_sent_again, ReplicationPolicy()),
    (fails_and_is_discarded, ReplicationPolicy()),
    (is_asked_for_once_more, ReplicationPolicy()),
    (is_cancelled, ReplicationPolicy()),
    (is_cancelled_and_taken_out, ReplicationPolicy()),
    (is_held_and_released, _HELD),
]


@pytest.mark.parametrize(("told", "policy"), _STORIES)
def test_a_crash_before_any_effect_is_made_good(
    told: Callable[[Story], None], policy: ReplicationPolicy
) -> None:
    whole = Story(Life(), policy=policy)
    told(whole)
    assert whole.life.effects >= 2
    for last in range(whole.life.effects):
        try:
            told(Story(Life(last), policy=policy))
        except AssertionError as error:
            error.add_note(f"killed before effect {last} of {whole.life.effects}")
            raise
