"""What PUT and PATCH do to an image version: pure functions, the clock an argument."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from localcloud.arm.behaviour import Behaviour
from localcloud.arm.copying import UPDATE_WITHOUT_COPY_S, Copy, Ending, copy_s, creation_s
from localcloud.arm.errors import ArmError, fixed_property, invalid
from localcloud.arm.json_bodies import (
    choice_at,
    flag_at,
    integer_at,
    object_at,
    objects_at,
    text_at,
)
from localcloud.arm.regions import Regions
from localcloud.arm.surroundings.encryption import Encrypted, check_encryption
from localcloud.arm.surroundings.end_of_life import checked_end_of_life
from localcloud.arm.surroundings.inventory import Inventory
from localcloud.arm.surroundings.sources import (
    disk_sources,
    refuse_other_disks,
    require_one_source,
    require_sources,
    source_ids,
)
from localcloud.arm.target_regions import (
    MAX_REPLICAS,
    PUBLISHING,
    STORAGE_TYPES,
    TargetDefaults,
    complete_target_regions,
    refuse_removal,
)
from localcloud.arm.tracked import location_of, refuse_move, tags_of
from localcloud.arm.versions import Disk, Disks, ImageVersion

DEFAULT_DISK_GB = 30
MAX_DISK_GB = 2048
_ROOT = "galleryImageVersion"
_STORAGE = f"{_ROOT}.properties.storageProfile"
_SAFETY = f"{_ROOT}.properties.safetyProfile"
_STRATEGIES = ("PreferStandard_ZRS", "DefaultStandard_LRS")
_OURS = ("targetRegions", "publishedDate", "replicaCount", "excludeFromLatest")
_FIXED = {"storageAccountType": STORAGE_TYPES, "replicationMode": ("Full", "Shallow")} | {
    "storageAccountStrategy": _STRATEGIES
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """The surroundings of a write: simulated and wall time, and how a region's copy will end."""

    now: float
    wall: datetime
    regions: Regions
    inventory: Inventory
    behaviour: Behaviour
    ending_of_copy: Callable[[str], Ending]


def create_version(version_id: str, body: dict[str, Any], write: Write) -> ImageVersion:
    """Return the version that a PUT creates; raises ArmError for what the service refuses."""
    home = location_of(body, write.regions)
    properties = object_at(body, "properties", _ROOT)
    storage = object_at(properties, "storageProfile", f"{_ROOT}.properties")
    sources = require_one_source(storage)
    disks = _disks(storage, sources, write.inventory)
    published = write.wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+00:00"
    sent = object_at(properties, "publishingProfile", f"{_ROOT}.properties")
    publishing = _publishing(sent, {}, published, write.wall)
    targets = complete_target_regions(
        _targets(sent) or [{"name": home}],
        held=[],
        defaults=_defaults(home, publishing),
        regions=write.regions,
    )
    _check_encryption(_encrypted(version_id, home, disks, []), targets, write)
    require_sources(
        sources,
        write.inventory,
        home=home,
        unknown_exist=write.behaviour.unknown_resources == "exist",
        is_new=True,
    )
    creation = Copy(
        started_at=write.now,
        duration_s=creation_s(disks.total_gb),
        ending=write.ending_of_copy(home),
        with_tail=False,
    )
    version = ImageVersion(
        id=version_id,
        name=version_id.rsplit("/", 1)[-1],
        home=home,
        tags=tags_of(body),
        publishing=publishing,
        targets=targets,
        source=copy.deepcopy(object_at(storage, "source", _STORAGE)),
        safety=_safety(object_at(properties, "safetyProfile", f"{_ROOT}.properties"), {}),
        other=_other(properties),
        disks=disks,
        copies={home: creation},
    )
    return replace(version, copies=_copies(version, write))


