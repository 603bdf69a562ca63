"""Gallery image versions: what PUT, PATCH, GET and DELETE do to them."""

import copy
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.arm.copying import (
    UPDATE_WITHOUT_COPY_S,
    Copy,
    copy_duration_s,
    create_duration_s,
)
from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.faults import Faults
from localcloud.arm.regions import Regions
from localcloud.arm.target_regions import complete_target_regions, refuse_removal

DEFAULT_SIZE_GB = 30
MAX_SIZE_GB = 2048
_VERSION = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}")
_MAX_PART = 2**31 - 1
_READ_ONLY = ("publishedDate",)
_FIXED = ("storageAccountType", "replicationMode", "storageAccountStrategy")


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """Where nobody could verify what Azure does, each answer can be had."""

    refuse_region_removal: bool = True
    concurrent_write: str = "accept"
    summary_region_names: str = "short"
    list_page_size: int = 50


@dataclass(slots=True, kw_only=True)
class Disks:
    """The disks of a source: the OS disk's size and those of the data disks, in GB."""

    os_gb: int = DEFAULT_SIZE_GB
    data_gb: tuple[int, ...] = ()

    @property
    def total_gb(self) -> int:
        """The size of all disks."""
        return self.os_gb + sum(self.data_gb)


@dataclass(slots=True, kw_only=True)
class ImageVersion:
    """One version as the service holds it."""

    id: str
    name: str
    home: str
    tags: dict[str, Any] | None
    publishing: dict[str, Any]
    targets: list[dict[str, Any]]
    storage: dict[str, Any]
    safety: dict[str, Any]
    other: dict[str, Any] = field(default_factory=dict)
    disks: Disks
    created_until: float
    changing_until: float = 0.0
    deleting_until: float | None = None
    copies: dict[str, Copy] = field(default_factory=dict)

    def is_creating(self, now: float) -> bool:
        """Tell whether the creation still runs."""
        return now < self.created_until

    def provisioning_state(self, now: float) -> str:
        """Return ARM's word for what it is doing."""
        if self.deleting_until is not None:
            return "Deleting"
        if self.is_creating(now):
            return "Creating"
        if now < max([self.changing_until, *(one.settles_at() for one in self.copies.values())]):
            return "Updating"
        failed = any(one.state(now) == "Failed" for one in self.copies.values())
        return "Failed" if failed else "Succeeded"

    def body(
        self, now: float, regions: Regions, behaviour: Behaviour, *, expand: bool
    ) -> dict[str, Any]:
        """Return the resource as ARM answers it."""
        done = not self.is_creating(now)
        properties: dict[str, Any] = {
            "publishingProfile": {"targetRegions": self.targets, **self.publishing},
            "storageProfile": self._storage_body(done=done),
            "safetyProfile": self.safety,
            **self.other,
            "provisioningState": self.provisioning_state(now),
        }
        if expand:
            properties["replicationStatus"] = self._status(now, regions, behaviour)
        body: dict[str, Any] = {
            "name": self.name,
            "id": self.id,
            "type": "Microsoft.Compute/galleries/images/versions",
            "location": self.home,
        }
        if self.tags is not None:
            body["tags"] = self.tags
        return copy.deepcopy({**body, "properties": properties})

    def _storage_body(self, *, done: bool) -> dict[str, Any]:
        storage = copy.deepcopy(self.storage)
        os_disk = {"hostCaching": "ReadWrite", "source": {}, **(storage.get("osDiskImage") or {})}
        os_disk.pop("sizeInGB", None)
        data_disks = [
            {"lun": lun, "hostCaching": "None", "source": {}}
            for lun, _ in enumerate(self.disks.data_gb)
        ]
        if done:
            os_disk = {"sizeInGB": self.disks.os_gb, **os_disk}
            data_disks = [
                {"sizeInGB": size, **disk}
                for size, disk in zip(self.disks.data_gb, data_disks, strict=True)
            ]
        storage["osDiskImage"] = os_disk
        if data_disks:
            storage["dataDiskImages"] = data_disks
        return storage

    def _status(self, now: float, regions: Regions, behaviour: Behaviour) -> dict[str, Any]:
        summary = []
        for target in self.targets:
            name = regions.resolve(target["name"])
            one = self.copies.get(name)
            if one is None:
                continue
            short = behaviour.summary_region_names == "short"
            summary.append(
                {
                    "region": name if short else target["name"],
                    "state": one.state(now),
                    "details": one.details(now),
                    "progress": one.progress(now),
                }
            )
        words = {entry["state"] for entry in summary}
        if "Replicating" in words:
            aggregated = "InProgress"
        elif "Failed" in words:
            aggregated = "Failed"
        else:
            aggregated = "Completed" if words else "Unknown"
        return {"aggregatedState": aggregated, "summary": summary}


