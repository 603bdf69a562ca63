"""Disk encryption sets of target regions: each in its own region, and for all disks or none."""

import re
from dataclasses import dataclass
from typing import Any

from localcloud.arm.errors import ArmError, invalid
from localcloud.arm.json_bodies import integer_at, object_at, objects_at, text_at
from localcloud.arm.regions import Regions
from localcloud.arm.surroundings.inventory import Inventory

_TARGETS = "galleryImageVersion.properties.publishingProfile.targetRegions"
_ENCRYPTION = "galleryArtifactVersion.properties.publishingProfile.targetRegions.encryption"
_SET_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/[^/]+/providers/Microsoft\.Compute"
    r"/diskEncryptionSets?/[\w-]{1,80}",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encrypted:
    """The version that is written: where it lies, its data disks if known, its targets so far."""

    subscription: str
    home: str
    luns: frozenset[int] | None
    held: list[dict[str, Any]]


def check_encryption(
    targets: list[dict[str, Any]],
    of: Encrypted,
    inventory: Inventory,
    regions: Regions,
    *,
    unknown_exist: bool,
) -> None:
    """Raise the service's refusal of encryption that cannot be, for a completed list of targets.

    A set that a write names first is taken to lie in the home region, where `unknown_exist`.
    """
    before = {regions.resolve(one["name"]): _sets(one) for one in of.held}
    sets: dict[str, dict[int | None, str]] = {}
    for one in targets:
        name = regions.resolve(one["name"])
        sets[name] = _sets(one)
        for lun in sets[name]:
            if lun is None:
                continue
            if name in before and lun not in before[name]:
                raise invalid(
                    f"Cannot specify new data disk image encryption lun [{lun}] with a disk "
                    f"encryption set in region [{name}] for update gallery image version request. "
                    "To update this version, remove the new lun. If you need to change the data "
                    "disk image encryption settings, you must create a new gallery image version "
                    "with the correct settings.",
                    target=_TARGETS,
                )
            if of.luns is not None and lun not in of.luns:
                known = ",".join(map(str, sorted(of.luns)))
                raise invalid(
                    f"An invalid lun [{lun}] was specified in encryption.dataDiskImages. The lun "
                    f"must be one of the following values ['{known}'].",
                    target=_TARGETS,
                )
    _require_everywhere(targets, sets, regions)
    for name, of_region in sets.items():
        for lun, set_id in of_region.items():
            if before.get(name, {}).get(lun, "").lower() != set_id.lower():
                _require_set(set_id, name, lun, of, inventory, unknown_exist=unknown_exist)


def _sets(target: dict[str, Any]) -> dict[int | None, str]:
    """Return the sets of a target region by lun; the OS disk has None."""
    encryption = object_at(target, "encryption", _TARGETS)
    found: dict[int | None, str] = {}
    system = object_at(encryption, "osDiskImage", _ENCRYPTION)
    if set_id := text_at(system, "diskEncryptionSetId", _ENCRYPTION):
        found[None] = set_id
    for one in objects_at(encryption, "dataDiskImages", _ENCRYPTION):
        lun = integer_at(one, "lun", f"{_ENCRYPTION}.dataDiskImages", least=0, most=2**31 - 1) or 0
        if lun in found:
            raise invalid(
                f"Duplicate luns '{lun}' were specified in target region '{target['name']}' "
                "encryption.dataDiskImages.",
                target=_TARGETS,
            )
        found[lun] = text_at(one, "diskEncryptionSetId", _ENCRYPTION) or ""
    return {lun: set_id for lun, set_id in found.items() if set_id}


def _require_everywhere(
    targets: list[dict[str, Any]], sets: dict[str, dict[int | None, str]], regions: Regions
) -> None:
    """Raise the refusal where a disk is encrypted in some regions and in others is not."""
    for name, of_region in sets.items():
        for lun, set_id in of_region.items():
            for one in targets:
                if lun not in sets[regions.resolve(one["name"])]:
                    disk = (
                        f"{_ENCRYPTION}.osDiskImage.diskEncryptionSetId"
                        if lun is None
                        else f"LUN {lun}"
                    )
                    raise invalid(
                        f"A disk encryption set is required for disk '{disk}' in target region "
                        f"'{one['name']}' since disk encryption set '{set_id[:400]}' is used for "
                        f"the corresponding disk in region '{regions.display(name)}'",
                        target=_TARGETS,
                    )


def _require_set(
    set_id: str,
    region: str,
    lun: int | None,
    of: Encrypted,
    inventory: Inventory,
    *,
    unknown_exist: bool,
) -> None:
    matched = _SET_ID.fullmatch(set_id)
    if matched is None:
        disk = "osDiskImage" if lun is None else "dataDiskImages"
        name = f"{_ENCRYPTION}.{disk}.diskEncryptionSetId"
        raise invalid(f"The value of parameter {name} is invalid.", target=name)
    if matched[1].lower() != of.subscription.lower():
        raise invalid(
            f"The disk encryption set '{set_id[:400]}' must be in the same subscription "
            f"'{of.subscription}' as the gallery resource.",
            target=_TARGETS,
        )
    found = inventory.find(set_id)
    if found is None and unknown_exist and region == of.home:
        inventory.assume(set_id, region)
    elif found is None or not found.exists or found.region not in (None, region):
        raise ArmError(404, "NotFound", f"The disk encryption set {set_id[:400]} was not found.")
