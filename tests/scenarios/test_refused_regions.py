"""Scenarios: Azure refuses some regions, by name or without, and what becomes of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bootstrap.app import build_app
from replication.domain.errors import FailureCode
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase
from replication.domain.regions import Region, RegionRefusedError
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID, export, states


@dataclass
class PickyGallery(MemoryGallery):
    """Refuses every list in which a region of `refused` stands; says which only if `naming`."""

    refused: set[str] = field(default_factory=set)
    code: FailureCode = FailureCode.REGION_UNAVAILABLE
    naming: bool = False
    refusals: int = 0

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        asked_for = {"".join(entry["name"].lower().split()) for entry in entries}
        named = sorted(asked_for & self.refused)
        if named:
            self.refusals += 1
            said = f"not allowed: {', '.join(named)}" if self.naming else "not allowed"
            regions = map(Region, named) if self.naming else ()
            raise RegionRefusedError(said, code=self.code, regions=regions)
        super().set_target_regions(version_id, entries)


def a_world(*refused: str, code: FailureCode, naming: bool = False) -> World:
    world = build_world()
    gallery = PickyGallery(world.clock, refused=set(refused), code=code, naming=naming)
    ports = replace(world.app.ports, gallery=gallery)
    app = build_app(world.app.settings, world.app.policy, ports)
    return replace(world, app=app, gallery=gallery)


CAUSES = pytest.mark.parametrize(
    "code",
    [
        FailureCode.NOT_AUTHORISED,
        FailureCode.QUOTA_EXCEEDED,
        FailureCode.REGION_UNAVAILABLE,
        FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
    ],
)


@CAUSES
@pytest.mark.parametrize("naming", [True, False])
def test_regions_that_are_refused_are_left_out_and_the_others_replicated(
    code: FailureCode, *, naming: bool
) -> None:
    world = a_world("westus2", "westus3", code=code, naming=naming)
    export(world)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.SUCCEEDED
    wanted = [name for name in US_NEIGHBOURS if name not in ("westus2", "westus3")]
    assert states(world) == dict.fromkeys(wanted, "completed")
    assert {one.region.name for one in job.left_out} == {"westus2", "westus3"}
    assert all("not allowed" in one.reason for one in job.left_out)
    assert world.letters.letters == {}


@CAUSES
@pytest.mark.parametrize("naming", [True, False])
def test_one_letter_only_when_every_region_is_refused(code: FailureCode, *, naming: bool) -> None:
    world = a_world(*US_NEIGHBOURS, code=code, naming=naming)
    export(world)
    world.run()
    assert world.job(ID).phase is Phase.FAILED
    (letter,) = world.letters.letters.values()
    assert letter.code == code
    assert "not allowed" in letter.cause
    world.clock.advance(3600)
    refusals = world.gallery.refusals if isinstance(world.gallery, PickyGallery) else None
    world.app.intake.revisit(ID, why="a test")
    world.run(until=world.clock() + timedelta(seconds=60))
    assert world.job(ID).phase is Phase.FAILED
    assert list(world.letters.letters.values()) == [letter]
    assert isinstance(world.gallery, PickyGallery)
    assert world.gallery.refusals == refusals


@CAUSES
@pytest.mark.parametrize("naming", [True, False])
def test_what_one_version_learned_is_asked_once_for_the_subscription(
    code: FailureCode, *, naming: bool
) -> None:
    world = a_world("westus3", code=code, naming=naming)
    export(world)
    world.run()
    assert isinstance(world.gallery, PickyGallery)
    before = world.gallery.refusals
    another = version_id(version="2.0.0")
    world.gallery.add(another, version_body())
    world.app.intake.receive(written_event(another, event_id="e2", at=world.clock()), {})
    world.run()
    assert world.job(another).phase is Phase.SUCCEEDED
    assert world.gallery.refusals == before


def test_a_policy_that_refuses_everything_is_no_word_about_the_regions_of_other_versions() -> None:
    world = a_world(*US_NEIGHBOURS, code=FailureCode.NOT_AUTHORISED)
    export(world)
    world.run()
    assert world.job(ID).phase is Phase.FAILED
    assert isinstance(world.gallery, PickyGallery)
    world.gallery.refused = set()
    another = version_id(version="2.0.0")
    world.gallery.add(another, version_body())
    world.app.intake.receive(written_event(another, event_id="e2", at=world.clock()), {})
    world.run()
    assert world.job(another).phase is Phase.SUCCEEDED