def check_version_name(name: str) -> None:
    """Raise ArmError for a name that is no version number."""
    if not _VERSION.fullmatch(name) or any(int(part) > _MAX_PART for part in name.split(".")):
        raise bad_request(
            f"The gallery image version name '{name[:80]}' is invalid. Name must be in the format "
            "Major.Minor.Patch, of 32-bit integers.",
            target="galleryImageVersionName",
        )


def create_version(
    version_id: str,
    body: dict[str, Any],
    *,
    disks: Disks,
    now: float,
    wall: datetime,
    regions: Regions,
    faults: Faults,
) -> ImageVersion:
    """Return a new version; raises ArmError for what the service refuses."""
    location = body.get("location")
    if not isinstance(location, str) or not location.strip():
        raise bad_request("The location property is required.", code="LocationRequired")
    home = regions.resolve(location)
    properties = _object(body, "properties")
    publishing = _object(properties, "publishingProfile")
    storage = _object(properties, "storageProfile")
    if not storage.get("source") and not storage.get("osDiskImage"):
        raise bad_request(
            "Required parameter 'galleryImageVersion.properties.storageProfile' is missing (null).",
            target="galleryImageVersion.properties.storageProfile",
        )
    if disks.total_gb > MAX_SIZE_GB:
        raise bad_request(
            f"The gallery image version source resource size {disks.total_gb} exceeds the max "
            f"size {MAX_SIZE_GB} supported."
        )
    profile = _publishing(publishing, wall)
    raw = publishing.get("targetRegions") or [{"name": home}]
    targets = complete_target_regions(
        raw,
        home=home,
        default_count=profile["replicaCount"],
        default_type=profile["storageAccountType"],
        existing=[],
        regions=regions,
    )
    version = ImageVersion(
        id=version_id,
        name=version_id.rsplit("/", 1)[-1],
        home=home,
        tags=_tags(body),
        publishing=profile,
        targets=targets,
        storage=copy.deepcopy(storage),
        safety=_safety(_object(properties, "safetyProfile")),
        other={
            key: copy.deepcopy(properties[key]) for key in ("securityProfile",) if key in properties
        },
        disks=disks,
        created_until=now + create_duration_s(disks.total_gb),
    )
    version.copies[home] = Copy(started_at=now, duration_s=create_duration_s(disks.total_gb))
    # Copies to the other regions start when the home region has the image.
    _start_copies(version, version.created_until, regions, faults)
    return version


