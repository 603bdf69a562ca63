"""Image versions of an Azure Compute Gallery: their ids, target regions and replication status."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from replication.domain.errors import FailureCode, MalformedError
from replication.domain.regions import Region
from replication.domain.target_regions import TargetRegion

MAX_ID_LENGTH = 1024
_MAX_VERSION_PART = 2**31 - 1
_VERSION_PARTS = 3
_KEY_HEX_DIGITS = 32
_SEGMENTS = (
    "subscriptions",
    "resourcegroups",
    "providers",
    "microsoft.compute",
    "galleries",
    "images",
    "versions",
)
# Dots alone would climb up in the path of a URL.
_NAME = re.compile(r"(?!\.+$)[\w.()-]{1,128}")


class MalformedImageVersionIdError(MalformedError, ValueError):
    """A resource id that claims to be an image version and is not a usable one."""


class MalformedImageVersionError(MalformedError, ValueError):
    """An answer about an image version that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageVersionId:
    """The ARM id of a gallery image version, in the letters in which it was first seen.

    `key` is the one under which the version is on record: tables allow no slash in a key. Ids are
    equal when their keys are, which are blind to letter case: ARM writes a resource group now in
    capitals, now as it was created. `gallery_id` is the ARM id of the gallery.
    """

    subscription_id: str = field(compare=False)
    resource_group: str = field(compare=False)
    gallery: str = field(compare=False)
    image: str = field(compare=False)
    version: str = field(compare=False)
    gallery_id: str = field(init=False, repr=False, compare=False)
    key: str = field(init=False, repr=False)
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        gallery_id = (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Compute/galleries/{self.gallery}"
        )
        text = f"{gallery_id}/images/{self.image}/versions/{self.version}"
        digest = hashlib.sha256(text.lower().encode()).hexdigest()
        object.__setattr__(self, "gallery_id", gallery_id)
        object.__setattr__(self, "_text", text)
        object.__setattr__(self, "key", digest[:_KEY_HEX_DIGITS])

    @classmethod
    def parse(cls, resource_id: object) -> Self:
        """Read an ARM resource id of any letter case.

        Raises MalformedImageVersionIdError that names the part which is wrong.
        """
        if not isinstance(resource_id, str) or not resource_id.strip():
            raise MalformedImageVersionIdError("there is no resource id")
        if len(resource_id) > MAX_ID_LENGTH:
            raise MalformedImageVersionIdError(
                f"the resource id has {len(resource_id)} characters, more than {MAX_ID_LENGTH}"
            )
        if not is_image_version_id(resource_id):
            raise MalformedImageVersionIdError(
                f"{resource_id[:200]!r} is not of the form /subscriptions/…/resourceGroups/…"
                "/providers/Microsoft.Compute/galleries/…/images/…/versions/…"
            )
        parts = resource_id.strip().strip("/").split("/")
        subscription_id, resource_group, gallery, image, version = (
            parts[1],
            parts[3],
            parts[7],
            parts[9],
            parts[11],
        )
        for label, value in (
            ("subscription", subscription_id),
            ("resource group", resource_group),
            ("gallery", gallery),
            ("image definition", image),
        ):
            if not _NAME.fullmatch(value):
                raise MalformedImageVersionIdError(f"{value[:80]!r} is not a name of a {label}")
        return cls(
            subscription_id=subscription_id,
            resource_group=resource_group,
            gallery=gallery,
            image=image,
            version=_parse_version(version),
        )

    def __str__(self) -> str:
        return self._text


def is_image_version_id(resource_id: str) -> bool:
    """Tell whether a resource id has the shape of an image version's, wrong names included."""
    parts = resource_id.strip().strip("/").lower().split("/")
    if len(parts) != 2 * len(_SEGMENTS) - 2:
        return False
    fixed = (parts[0], parts[2], parts[4], parts[5], parts[6], parts[8], parts[10])
    return fixed == _SEGMENTS


def _parse_version(version: str) -> str:
    parts = version.split(".")
    well_formed = len(parts) == _VERSION_PARTS and all(
        part.isascii() and part.isdigit() and len(part) <= len(str(_MAX_VERSION_PART))
        for part in parts
    )
    if not well_formed or any(int(part) > _MAX_VERSION_PART for part in parts):
        raise MalformedImageVersionIdError(
            f"{version[:80]!r} is not a version number Major.Minor.Patch of 32-bit integers"
        )
    return version


class ProvisioningState(StrEnum):
    """What ARM is doing with the resource; OTHER stands for words of the future."""

    CREATING = "Creating"
    UPDATING = "Updating"
    MIGRATING = "Migrating"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    DELETING = "Deleting"
    OTHER = "Other"


class CopyState(StrEnum):
    """The state of one regional copy as Azure reports it."""

    UNKNOWN = "Unknown"
    REPLICATING = "Replicating"
    COMPLETED = "Completed"
    FAILED = "Failed"


class ReplicationMode(StrEnum):
    """Full copies the image; Shallow refers to its source and stays in one region."""

    FULL = "Full"
    SHALLOW = "Shallow"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalReplicationStatus:
    """How far the copy in one region is; `progress` in percent, None where not reported.

    `cause` says of a failed copy whether another could do.
    """

    state: CopyState
    progress: int | None = None
    details: str = ""
    cause: FailureCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageVersion:
    """What ARM says about an image version at one moment.

    `size_gb` is the provisioned size of all disks, known when the version is done. `listed` are
    the regions in the list, whether their copies are ready or not. `published_at`: when it was
    created, which no update and no restoring changes.
    """

    id: ImageVersionId
    home_region: Region
    provisioning_state: ProvisioningState
    target_regions: tuple[TargetRegion, ...] = ()
    replication: Mapping[Region, RegionalReplicationStatus] = field(default_factory=dict)
    replication_mode: ReplicationMode = ReplicationMode.FULL
    size_gb: int | None = None
    published_at: datetime | None = None
    may_remove_regions: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    listed: frozenset[Region] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        listed = frozenset([target.region for target in self.target_regions])
        object.__setattr__(self, "listed", listed)

    @property
    def encrypted(self) -> bool:
        """Whether any region's entry carries encryption, which then every region needs."""
        return any(target.entry.get("encryption") for target in self.target_regions)

    @property
    def is_changing(self) -> bool:
        """Whether an update, by whomever, is under way."""
        return self.provisioning_state in (
            ProvisioningState.CREATING,
            ProvisioningState.UPDATING,
            ProvisioningState.MIGRATING,
        )

    @property
    def is_going(self) -> bool:
        """Whether it is being deleted."""
        return self.provisioning_state is ProvisioningState.DELETING
