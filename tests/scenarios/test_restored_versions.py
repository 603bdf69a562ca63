"""Scenarios on a fake clock: a version that was deleted comes back, restored or made anew."""

from typing import Any

import pytest

from replication.domain.errors import FailureCode
from replication.domain.job import Phase, Replica
from tests.support.builders import written_event
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID, export

NAME = str(ID).lower()
_PUBLISHED = "2019-05-02T12:59:59.1234567+00:00"


def replicated() -> World:
    world = build_world()
    export(world)
    publishing(world)["publishedDate"] = _PUBLISHED
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    return world


def publishing(world: World) -> dict[str, Any]:
    profile: dict[str, Any] = world.gallery.bodies[NAME]["properties"]["publishingProfile"]
    return profile


def deleted(world: World) -> dict[str, Any]:
    """Take the version away, and let the app learn of it; returns what was there."""
    body = world.gallery.bodies[NAME]
    body["properties"]["provisioningState"] = "Deleting"
    tell(world)
    assert world.job(ID).phase is Phase.SUPERSEDED
    del world.gallery.bodies[NAME]
    tell(world)
    assert world.job(ID).phase is Phase.SUPERSEDED
    body["properties"]["provisioningState"] = "Succeeded"
    return body


def tell(world: World) -> None:
    """Let Azure tell of a write or a deletion, and the app do what it does about it."""
    world.clock.advance(3_600)
    world.app.intake.receive(written_event(ID, at=world.clock()), {})
    world.run()


def owned(world: World) -> dict[str, tuple[bool, object]]:
    return {one.region.name: (one.managed, one.requested_at) for one in world.job(ID).replicas}


def events(world: World) -> list[str]:
    return [one.event for one in world.history.read(ID.key)]


def test_the_plan_of_a_restored_version_is_its_old_one() -> None:
    world = replicated()
    before, writes = owned(world), len(world.gallery.writes)
    assert all(managed for managed, _ in before.values())
    world.gallery.bodies[NAME] = deleted(world)
    assert "restored" not in events(world)
    tell(world)
    job = world.job(ID)
    assert (job.phase, owned(world)) == (Phase.SUCCEEDED, before)
    assert len(world.gallery.writes) == writes
    assert events(world).count("restored") == 1


def test_the_sweep_finds_a_restored_version_of_which_no_event_told() -> None:
    world = replicated()
    before = owned(world)
    world.gallery.bodies[NAME] = deleted(world)
    (finding,) = world.app.sweep.run().findings
    assert finding.reason == "it was thought gone and is there"
    world.run()
    assert (world.job(ID).phase, owned(world)) == (Phase.SUCCEEDED, before)


def test_a_region_that_someone_had_removed_stays_away_after_the_restoring() -> None:
    world = replicated()
    gone = publishing(world)["targetRegions"].pop()
    tell(world)
    writes = len(world.gallery.writes)
    removed = replica(world, gone["name"])
    assert removed.code is FailureCode.REMOVED_BY_SOMEONE
    world.gallery.bodies[NAME] = deleted(world)
    tell(world)
    assert len(world.gallery.writes) == writes
    assert replica(world, gone["name"]).code is FailureCode.REMOVED_BY_SOMEONE
    assert world.job(ID).phase is Phase.SUCCEEDED


def replica(world: World, display_name: str) -> Replica:
    name = "".join(display_name.lower().split())
    (found,) = [one for one in world.job(ID).replicas if one.region.name == name]
    return found


@pytest.mark.parametrize("date", ["later", None, 7, "yesterday", "2019-05-02T12:59:59"])
def test_a_version_of_the_same_name_that_was_made_anew_owes_nothing_to_the_one_before(
    date: object,
) -> None:
    world = replicated()
    gone = publishing(world)["targetRegions"].pop()
    tell(world)
    body = deleted(world)
    body["properties"]["publishingProfile"]["publishedDate"] = (
        world.clock().isoformat() if date == "later" else date
    )
    world.gallery.bodies[NAME] = body
    tell(world)
    assert "restored" not in events(world)
    # What was in its list before this app came is not the app's to remove again.
    assert {one.region.name for one in world.job(ID).replicas if one.managed} == {
        replica(world, gone["name"]).region.name
    }