def update_version(
    version: ImageVersion,
    body: dict[str, Any],
    *,
    replaces: bool,
    now: float,
    regions: Regions,
    faults: Faults,
    behaviour: Behaviour,
) -> ImageVersion:
    """Return the version as a PUT (`replaces`) or PATCH leaves it; the old one is not touched."""
    if version.deleting_until is not None:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Operation 'Update Gallery Image Version' is not allowed on {version.name}; since "
            "it is marked for deletion.",
        )
    if behaviour.concurrent_write == "conflict" and version.provisioning_state(now) in (
        "Creating",
        "Updating",
    ):
        raise ArmError(
            409,
            "Conflict",
            "The request failed due to conflict with a concurrent request. To resolve it, please "
            "refer to https://aka.ms/activitylog to get more details on the conflicting requests.",
        )
    properties = _object(body, "properties")
    publishing = _object(properties, "publishingProfile")
    changed = copy.deepcopy(version)
    _check_source(version, _object(properties, "storageProfile"))
    _check_fixed(version, publishing)
    for key, value in publishing.items():
        if key not in (*_READ_ONLY, *_FIXED, "targetRegions") and value is not None:
            changed.publishing[key] = value
    if "safetyProfile" in properties:
        changed.safety = _safety({**version.safety, **_object(properties, "safetyProfile")})
    if "tags" in body or replaces:
        changed.tags = _tags(body)
    if publishing.get("targetRegions"):
        changed.targets = complete_target_regions(
            publishing["targetRegions"],
            home=version.home,
            default_count=changed.publishing["replicaCount"],
            default_type=changed.publishing["storageAccountType"],
            existing=version.targets,
            regions=regions,
        )
        allowed = changed.safety["allowDeletionOfReplicatedLocations"]
        if behaviour.refuse_region_removal and not allowed:
            refuse_removal(version.targets, changed.targets, version.name, regions)
        listed = {regions.resolve(one["name"]) for one in changed.targets}
        changed.copies = {name: one for name, one in changed.copies.items() if name in listed}
        _start_copies(changed, max(now, version.created_until), regions, faults)
    if changed.copies == version.copies:
        changed.changing_until = max(now, version.created_until) + UPDATE_WITHOUT_COPY_S
    return changed


def _start_copies(version: ImageVersion, at: float, regions: Regions, faults: Faults) -> None:
    """Start copies for regions that have none, and anew for those whose copy failed."""
    for target in version.targets:
        name = regions.resolve(target["name"])
        old = version.copies.get(name)
        if old is not None and old.state(at) != "Failed":
            continue
        minutes_per_gb = regions.behaviour[name].minutes_per_gb
        version.copies[name] = Copy(
            started_at=at,
            duration_s=copy_duration_s(version.disks.total_gb, minutes_per_gb),
            outcome=faults.for_copy(name),
        )


def _publishing(raw: dict[str, Any], wall: datetime) -> dict[str, Any]:
    count = raw.get("replicaCount", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 100:  # noqa: PLR2004
        raise bad_request(
            f"The value {count!r} of parameter 'replicaCount' is out of range. The value must be "
            "between 1 and 100, inclusive."
        )
    kept = {key: copy.deepcopy(value) for key, value in raw.items() if value is not None}
    for key in ("targetRegions", "publishedDate"):
        kept.pop(key, None)
    return {
        "excludeFromLatest": False,
        "storageAccountType": "Standard_LRS",
        **kept,
        "replicaCount": count,
        "publishedDate": wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "1+00:00",
    }


def _safety(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "reportedForPolicyViolation": False,
        "allowDeletionOfReplicatedLocations": False,
        **{key: value for key, value in raw.items() if value is not None},
    }


def _check_source(version: ImageVersion, storage: dict[str, Any]) -> None:
    """Refuse another source; one that is left out stays."""
    sent = storage.get("source")
    if not isinstance(sent, dict) or not sent.get("id"):
        return
    held = (version.storage.get("source") or {}).get("id", "")
    if str(sent["id"]).lower() != str(held).lower():
        raise ArmError(
            409,
            "PropertyChangeNotAllowed",
            "Changing property 'galleryImageVersion.properties.storageProfile.source.id' is not "
            "allowed.",
            target="galleryImageVersion.properties.storageProfile.source.id",
        )


def _check_fixed(version: ImageVersion, publishing: dict[str, Any]) -> None:
    for key in _FIXED:
        if publishing.get(key) is not None and publishing[key] != version.publishing.get(
            key, "Full" if key == "replicationMode" else None
        ):
            raise ArmError(
                409,
                "PropertyChangeNotAllowed",
                "Changing property "
                f"'galleryImageVersion.properties.publishingProfile.{key}' is not allowed.",
                target=f"galleryImageVersion.properties.publishingProfile.{key}",
            )


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"{name} is an object", target=name)
    return value


def _tags(body: dict[str, Any]) -> dict[str, Any] | None:
    return dict(_object(body, "tags")) if body.get("tags") is not None else None
