"""When a copy counts as stuck: slower than its own speed explains, and not merely slow.

At the end the same on a whole app in memory.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.schemas.replications import Replication
from bootstrap.app import build_app
from replication.domain.copy_progress import percent_per_min, stuck, with_stuck
from replication.domain.errors import ThrottledError
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase, Replica, ReplicaState
from replication.domain.limits import Limits
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import Region
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import NOON, US_NEIGHBOURS, version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.strategies import MOMENTS, REPLICAS

LIMITS = Limits(stuck_min_s=1800)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def copying(*, progress: int | None = 10, took_s: float = 600) -> Replica:
    """Return a copy that was last seen further `took_s` after its start."""
    return Replica(
        region=Region("westus3"),
        state=ReplicaState.REPLICATING,
        reason="",
        progress=progress,
        planned_at=NOON,
        requested_at=NOON,
        copying_since=NOON,
        progressed_at=at(took_s),
    )


def test_a_copy_that_moved_lately_is_not_stuck() -> None:
    assert stuck(copying(), now=at(600 + 1800), limits=LIMITS) is None


def test_a_copy_without_progress_for_longer_than_the_least_is_stuck() -> None:
    found = stuck(copying(), now=at(600 + 1801), limits=LIMITS)
    assert found is not None
    assert (found.since, found.allowed_s, found.percent_per_min) == (at(600), 1800, 1.0)
    assert found.reason == (
        "stuck: no progress since 2026-11-23 12:10:00 UTC, and its speed explains 30 min at "
        "most (1 % a minute was seen before)"
    )


def test_a_slow_copy_is_given_five_times_what_one_percent_took() -> None:
    slow = copying(progress=2, took_s=7200)  # an hour for one percent
    assert stuck(slow, now=at(7200 + 5 * 3600), limits=LIMITS) is None
    assert stuck(slow, now=at(7200 + 5 * 3600 + 1), limits=LIMITS) is not None


@pytest.mark.parametrize("progress", [0, None])
def test_a_copy_that_never_moved_is_stuck_after_the_least(progress: int | None) -> None:
    found = stuck(copying(progress=progress, took_s=0), now=at(1801), limits=LIMITS)
    assert found is not None
    assert "no progress was ever seen" in found.reason


def test_a_copy_that_was_only_asked_for_counts_from_then() -> None:
    asked = Replica(
        region=Region("westus3"),
        state=ReplicaState.REQUESTED,
        reason="",
        planned_at=NOON,
        requested_at=at(60),
    )
    assert stuck(asked, now=at(60 + 1801), limits=LIMITS) is not None
    assert stuck(replace(asked, requested_at=None), now=at(9999), limits=LIMITS) is None


@pytest.mark.parametrize(
    "state",
    [ReplicaState.PLANNED, ReplicaState.COMPLETED, ReplicaState.FAILED, ReplicaState.REMOVED],
)
def test_what_is_not_copying_is_not_stuck(state: ReplicaState) -> None:
    assert stuck(replace(copying(), state=state), now=at(10**6), limits=LIMITS) is None


def test_progress_at_the_very_start_gives_no_speed() -> None:
    assert percent_per_min(copying(took_s=0)) is None
    assert percent_per_min(replace(copying(), copying_since=None)) is None
    assert percent_per_min(replace(copying(), progressed_at=None)) is None


def test_the_mark_comes_and_goes_with_the_standstill() -> None:
    marked = with_stuck(copying(), now=at(9999), limits=LIMITS)
    assert marked.stuck_since == at(600)
    moving = replace(marked, progress=11, progressed_at=at(9999))
    assert with_stuck(moving, now=at(9999), limits=LIMITS).stuck_since is None


@given(replica=REPLICAS, now=MOMENTS, progressed_at=st.none() | MOMENTS)
def test_whatever_is_on_record_the_mark_says_since_when(
    replica: Replica, now: datetime, progressed_at: datetime | None
) -> None:
    marked = with_stuck(replace(replica, progressed_at=progressed_at), now=now, limits=LIMITS)
    if marked.stuck_since is not None:
        assert (now - marked.stuck_since).total_seconds() > LIMITS.stuck_min_s
        assert marked.state in (ReplicaState.REQUESTED, ReplicaState.REPLICATING)
    assert with_stuck(marked, now=now, limits=LIMITS) == marked


@given(
    minutes_per_percent=st.floats(min_value=0.05, max_value=600),
    share=st.floats(min_value=0.0, max_value=4.9),
)
def test_a_copy_that_moves_evenly_is_never_stuck_between_two_percents(
    minutes_per_percent: float, share: float
) -> None:
    step_s = 60 * minutes_per_percent
    replica = copying(progress=7, took_s=7 * step_s)
    assert stuck(replica, now=at((7 + share) * step_s), limits=LIMITS) is None


ID = version_id()
STANDING = "westus3"


@dataclass
class StandingGallery(MemoryGallery):
    """Shows the copies in some regions at the percentage at which they stand still."""

    standing: dict[str, int] = field(default_factory=lambda: {STANDING: 30})

    def _with_status(self, version_id: ImageVersionId, body: dict[str, Any]) -> dict[str, Any]:
        body = super()._with_status(version_id, body)
        for one in body["properties"]["replicationStatus"]["summary"]:
            percent = self.standing.get(one["region"])
            if percent is not None and one["progress"] >= percent:
                one.update(state="Replicating", progress=percent)
                body["properties"]["provisioningState"] = "Updating"
        return body


def standing_world(limits: Limits | None = None) -> tuple[World, StandingGallery]:
    world = build_world(limits=limits)
    gallery = StandingGallery(world.clock, copy_s=1200)
    ports = replace(world.app.ports, gallery=gallery)
    app = build_app(world.app.settings, ReplicationPolicy(), ports)
    gallery.add(ID, version_body())
    app.intake.receive(written_event(ID, at=world.clock()), {})
    return replace(world, app=app, gallery=gallery), gallery


def run_for(world: World, seconds: float) -> None:
    world.run(until=world.clock() + timedelta(seconds=seconds))


def replica_there(world: World) -> Replica:
    found = world.job(ID).replica(Region(STANDING))
    assert found is not None
    return found


def shown(world: World) -> dict[str, Any]:
    view = Replication.of(world.job(ID)).document()
    (region,) = (one for one in view["regions"] if one["region"] == STANDING)
    return {"job": view["stuck"], "region": region["stuck"]}


def test_a_copy_that_stands_still_is_shown_and_told_once_and_followed_to_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, gallery = standing_world()
    run_for(world, 900)
    assert shown(world) == {"job": False, "region": None}
    run_for(world, 6 * 3600)
    assert world.job(ID).phase is Phase.TRACKING
    view = shown(world)
    assert view["job"] is True
    assert view["region"]["expected_percent_per_min"] > 0
    assert "westus3 30 % (stuck: no progress since" in world.job(ID).reason
    assert caplog.text.count('"replica.stuck"') == 1
    assert world.app.sweep.run().stuck == 1
    gallery.standing.clear()
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert {one.state for one in world.job(ID).replicas} == {ReplicaState.COMPLETED}
    assert shown(world) == {"job": False, "region": None}
    assert world.app.sweep.run().stuck == 0
    assert len(world.gallery.writes) == 1
    assert len(world.job(ID).replicas) == len(US_NEIGHBOURS)


def test_progress_clears_the_mark_and_a_second_standstill_is_told_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, gallery = standing_world(Limits(deadline_s=7 * 86_400))
    run_for(world, 6 * 3600)
    since = replica_there(world).stuck_since
    assert since is not None
    gallery.standing[STANDING] = 60
    run_for(world, 3700)
    assert replica_there(world).stuck_since is None
    run_for(world, 12 * 3600)
    again = replica_there(world).stuck_since
    assert again is not None
    assert again > since
    assert caplog.text.count('"replica.stuck"') == 2


def test_nobody_is_called_stuck_while_nobody_may_look(caplog: pytest.LogCaptureFixture) -> None:
    world, gallery = standing_world()
    run_for(world, 900)
    gallery.read_failures = [
        ThrottledError("slow down", code="TooManyRequests", retry_after_s=1200) for _ in range(9)
    ]
    gallery.standing.clear()
    run_for(world, 9 * 1300)
    assert '"replica.stuck"' not in caplog.text
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_a_slow_copy_between_two_looks_is_not_counted_by_the_sweep() -> None:
    world, gallery = standing_world()
    gallery.standing.clear()
    gallery.slowness = {STANDING: 30.0}
    for _ in range(60):
        run_for(world, 600)
        assert world.app.sweep.run().stuck == 0
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_a_copy_that_stands_still_until_the_deadline_ends_on_the_desk() -> None:
    world, _ = standing_world(Limits(deadline_s=4 * 3600))
    world.run()
    assert world.job(ID).phase is Phase.FAILED
    (letter,) = world.letters.letters.values()
    assert (letter.code, letter.regions) == ("deadline_exceeded", (STANDING,))
