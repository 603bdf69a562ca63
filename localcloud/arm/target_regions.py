"""Check and complete a list of target regions as the service does, with its own sentences."""

import copy
from typing import Any

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.regions import Regions

MAX_REPLICAS_PER_VERSION = 100
_TARGET = "galleryImageVersion.properties.publishingProfile.targetRegions"
_STORAGE_TYPES = ("Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS")


def complete_target_regions(
    raw: object,
    *,
    home: str,
    default_count: int,
    default_type: str,
    existing: list[dict[str, Any]],
    regions: Regions,
) -> list[dict[str, Any]]:
    """Return the list with display names and defaults, in the order of the request.

    Raises ArmError with the service's sentence for each rule that is broken.
    """
    entries = _entries(raw)
    seen: set[str] = set()
    before = {regions.resolve(one["name"]): one for one in existing}
    completed = []
    for entry in entries:
        name = regions.resolve(entry["name"])
        if name in seen:
            raise bad_request(
                "Duplicate regions are not allowed in target publishing regions.", target=_TARGET
            )
        seen.add(name)
        completed.append(
            _complete(
                entry,
                name,
                default_count=default_count,
                default_type=default_type,
                before=before.get(name),
                regions=regions,
            )
        )
    if home not in seen:
        names = ", ".join(regions.display(name) for name in sorted(seen))
        raise bad_request(
            f"Gallery image version publishing profile regions <{names}> must contain the "
            f"location of image version <{regions.display(home)}>.",
            target=_TARGET,
        )
    total = sum(_replicas(one) for one in completed)
    if total > MAX_REPLICAS_PER_VERSION:
        raise ArmError(
            409,
            "QuotaExceeded",
            f"The image version would have {total} replicas; the quota is "
            f"{MAX_REPLICAS_PER_VERSION} for each image version.",
        )
    return completed


def refuse_removal(
    old: list[dict[str, Any]], new: list[dict[str, Any]], version_name: str, regions: Regions
) -> None:
    """Raise the service's refusal if a region of the old list is not in the new one."""
    kept = {regions.resolve(one["name"]) for one in new}
    if any(regions.resolve(one["name"]) not in kept for one in old):
        raise ArmError(
            400,
            "BadRequest",
            "Complete set of target locations not specified while updating gallery artifact "
            f"'{version_name}' and type 'ImageVersion'. Deletion of previously replicated "
            "locations is not allowed, and you need to specify a complete set of target "
            "locations, or specify null or empty set for target regions, or set allow deletion "
            "of replicated locations under safety profile property.",
        )


def _entries(raw: object) -> list[dict[str, Any]]:
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise bad_request("targetRegions is a list of objects", target=_TARGET)
    for one in raw:
        if not isinstance(one.get("name"), str) or not one["name"].strip():
            raise bad_request("Required parameter 'name' is missing (null).", target=_TARGET)
    return copy.deepcopy(raw)


def _complete(
    entry: dict[str, Any],
    name: str,
    *,
    default_count: int,
    default_type: str,
    before: dict[str, Any] | None,
    regions: Regions,
) -> dict[str, Any]:
    if not regions.is_available(name):
        listed = ",".join(sorted(regions.available_names()))
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{name}' is not available for resource type "
            f"'Microsoft.Compute/galleries'. List of available regions for the resource type is "
            f"'{listed}'.",
        )
    count = entry.get("regionalReplicaCount", default_count)
    count = default_count if count is None else count
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 100:  # noqa: PLR2004
        raise bad_request(
            f"The value {count!r} of parameter 'regionalReplicaCount' is out of range. The value "
            "must be between 1 and 100, inclusive.",
            target=_TARGET,
        )
    storage_type = _storage_type(entry, default_type=default_type, before=before)
    if storage_type.endswith("_ZRS") and not regions.behaviour[name].zrs:
        raise bad_request("ZRS storage account type is not supported in this region.")
    completed = {
        **entry,
        "name": regions.display(name),
        "regionalReplicaCount": count,
        "storageAccountType": storage_type,
    }
    completed.setdefault("excludeFromLatest", False)
    return completed


def _storage_type(
    entry: dict[str, Any], *, default_type: str, before: dict[str, Any] | None
) -> str:
    storage_type = entry.get("storageAccountType")
    if storage_type is None:
        if before is not None and before["storageAccountType"] != default_type:
            raise bad_request(
                "Global storage account type does not match the storage account type in the "
                f"existing TargetRegion: '{before['name']}'. Please specify "
                f"'{before['storageAccountType']}' as the storage account type for this region."
            )
        return default_type
    if storage_type not in _STORAGE_TYPES:
        raise bad_request(
            f"storageAccountType {str(storage_type)[:40]!r} is none of {', '.join(_STORAGE_TYPES)}"
        )
    if before is not None and before["storageAccountType"] != storage_type:
        raise ArmError(
            409,
            "PropertyChangeNotAllowed",
            f"Changing property 'storageAccountType' of region '{before['name']}' is not allowed.",
            target="storageAccountType",
        )
    return str(storage_type)


def _replicas(entry: dict[str, Any]) -> int:
    more = entry.get("additionalReplicaSets") or []
    extra = sum(one.get("regionalReplicaCount") or 1 for one in more if isinstance(one, dict))
    return int(entry["regionalReplicaCount"]) + int(extra)
