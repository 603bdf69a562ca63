"""What Azure tells and the books do not: nobody's versions, orphans, ghosts; and budgets."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from bootstrap.app import build_app
from costs.ports import CostPorts, Machine
from replication.domain.policy import Budget, ReplicationPolicy
from tests.support.builders import version_body, version_id
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import full_book
from tests.support.fakes import World, build_world

REGIONS = (
    *("eastus", "eastus2", "westus", "westus2", "westus3", "centralus"),
    *("northcentralus", "southcentralus", "westcentralus"),
)
OLD, NEW, GONE = (version_id(version=f"{number}.0.0") for number in (1, 2, 3))
STRANGER = version_id(image="physics")


@dataclass(frozen=True)
class OneMachine:
    """Somebody runs the newer version."""

    def all(self) -> Iterator[Machine]:
        yield Machine(kind="microsoft.compute/virtualmachines", image=str(NEW))


def world_of_trouble() -> World:
    """Return a world with an orphan, a ghost, a used and an unused version."""
    world = build_world()
    policy = ReplicationPolicy(
        budgets=(
            Budget(name="all", monthly=Decimal(1000)),
            Budget(name="each", monthly=Decimal(1), each_gallery=True),
        )
    )
    costs = CostPorts(blobs=MemoryBlobs(), consumers=OneMachine())
    ports = replace(world.app.ports, costs=costs)
    world.app = build_app(world.app.settings, ReplicationPolicy(), ports)
    world.app.costs.price_books.save(full_book(REGIONS))
    for one in (OLD, NEW, GONE):
        world.gallery.add(one, version_body())
        world.app.intake.request(one, trigger="a test", correlation_id="corr-1")
    world.run()
    del world.gallery.bodies[str(GONE).lower()]
    world.gallery.add(STRANGER, version_body())
    world.app = build_app(world.app.settings, policy, ports)
    return world
