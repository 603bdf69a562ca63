"""A list that breaks off hides nothing else from the sweep; a pause holds the sweep back too."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from replication.domain.errors import ThrottledError, TransientError
from replication.domain.image_version import ImageVersion
from replication.domain.regions import RegionCatalog
from replication.ports import UnreadPart
from replication.sweeping.report import SweepIncompleteError
from replication.sweeping.sweep import Sweep
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import SUBSCRIPTION, version_body, version_id
from tests.support.fakes import World, build_world


@dataclass
class BreakingGallery(MemoryGallery):
    """Lists everything, after a part that cannot be read."""

    broken: list[UnreadPart] = field(default_factory=list)
    lists: int = 0

    def versions(
        self, subscription_id: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        self.lists += 1
        if self.broken:
            yield self.broken.pop(0)
        yield from super().versions(subscription_id, catalog)


def breaking(error: TransientError) -> tuple[World, BreakingGallery, Sweep]:
    world = build_world()
    part = UnreadPart(name="gallery labs", error=error)
    gallery = BreakingGallery(world.clock, broken=[part])
    gallery.add(version_id(), version_body())
    return world, gallery, replace(world.app.sweep, gallery=gallery)


def test_a_part_that_cannot_be_listed_is_told_of_and_the_others_are_swept() -> None:
    world, _, sweep = breaking(TransientError("503: try later", code="503"))
    report = sweep.run()
    assert report.errors == [f"subscription {SUBSCRIPTION}, gallery labs: 503: try later"]
    assert (report.versions_seen, len(world.queues.waiting)) == (1, 1)
    with pytest.raises(SweepIncompleteError, match="gallery labs"):
        report.raise_if_incomplete()


def test_a_list_that_is_throttled_holds_the_next_sweep_back_until_the_pause_is_over() -> None:
    world, gallery, sweep = breaking(ThrottledError("429: slow down", retry_after_s=60))
    assert sweep.run().versions_seen == 0
    held = sweep.run()
    assert (held.versions_seen, gallery.lists) == (0, 1)
    assert "Azure asked for a pause until" in held.errors[0]
    world.clock.advance(61)
    assert (sweep.run().versions_seen, gallery.lists) == (1, 2)