def update_version(
    held: ImageVersion, body: dict[str, Any], write: Write, *, replaces: bool
) -> ImageVersion:
    """Return the version as a PUT (`replaces`) or a PATCH leaves it.

    What a PATCH does not send stays; target regions are replaced as a whole by both, and stay
    where none are sent. Raises ArmError for what the service refuses.
    """
    _refuse_by_state(held, write)
    if replaces:
        refuse_move(location_of(body, write.regions), held.home, held.name)
    properties = object_at(body, "properties", _ROOT)
    storage = object_at(properties, "storageProfile", f"{_ROOT}.properties")
    refuse_other_disks(held.source, held.disks.sources, set(held.disks.luns), storage)
    sent = object_at(properties, "publishingProfile", f"{_ROOT}.properties")
    _refuse_fixed(held, sent)
    kept = {key: held.publishing[key] for key in _FIXED if key in held.publishing}
    publishing = _publishing(
        sent, kept if replaces else held.publishing, held.publishing["publishedDate"], write.wall
    )
    safety = object_at(properties, "safetyProfile", f"{_ROOT}.properties")
    changed = replace(
        held,
        publishing=publishing,
        safety=_safety(safety, {} if replaces and safety else held.safety),
        other={**held.other, **_other(properties)},
        tags=tags_of(body) if replaces or body.get("tags") is not None else held.tags,
        verb="Updating",
    )
    targets = _targets(sent)
    if targets:
        changed = replace(
            changed,
            targets=complete_target_regions(
                targets,
                held=held.targets,
                defaults=_defaults(held.home, publishing),
                regions=write.regions,
            ),
        )
        allowed = changed.safety["allowDeletionOfReplicatedLocations"]
        if write.behaviour.refuse_region_removal and not allowed:
            refuse_removal(held.targets, changed.targets, held.name, write.regions)
        of = _encrypted(held.id, held.home, held.disks, held.targets)
        _check_encryption(of, changed.targets, write)
        _require_sources_of_new_regions(held, changed, write)
    changed = replace(changed, copies=_copies(changed, write))
    if set(changed.copies.items()) <= set(held.copies.items()):
        changed = replace(changed, changing_until=write.now + UPDATE_WITHOUT_COPY_S)
    return changed


def write_note(
    held: ImageVersion | None, written: ImageVersion, regions: Regions, *, now: float, kept: bool
) -> dict[str, Any]:
    """Return what the request log says of a write that was accepted, in short region names.

    `held` are the regions in the list before it with the state of their copies, `sent` those in its
    own list, `will_fail` the copies it started that are going to fail; `kept` False is a write that
    was answered and forgotten.
    """
    before = held.copies if held is not None else {}
    listed = [regions.resolve(one["name"]) for one in held.targets] if held is not None else []
    started = {name: one for name, one in written.copies.items() if before.get(name) is not one}
    return {
        "held": {name: before[name].state(now) for name in listed},
        "sent": [regions.resolve(one["name"]) for one in written.targets],
        "will_fail": [name for name, one in started.items() if one.ending == "Failed"],
        "kept": kept,
    }


def _copies(version: ImageVersion, write: Write) -> dict[str, Copy]:
    """Return a copy for each region: a new one where there was none or it failed."""
    now, regions, total_gb = write.now, write.regions, version.disks.total_gb
    home = version.copies[version.home]
    if home.state(now) == "Failed":
        home = replace(home, started_at=now, ending=write.ending_of_copy(version.home))
    copies = {version.home: home}
    for target in version.targets:
        name = regions.resolve(target["name"])
        old = version.copies.get(name)
        if name == version.home:
            continue
        if old is not None and old.state(now) != "Failed":
            copies[name] = old
            continue
        # All copy from the home region, once it has the image.
        started_at = max(now, home.settles_at())
        if home.ending == "Failed":
            copies[name] = Copy(started_at=started_at, duration_s=0.0, ending="Failed")
            continue
        copies[name] = Copy(
            started_at=started_at,
            duration_s=copy_s(total_gb, regions.behaviour_of(name).minutes_per_gb),
            ending=write.ending_of_copy(name),
        )
    return copies


def _refuse_by_state(held: ImageVersion, write: Write) -> None:
    state = held.state(write.now)
    if state == "Deleting":
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Operation 'Update Gallery Image Version' is not allowed on {held.name}; since it is "
            "marked for deletion.",
        )
    if write.behaviour.concurrent_write == "conflict" and state in ("Creating", "Updating"):
        raise ArmError(
            409,
            "Conflict",
            "The request failed due to conflict with a concurrent request. To resolve it, please "
            "refer to https://aka.ms/activitylog to get more details on the conflicting requests.",
        )


def _encrypted(version_id: str, home: str, disks: Disks, held: list[dict[str, Any]]) -> Encrypted:
    luns = frozenset(disks.luns) if disks.is_complete else None
    subscription = version_id.split("/")[2]
    return Encrypted(subscription=subscription, home=home, luns=luns, held=held)


def _check_encryption(of: Encrypted, targets: list[dict[str, Any]], write: Write) -> None:
    known = write.behaviour.unknown_resources == "exist"
    check_encryption(targets, of, write.inventory, write.regions, unknown_exist=known)


def _require_sources_of_new_regions(
    held: ImageVersion, changed: ImageVersion, write: Write
) -> None:
    """Raise the refusal of new regions once the source is gone."""
    before = {write.regions.resolve(one["name"]) for one in held.targets}
    after = {write.regions.resolve(one["name"]) for one in changed.targets}
    if after - before and write.behaviour.new_regions_need_source:
        require_sources(
            source_ids(held.source) or list(held.disks.sources.values()),
            write.inventory,
            home=held.home,
            unknown_exist=True,
            is_new=False,
        )


