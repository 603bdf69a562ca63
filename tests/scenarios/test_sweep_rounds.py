"""Scenarios: a sweep of a big estate ends in time, and the next one goes on where it stopped."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bootstrap.app import build_app
from replication.domain.errors import TransientError
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase
from replication.domain.limits import TIMER_MAX_RUN_S
from replication.ports import StoredJob
from replication.sweeping.rounds import SWEEP_BOOKMARKS
from tests.support.builders import version_body, version_id
from tests.support.clock import FakeClock
from tests.support.documents import PROJECT
from tests.support.fakes import MemoryJobStore, World, build_world

STEP_S = 10.0
ESTATE = 100


@dataclass
class SlowStore(MemoryJobStore):
    """Each record that is read alone takes its time."""

    clock: FakeClock = field(default_factory=FakeClock)

    def load(self, key: str) -> StoredJob | None:
        self.clock.advance(STEP_S)
        return super().load(key)


def an_estate(size: int = ESTATE) -> World:
    world = build_world()
    store = SlowStore(clock=world.clock)
    for number in range(size):
        world.gallery.add(version_id(version=f"1.0.{number:03d}"), version_body())
    ports = replace(world.app.ports, store=store)
    app = build_app(world.app.settings, world.app.policy, ports)
    return replace(world, app=app, store=store)


def test_a_timer_ends_well_before_the_host_would_kill_it() -> None:
    host = json.loads((PROJECT / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert (hours * 3600 + minutes * 60 + seconds) / 2 >= TIMER_MAX_RUN_S


def test_every_version_of_a_big_estate_is_found_once_over_several_runs() -> None:
    world = an_estate()
    seen, longest_s, runs = 0, 0.0, 0
    while len(world.store.rows) < ESTATE:
        began = world.clock()
        report = world.app.sweep_rounds.run()
        longest_s = max(longest_s, (world.clock() - began).total_seconds())
        seen += report.versions_seen
        runs += 1
        assert runs < 50
        assert (report.goes_on_at is None) == (len(world.store.rows) == ESTATE)
    assert seen == ESTATE
    assert runs > 5


def test_a_run_ends_within_a_step_of_its_time() -> None:
    world = an_estate(40)
    began = world.clock()
    report = world.app.sweep_rounds.run()
    assert report.goes_on_at is not None
    assert (world.clock() - began).total_seconds() <= TIMER_MAX_RUN_S + 4 * STEP_S


def test_a_version_that_is_gone_where_the_sweep_stopped_hides_no_other() -> None:
    world = an_estate(30)
    report = world.app.sweep_rounds.run()
    assert report.goes_on_at is not None
    assert report.goes_on_at.version_id is not None
    del world.gallery.bodies[report.goes_on_at.version_id]
    for _ in range(12):
        world.app.sweep_rounds.run()
    assert {key for key in world.gallery.bodies if not on_record(world, key)} == set()


def on_record(world: World, resource_id: str) -> bool:
    return ImageVersionId.parse(resource_id).key in world.store.rows


def test_a_deletion_that_no_event_told_of_is_noticed_over_several_runs_too() -> None:
    world = an_estate(40)
    for _ in range(8):
        world.app.sweep_rounds.run()
    world.run(steps=20_000)
    gone = version_id(version="1.0.003")
    assert world.job(gone).phase is Phase.SUCCEEDED
    del world.gallery.bodies[str(gone).lower()]
    for _ in range(8):
        world.app.sweep_rounds.run()
    world.run(steps=20_000)
    assert world.job(gone).phase is Phase.SUPERSEDED


def test_records_alone_may_take_several_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    world = an_estate(0)
    for number in range(450):
        world.gallery.add(version_id(version=f"2.0.{number}"), version_body())
        world.app.intake.request(
            version_id(version=f"2.0.{number}"), trigger="a test", correlation_id="c"
        )
    find = type(world.store).find

    def slow(store: object, query: object) -> object:
        world.clock.advance(TIMER_MAX_RUN_S)
        return find(store, query)  # type: ignore[arg-type]

    monkeypatch.setattr(type(world.store), "find", slow)
    cursors = []
    for _ in range(3):
        report = world.app.sweep_rounds.run()
        cursors.append(report.goes_on_at.cursor if report.goes_on_at else None)
    assert [cursor is not None for cursor in cursors] == [True, True, False]
    assert len(set(cursors)) == 3


def test_a_bookmark_that_cannot_be_read_or_kept_costs_no_sweep(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = an_estate(3)

    def fail(*_args: object) -> None:
        raise TransientError("the table is away")

    rounds = world.app.sweep_rounds
    monkeypatch.setattr(type(rounds.shared_state), "get", fail)
    monkeypatch.setattr(type(rounds.shared_state), "remove", fail)
    assert rounds.run().versions_seen == 3
    assert '"sweep.from_the_start"' in caplog.text
    assert '"sweep.bookmark_lost"' in caplog.text


def test_the_bookmark_goes_with_the_last_run() -> None:
    world = an_estate(20)
    assert world.app.sweep_rounds.run().goes_on_at is not None
    assert world.app.shared_state.get(SWEEP_BOOKMARKS, "sweep") is not None
    assert world.app.sweep_rounds.run().goes_on_at is None
    world.clock.now += timedelta(seconds=5)
    assert world.app.shared_state.get(SWEEP_BOOKMARKS, "sweep") is None


def test_who_asks_by_hand_sweeps_everything_at_once() -> None:
    world = an_estate(40)
    report = world.app.sweep.run()
    assert (report.versions_seen, report.goes_on_at) == (40, None)


def test_a_list_that_takes_longer_than_a_run_is_told_of() -> None:
    world = an_estate(40)
    report = world.app.sweep_rounds.run()
    assert report.goes_on_at is not None
    endless = replace(world.app.sweep_rounds, max_run_s=0.0)
    again = endless.run()
    assert again.goes_on_at == report.goes_on_at
    assert any("its list alone takes longer than a run" in error for error in again.errors)
