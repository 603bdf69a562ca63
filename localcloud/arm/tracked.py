"""What all ARM resources have in common: a location and tags."""

from typing import Any

from localcloud.arm.errors import ArmError, invalid
from localcloud.arm.json_bodies import text_at, wrong_value
from localcloud.arm.regions import Regions

_MAX_TAGS = 50


def location_of(body: dict[str, Any], regions: Regions) -> str:
    """Return the short name of the location; raises ArmError if there is none."""
    location = text_at(body, "location", "resource")
    if location is None or not location.strip():
        raise invalid(
            "The location property is required for this definition.", code="LocationRequired"
        )
    return regions.resolve(location)


def refuse_move(sent: str, held: str, name: str) -> None:
    """Raise ARM's refusal if a resource would get another location."""
    if sent != held:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{name}' already exists in location '{held}'. A resource with the same "
            f"name cannot be created in location '{sent[:80]}'. Please select a new resource name.",
        )


def tags_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the tags; None if none were sent."""
    tags = body.get("tags")
    if tags is None:
        return None
    if not isinstance(tags, dict) or not all(isinstance(one, str) for one in tags.values()):
        raise wrong_value("tags", "an object of texts")
    if len(tags) > _MAX_TAGS:
        raise invalid(
            f"The number of tags {len(tags)} exceeds the maximum of {_MAX_TAGS}.",
            code="TooManyTags",
        )
    return dict(tags)
