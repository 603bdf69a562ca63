"""Resource groups: all else is in one, and without it there is nothing."""

from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.regions import Regions
from localcloud.arm.tracked import location_of, refuse_move, tags_of


@dataclass(slots=True)
class Groups:
    """The groups of all subscriptions, by lower-cased names."""

    regions: Regions
    _bodies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def get(self, subscription: str, name: str) -> dict[str, Any]:
        """Return a group; raises ArmError 404."""
        found = self._bodies.get((subscription.lower(), name.lower()))
        if found is None:
            raise ArmError(
                404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found."
            )
        return found

    def put(
        self, subscription: str, name: str, sent: dict[str, Any]
    ) -> tuple[dict[str, Any], bool]:
        """Create a group or change its tags; returns it and whether it is new."""
        location, tags = location_of(sent, self.regions), tags_of(sent)
        key = (subscription.lower(), name.lower())
        held = self._bodies.get(key)
        if held is not None:
            refuse_move(location, held["location"], name)
            name = held["name"]
        body: dict[str, Any] = {
            "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": location,
        }
        if tags is not None:
            body["tags"] = tags
        self._bodies[key] = {**body, "properties": {"provisioningState": "Succeeded"}}
        return self._bodies[key], held is None


def in_capitals(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource as a list shows it: the name of its group in capitals, as recorded."""
    segments = str(resource["id"]).split("/")
    segments[4] = segments[4].upper()
    return {**resource, "id": "/".join(segments)}
