"""Check and complete a list of target regions as the service does, with its own sentences."""

import copy
from dataclasses import dataclass
from typing import Any

from localcloud.arm.errors import ArmError, fixed_property, invalid, quota
from localcloud.arm.json_bodies import choice_at, flag_at, integer_at, object_at, objects_at
from localcloud.arm.regions import Regions

MAX_REPLICAS = 100
STORAGE_TYPES = ("Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS")
PUBLISHING = "galleryImageVersion.properties.publishingProfile"
_TARGETS = f"{PUBLISHING}.targetRegions"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDefaults:
    """What a target region takes from its version where it says nothing itself."""

    home: str
    replica_count: int
    storage_type: str


def complete_target_regions(
    sent: list[dict[str, Any]],
    *,
    held: list[dict[str, Any]],
    defaults: TargetDefaults,
    regions: Regions,
) -> list[dict[str, Any]]:
    """Return the list with display names and defaults, in the order of the request.

    `held` is the list before an update. Raises ArmError with the service's sentence for each rule
    that is broken; unknown fields stay as they came.
    """
    before = {regions.resolve(one["name"]): one for one in held}
    completed: dict[str, dict[str, Any]] = {}
    for entry in sent:
        name = _name(entry, regions)
        if name in completed:
            raise invalid(
                "Duplicate regions are not allowed in target publishing regions.", target=_TARGETS
            )
        completed[name] = _complete(entry, name, before.get(name), defaults, regions)
    if defaults.home not in completed:
        listed = ", ".join(one["name"] for one in completed.values())
        raise invalid(
            f"Gallery image version publishing profile regions <{listed}> must contain the "
            f"location of image version <{regions.display(defaults.home)}>.",
            target=_TARGETS,
        )
    if sum(_replicas(one) for one in completed.values()) > MAX_REPLICAS:
        raise quota("replicas in one image version", MAX_REPLICAS)
    return list(completed.values())


def refuse_removal(
    held: list[dict[str, Any]], sent: list[dict[str, Any]], version_name: str, regions: Regions
) -> None:
    """Raise the service's refusal if a region that is held is not in the new list."""
    kept = {regions.resolve(one["name"]) for one in sent}
    if any(regions.resolve(one["name"]) not in kept for one in held):
        raise ArmError(
            400,
            "BadRequest",
            "Complete set of target locations not specified while updating gallery artifact "
            f"'{version_name}' and type 'ImageVersion'. Deletion of previously replicated "
            "locations is not allowed, and you need to specify a complete set of target "
            "locations, or specify null or empty set for target regions, or set allow deletion "
            "of replicated locations under safety profile property.",
        )


def require_available(name: str, regions: Regions, target: str) -> None:
    """Raise the service's refusal of a region that cannot be used."""
    if not regions.is_available(name):
        listed = ",".join(sorted(regions.available_names()))
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{name[:80]}' is not available for resource type "
            "'Microsoft.Compute/galleries'. List of available regions for the resource type is "
            f"'{listed}'.",
            target=target,
        )


def _name(entry: dict[str, Any], regions: Regions) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid(
            f"Required parameter '{_TARGETS}.name' is missing (null).", target=f"{_TARGETS}.name"
        )
    return regions.resolve(name)


def _complete(
    entry: dict[str, Any],
    name: str,
    before: dict[str, Any] | None,
    defaults: TargetDefaults,
    regions: Regions,
) -> dict[str, Any]:
    if before is None:
        require_available(name, regions, _TARGETS)
    count = integer_at(entry, "regionalReplicaCount", _TARGETS, least=1, most=MAX_REPLICAS)
    excluded = flag_at(entry, "excludeFromLatest", _TARGETS)
    object_at(entry, "encryption", _TARGETS)
    storage_type = _storage_type(entry, before, defaults)
    more = objects_at(entry, "additionalReplicaSets", _TARGETS)
    kinds = [storage_type]
    for one in more:
        within = f"{_TARGETS}.additionalReplicaSets"
        integer_at(one, "regionalReplicaCount", within, least=1, most=MAX_REPLICAS)
        kinds.append(choice_at(one, "storageAccountType", within, STORAGE_TYPES) or "")
    if "Standard_ZRS" in kinds and not regions.behaviour_of(name).zrs:
        raise invalid("ZRS storage account type is not supported in this region.", target=_TARGETS)
    extras = {
        key: copy.deepcopy(value)
        for key, value in entry.items()
        if value is not None and key not in ("name", "regionalReplicaCount", "storageAccountType")
    }
    return {
        "name": regions.display(name),
        "regionalReplicaCount": count or defaults.replica_count,
        "storageAccountType": storage_type,
        **extras,
        "excludeFromLatest": bool(excluded),
    }


def _storage_type(
    entry: dict[str, Any], before: dict[str, Any] | None, defaults: TargetDefaults
) -> str:
    asked = choice_at(entry, "storageAccountType", _TARGETS, STORAGE_TYPES)
    if before is None:
        return asked or defaults.storage_type
    held = str(before["storageAccountType"])
    if asked is None and held != defaults.storage_type:
        raise invalid(
            "Global storage account type does not match the storage account type in the existing "
            f"TargetRegion: '{before['name']}'. Please specify '{held}' as the storage account "
            "type for this region.",
            target=_TARGETS,
        )
    if asked not in (None, held):
        raise fixed_property(f"{_TARGETS}.storageAccountType")
    return held


def _replicas(entry: dict[str, Any]) -> int:
    more = entry.get("additionalReplicaSets") or []
    return int(entry["regionalReplicaCount"]) + sum(
        one.get("regionalReplicaCount") or 1 for one in more
    )
