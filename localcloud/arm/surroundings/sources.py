"""Sources of image versions: one and only one, that exists, and that is never another one."""

from collections.abc import Mapping
from typing import Any

from localcloud.arm.errors import ArmError, fixed_property, invalid
from localcloud.arm.json_bodies import object_at, objects_at, text_at
from localcloud.arm.surroundings.inventory import Inventory

SOURCE_KEYS = ("id", "virtualMachineId", "communityGalleryImageId")
_STORAGE = "galleryImageVersion.properties.storageProfile"


def source_ids(source: Mapping[str, Any]) -> list[str]:
    """Return the ids that a source names."""
    return [str(source[key]) for key in SOURCE_KEYS if source.get(key)]


def disk_sources(storage: dict[str, Any]) -> dict[str, str]:
    """Return the ids of disks and snapshots, by `os` and the numbers of data disks."""
    named = {"os": object_at(storage, "osDiskImage", _STORAGE)}
    for place, one in enumerate(objects_at(storage, "dataDiskImages", _STORAGE)):
        named[str(place if one.get("lun") is None else one["lun"])] = one
    found = {}
    for name, disk in named.items():
        source = object_at(disk, "source", _STORAGE)
        asked = text_at(source, "id", f"{_STORAGE}.source") or text_at(
            source, "uri", f"{_STORAGE}.source"
        )
        if asked:
            found[name] = asked
    return found


def require_one_source(storage: dict[str, Any]) -> list[str]:
    """Return the ids of what a new version is made from; raises ArmError for none or several."""
    source = object_at(storage, "source", _STORAGE)
    for key in SOURCE_KEYS:
        text_at(source, key, f"{_STORAGE}.source")
    whole, disks = source_ids(source), disk_sources(storage)
    if not whole and not storage.get("osDiskImage"):
        raise invalid(f"Required parameter '{_STORAGE}' is missing (null).", target=_STORAGE)
    if len(whole) > 1 or (whole and disks):
        raise invalid(
            "The gallery artifact version source can only be specified either directly under "
            "storageProfile or within individual OS or data disks. One and only one source type "
            "(user image, snapshot, disk, virtual machine) can be provided.",
            target=_STORAGE,
        )
    return whole or list(disks.values())


def refuse_other_disks(
    held_source: dict[str, Any], held: Mapping[str, str], luns: set[int], storage: dict[str, Any]
) -> None:
    """Raise the refusal to change what a version was made from, or to give it another disk."""
    sent = object_at(storage, "source", _STORAGE)
    for key in SOURCE_KEYS:
        asked = text_at(sent, key, f"{_STORAGE}.source")
        if asked and asked.lower() != str(held_source.get(key, "")).lower():
            raise fixed_property(f"{_STORAGE}.source.{key}")
    for name, asked in disk_sources(storage).items():
        if (name == "os" or int(name) in luns) and asked.lower() != held.get(name, "").lower():
            disk = "osDiskImage" if name == "os" else "dataDiskImages"
            raise fixed_property(f"{_STORAGE}.{disk}.source.id")
    for place, one in enumerate(objects_at(storage, "dataDiskImages", _STORAGE)):
        lun = place if one.get("lun") is None else one["lun"]
        if lun not in luns:
            raise invalid(
                f"Cannot specify new data disk image lun [{str(lun)[:80]}] for update gallery "
                "image version request. To change the data disks, you must create a new gallery "
                "image version.",
                target=f"{_STORAGE}.dataDiskImages",
            )


def require_sources(
    ids: list[str], inventory: Inventory, *, home: str, unknown_exist: bool, is_new: bool
) -> None:
    """Raise the refusal of a source that is gone, or where only known ones count, never was."""
    for one in ids:
        found = inventory.find(one)
        if found is None and unknown_exist:
            if is_new:
                inventory.assume(one)
        elif found is None or not found.exists:
            raise ArmError(
                404,
                "NotFound",
                f"Source was not found: {one[:400]}. Please make sure the source exists.",
            )
        elif is_new and found.region not in (None, home):
            raise ArmError(
                404,
                "NotFound",
                f"Source {one[:400]} is not found. Please check source exists, and is in the same "
                "region as gallery image version being created.",
            )
