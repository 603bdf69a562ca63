"""Inventory of sources and disk encryption sets: what exists, where, and what was deleted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.errors import ArmError, invalid
from localcloud.arm.json_bodies import flag_at, integer_at, known_keys, objects_at, text_at
from localcloud.arm.regions import Regions

_KEYS = ("id", "region", "exists", "disks")
_DISK_KEYS = ("lun", "sizeInGB")
_MOST = 10_000
_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/.{1,400}",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource that versions need.

    `region` None is one that fits everywhere, `disks` None a source whose data disks nobody named.
    """

    id: str
    region: str | None = None
    exists: bool = True
    disks: Mapping[int, int] | None = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return it as `/_localcloud/resources` shows it."""
        disks = [{"lun": lun, "sizeInGB": size} for lun, size in (self.disks or {}).items()]
        return {"id": self.id, "region": self.region, "exists": self.exists, "disks": disks}


@dataclass(slots=True)
class Inventory:
    """All that was named; a deleted resource stays in it, as one that does not exist."""

    regions: Regions
    _known: dict[str, Resource] = field(default_factory=dict)

    def put(self, raw: object) -> None:
        """Take a list of resources, each as it is from now on; raises ArmError for a wrong one."""
        if not isinstance(raw, list):
            raise invalid("resources is a list of objects with an id.", target="resources")
        read = [self._read(one) for one in raw]
        if len(self._known) + len(read) > _MOST:
            raise invalid(f"There may be {_MOST} resources at most.", target="resources")
        self._known |= {one.id.lower(): one for one in read}

    def find(self, resource_id: str) -> Resource | None:
        """Return a resource that was named before, deleted ones too."""
        return self._known.get(resource_id.lower())

    def record(self, resource: Resource) -> None:
        """Take a resource as it is from now on."""
        self._known[resource.id.lower()] = resource

    def assume(self, resource_id: str, region: str | None = None) -> None:
        """Note a resource that a write named first, so that it can be deleted later."""
        if len(self._known) < _MOST:
            taken = Resource(id=resource_id, region=region, disks=None)
            self._known.setdefault(resource_id.lower(), taken)

    def all(self) -> list[Resource]:
        """Return all of them."""
        return list(self._known.values())

    def _read(self, raw: object) -> Resource:
        body = known_keys(raw, _KEYS, "resource")
        resource_id = text_at(body, "id", "resource")
        if resource_id is None or not _ID.fullmatch(resource_id):
            raise invalid(
                "resource.id is the id of a resource of Microsoft.Compute, with its subscription "
                "and its resource group.",
                target="resource.id",
            )
        held = self.find(resource_id)
        exists, region = flag_at(body, "exists", "resource"), text_at(body, "region", "resource")
        if region is not None:
            region = self._region(region)
        disks = None if body.get("disks") is None else _disks(body)
        return Resource(
            id=resource_id,
            region=region if region is not None or held is None else held.region,
            exists=True if exists is None else exists,
            disks=disks if disks is not None else held.disks if held is not None else {},
        )

    def _region(self, spelled: str) -> str:
        name = self.regions.resolve(spelled)
        if not self.regions.is_known(name):
            raise ArmError(404, "NotFound", f"There is no region '{spelled[:80]}'.")
        return name


def _disks(body: dict[str, Any]) -> dict[int, int]:
    found: dict[int, int] = {}
    for one in objects_at(body, "disks", "resource"):
        known_keys(one, _DISK_KEYS, "resource.disks")
        lun = integer_at(one, "lun", "resource.disks", least=0, most=63)
        size = integer_at(one, "sizeInGB", "resource.disks", least=1, most=32_767)
        if lun is None or size is None or lun in found:
            raise invalid(
                "Each of resource.disks has a lun of its own and sizeInGB.", target="resource.disks"
            )
        found[lun] = size
    return found