def _refuse_fixed(held: ImageVersion, sent: dict[str, Any]) -> None:
    usual = {"replicationMode": "Full", "storageAccountStrategy": "DefaultStandard_LRS"}
    for key, choices in _FIXED.items():
        asked = choice_at(sent, key, PUBLISHING, choices)
        if asked is not None and asked != held.publishing.get(key, usual.get(key)):
            raise fixed_property(f"{PUBLISHING}.{key}")


def _publishing(
    sent: dict[str, Any], held: dict[str, Any], published: str, wall: datetime
) -> dict[str, Any]:
    """Return the profile without its regions, in the order of recorded answers."""
    count = integer_at(sent, "replicaCount", PUBLISHING, least=1, most=MAX_REPLICAS)
    excluded = flag_at(sent, "excludeFromLatest", PUBLISHING)
    fixed = {key: choice_at(sent, key, PUBLISHING, choices) for key, choices in _FIXED.items()}
    end = text_at(sent, "endOfLifeDate", PUBLISHING)
    if end is not None and end != held.get("endOfLifeDate"):
        end = checked_end_of_life(end, f"{PUBLISHING}.endOfLifeDate", wall)
    held = {**held, **{key: value for key, value in fixed.items() if value is not None}}
    extras = {
        key: copy.deepcopy(value)
        for key, value in sent.items()
        if value is not None and key not in _OURS and key not in _FIXED
    }
    return {
        "replicaCount": count or held.get("replicaCount", 1),
        "excludeFromLatest": bool(held.get("excludeFromLatest") if excluded is None else excluded),
        "publishedDate": published,
        "storageAccountType": held.get("storageAccountType", "Standard_LRS"),
        **{key: value for key, value in held.items() if key not in _OURS},
        **extras,
        **({} if end is None else {"endOfLifeDate": end}),
    }


def _defaults(home: str, publishing: dict[str, Any]) -> TargetDefaults:
    return TargetDefaults(
        home=home,
        replica_count=publishing["replicaCount"],
        storage_type=publishing["storageAccountType"],
    )


def _targets(sent: dict[str, Any]) -> list[dict[str, Any]]:
    return objects_at(sent, "targetRegions", PUBLISHING)


def _safety(sent: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    asked = {
        key: value
        for key in ("allowDeletionOfReplicatedLocations", "blockDeletionBeforeEndOfLife")
        if (value := flag_at(sent, key, _SAFETY)) is not None
    }
    return {
        "allowDeletionOfReplicatedLocations": False,
        "reportedForPolicyViolation": False,
        "policyViolations": [],
        "blockDeletionBeforeEndOfLife": False,
        **held,
        **asked,
    }


def _other(properties: dict[str, Any]) -> dict[str, Any]:
    security = object_at(properties, "securityProfile", f"{_ROOT}.properties")
    return {"securityProfile": copy.deepcopy(security)} if security else {}


def _disks(storage: dict[str, Any], sources: list[str], inventory: Inventory) -> Disks:
    """Return the disks, as the body states them; data disks that it leaves out are the source's."""
    system = _disk(object_at(storage, "osDiskImage", _STORAGE), f"{_STORAGE}.osDiskImage")
    stated = objects_at(storage, "dataDiskImages", _STORAGE)
    data = [_disk(one, f"{_STORAGE}.dataDiskImages") for one in stated]
    named = [int(one.stated.get("lun", place)) for place, one in enumerate(data)]
    if len(set(named)) < len(named):
        raise invalid(
            "Duplicated lun numbers have been detected in the input data disks. Lun number must be "
            "unique for each data disk.",
            target=f"{_STORAGE}.dataDiskImages",
        )
    found = inventory.find(sources[0]) if sources and not data else None
    read_off = found.disks if found is not None else None
    if read_off:
        data = [
            Disk(size_gb=size, stated={"lun": lun}, is_read_off=True)
            for lun, size in sorted(read_off.items())
        ]
    return Disks(
        system=system,
        data=tuple(data),
        is_complete=bool(data) or read_off is not None,
        sources=disk_sources(storage),
    )


def _disk(sent: dict[str, Any], within: str) -> Disk:
    size = integer_at(sent, "sizeInGB", within, least=1, most=2**31 - 1) or DEFAULT_DISK_GB
    if size > MAX_DISK_GB:
        raise invalid(
            f"The gallery image version source resource size {size} exceeds the max size "
            f"{MAX_DISK_GB} supported."
        )
    text_at(sent, "hostCaching", within)
    object_at(sent, "source", within)
    integer_at(sent, "lun", within, least=0, most=63)
    stated = {
        key: copy.deepcopy(value)
        for key, value in sent.items()
        if value is not None and key != "sizeInGB"
    }
    return Disk(size_gb=size, stated=stated)
