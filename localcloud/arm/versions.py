"""A gallery image version as the service holds it, and as it answers it."""

import copy
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from localcloud.arm.behaviour import Behaviour
from localcloud.arm.copying import Copy
from localcloud.arm.regions import Regions

State = Literal["Creating", "Updating", "Deleting", "Failed", "Succeeded"]

# The first API versions whose answers carry what is named.
_SAFETY_SINCE = "2022-03-03"
_DETAILS_SINCE = "2020-09-30"
_MANAGED_IMAGE = re.compile(r"/providers/Microsoft\.Compute/images/[^/]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk of an image; `stated` is what the creation said of it.

    One that was read off the source shows once the source is copied.
    """

    size_gb: int
    stated: dict[str, Any]
    is_read_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Disks:
    """The OS disk and the data disks of an image."""

    system: Disk
    data: tuple[Disk, ...] = ()
    # Whether these are all, or the source may have more that nobody named.
    is_complete: bool = True
    # The ids of disks and snapshots, by `os` and luns, where an image is made from these.
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def luns(self) -> list[int]:
        """Return the numbers of the data disks."""
        return [int(disk.stated.get("lun", place)) for place, disk in enumerate(self.data)]

    @property
    def total_gb(self) -> int:
        """Return the provisioned size of all."""
        return self.system.size_gb + sum(one.size_gb for one in self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """A deletion that only hides: when it was asked for, and for how long it can be undone."""

    at: datetime
    retention_days: int
    grace_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageVersion:
    """One version; the times are simulated seconds, `copies` go by short region names."""

    id: str
    name: str
    home: str
    tags: dict[str, Any] | None
    publishing: dict[str, Any]
    targets: list[dict[str, Any]]
    source: dict[str, Any]
    safety: dict[str, Any]
    other: dict[str, Any] = field(default_factory=dict)
    disks: Disks
    verb: Literal["Creating", "Updating"] = "Creating"
    changing_until: float = 0.0
    gone_at: float | None = None
    hiding: Hiding | None = None
    copies: dict[str, Copy] = field(default_factory=dict)

    def settles_at(self) -> float:
        """Return when the last write on it ends; infinite while a copy is stuck."""
        return max(self.changing_until, *(one.settles_at() for one in self.copies.values()))

    def state(self, now: float) -> State:
        """Return `provisioningState`."""
        if self.gone_at is not None:
            return "Deleting"
        if now < self.settles_at():
            return self.verb if self.has_image(now) else "Creating"
        return "Failed" if self.failed_regions(now) else "Succeeded"

    def has_image(self, now: float) -> bool:
        """Tell whether the home region has the image, from which all others copy."""
        return self.copies[self.home].state(now) == "Completed"

    def failed_regions(self, now: float) -> list[str]:
        """Return the short names of regions whose copy failed."""
        return [name for name, one in self.copies.items() if one.state(now) == "Failed"]


def version_body(
    version: ImageVersion,
    *,
    now: float,
    api_version: str,
    behaviour: Behaviour,
    regions: Regions,
    expand: bool = False,
) -> dict[str, Any]:
    """Return the resource as ARM answers it; `expand` adds the replication status."""
    body: dict[str, Any] = {
        "name": version.name,
        "id": version.id,
        "type": "Microsoft.Compute/galleries/images/versions",
        "location": version.home,
    }
    if version.tags is not None:
        body["tags"] = version.tags
    properties: dict[str, Any] = {
        "publishingProfile": {"targetRegions": version.targets, **version.publishing},
        "storageProfile": _storage_profile(version, done=version.has_image(now)),
    }
    if api_version >= _SAFETY_SINCE:
        properties["safetyProfile"] = version.safety
    properties |= version.other
    if expand:
        with_details = api_version >= _DETAILS_SINCE
        properties["replicationStatus"] = _replication_status(
            version, now, behaviour, regions, with_details=with_details
        )
    properties["provisioningState"] = version.state(now)
    body["properties"] = properties
    return copy.deepcopy(body)


def _storage_profile(version: ImageVersion, *, done: bool) -> dict[str, Any]:
    disks = version.disks
    profile: dict[str, Any] = {"source": version.source} if version.source else {}
    is_of_managed_image = _MANAGED_IMAGE.search(str(version.source.get("id", ""))) is not None
    if done or disks.system.stated or not is_of_managed_image:
        profile["osDiskImage"] = _disk_body(disks.system, done=done, caching="ReadWrite")
    shown = []
    for lun, disk in enumerate(disks.data):
        if done or not disk.is_read_off:
            one = {"lun": lun, **_disk_body(disk, done=done, caching="ReadOnly")}
            if is_of_managed_image and "source" not in disk.stated:
                del one["source"]
            shown.append(one)
    if shown:
        profile["dataDiskImages"] = shown
    return profile


def _disk_body(disk: Disk, *, done: bool, caching: str) -> dict[str, Any]:
    size = {"sizeInGB": disk.size_gb} if done else {}
    return {**size, "hostCaching": caching, "source": {}, **disk.stated}


def _replication_status(
    version: ImageVersion,
    now: float,
    behaviour: Behaviour,
    regions: Regions,
    *,
    with_details: bool,
) -> dict[str, Any]:
    summary = []
    for target in version.targets:
        name = regions.resolve(target["name"])
        one = version.copies[name]
        state = one.state(now)
        entry: dict[str, Any] = {
            "region": name if behaviour.summary_region_names == "short" else target["name"],
            "state": state,
        }
        if with_details or state == "Failed":
            entry["details"] = "Failed with internal server error." if state == "Failed" else ""
        entry["progress"] = one.progress(now)
        summary.append(entry)
    words = {entry["state"] for entry in summary}
    if "Replicating" in words:
        aggregated = "InProgress"
    else:
        aggregated = "Failed" if "Failed" in words else "Completed"
    return {"aggregatedState": aggregated, "summary": summary}
