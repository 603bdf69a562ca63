"""Image versions as ARM's JSON tells of them."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeIs

from replication.azure.arm.causes import cause_of_failed_copy
from replication.domain.image_version import (
    CopyState,
    ImageVersion,
    ImageVersionId,
    MalformedImageVersionError,
    ProvisioningState,
    RegionalReplicationStatus,
    ReplicationMode,
)
from replication.domain.regions import Region, RegionCatalog
from replication.domain.target_regions import TargetRegion

# The words for sixty regions must fit into one record.
_MAX_DETAILS = 1000
# A tag's value may have 256 characters; no storage type has half of that.
_MAX_WORD = 256
# Sixteen times the largest disk of today.
_MAX_SIZE_GB = 2**20


def read_version(
    version_id: ImageVersionId, body: Mapping[str, Any], catalog: RegionCatalog
) -> ImageVersion:
    """Read ARM's JSON of a version; words and fields of the future pass.

    Raises MalformedImageVersionError naming the field that cannot be read, and
    InvalidRegionNameError for a region that has no usable name.
    """
    properties = _mapping(body, "properties")
    publishing = _mapping(properties, "publishingProfile")
    storage = _mapping(properties, "storageProfile")
    safety = _mapping(properties, "safetyProfile")
    if not body.get("location"):
        raise MalformedImageVersionError(f"the answer about {version_id} has no location")
    targets = tuple(
        TargetRegion(region=catalog.resolve(entry.get("name")), entry=entry)
        for entry in _mappings(publishing, "targetRegions")
    )
    return ImageVersion(
        id=version_id,
        home_region=catalog.resolve(body["location"]),
        provisioning_state=_provisioning_state(properties.get("provisioningState")),
        target_regions=targets,
        replication=_regional_status(_mapping(properties, "replicationStatus"), catalog),
        replication_mode=(
            ReplicationMode.SHALLOW
            if _word(publishing.get("replicationMode")).lower() == "shallow"
            else ReplicationMode.FULL
        ),
        size_gb=_provisioned_size_gb(storage),
        published_at=_moment(publishing.get("publishedDate")),
        may_remove_regions=safety.get("allowDeletionOfReplicatedLocations") is True,
        tags=_tags(_mapping(body, "tags")),
    )


def _mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise MalformedImageVersionError(f"{name} is {type(value).__name__}, not an object")
    return value


def _mappings(parent: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = parent.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise MalformedImageVersionError(f"{name} is not a list of objects")
    return value


def _provisioning_state(word: object) -> ProvisioningState:
    try:
        return ProvisioningState(_word(word))
    except ValueError:
        return ProvisioningState.OTHER


def _regional_status(
    status: Mapping[str, Any], catalog: RegionCatalog
) -> dict[Region, RegionalReplicationStatus]:
    summary: dict[Region, RegionalReplicationStatus] = {}
    for entry in _mappings(status, "summary"):
        try:
            state = CopyState(_word(entry.get("state")))
        except ValueError:
            state = CopyState.UNKNOWN
        details = _word(entry.get("details"))
        summary[catalog.resolve(entry.get("region"))] = RegionalReplicationStatus(
            state=state,
            progress=_percent(entry.get("progress")),
            details=details[:_MAX_DETAILS],
            cause=cause_of_failed_copy(details) if state is CopyState.FAILED else None,
        )
    return summary


def _tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags as texts that every storage holds: no half characters."""
    return {
        str(name): value.encode(errors="replace").decode()[:_MAX_WORD]
        for name, value in tags.items()
        if isinstance(value, str)
    }


def _moment(value: object) -> datetime | None:
    """Return a moment of a known time zone; None for anything else, which tells nothing."""
    try:
        moment = datetime.fromisoformat(_word(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _percent(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return min(100, max(0, int(value)))


def _provisioned_size_gb(storage: Mapping[str, Any]) -> int | None:
    disks = [_mapping(storage, "osDiskImage"), *_mappings(storage, "dataDiskImages")]
    sizes = [size for disk in disks if _is_size(size := disk.get("sizeInGB"))]
    return sum(sizes) if sizes else None


def _is_size(value: object) -> TypeIs[int]:
    """Tell whether a disk can have this size; no price is computed from any other number."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_SIZE_GB


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
