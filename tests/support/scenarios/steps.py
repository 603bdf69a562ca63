"""What the scenarios share: the version that a lab exports, and its replicas' states."""

from typing import Any

from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World

ID = version_id()


def export(world: World, **body: Any) -> None:
    """Do what a lab does: write a version, of which Azure tells."""
    world.gallery.add(ID, version_body(**body))
    world.app.intake.receive(written_event(ID, at=world.clock()), {})


def states(world: World) -> dict[str, str]:
    return {one.region.name: one.state.value for one in world.job(ID).replicas}
