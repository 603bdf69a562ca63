"""The resources of the simulated cloud, and what requests do to them."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localcloud.arm.clock import SimulatedClock
from localcloud.arm.errors import ArmError, bad_request, not_found
from localcloud.arm.faults import Faults
from localcloud.arm.regions import Regions
from localcloud.arm.versions import (
    Behaviour,
    Disks,
    ImageVersion,
    check_version_name,
    create_version,
    update_version,
)

DELETE_S = 120.0
_MAX_GALLERIES = 100
_MAX_DEFINITIONS = 1000
_MAX_VERSIONS = 10_000
_GALLERY_NAME = re.compile(r"[A-Za-z0-9](?:[\w.]{0,78}[A-Za-z0-9])?")
_IMAGE_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,78}[A-Za-z0-9_])?")


@dataclass(slots=True, kw_only=True)
class Plain:
    """A gallery or an image definition: a body that is kept as it was sent."""

    id: str
    body: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Operation:
    """An asynchronous operation on a version."""

    version_key: str
    started: datetime
    started_at: float
    deletes: bool = False
    name: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True)
class Cloud:
    """All state; keys are lower-cased ARM ids."""

    clock: SimulatedClock
    regions: Regions
    faults: Faults
    behaviour: Behaviour = field(default_factory=Behaviour)
    galleries: dict[str, Plain] = field(default_factory=dict)
    images: dict[str, Plain] = field(default_factory=dict)
    versions: dict[str, ImageVersion] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    sources: dict[str, Disks] = field(default_factory=dict)

    def put_gallery(self, resource_id: str, body: dict[str, Any], *, merge: bool) -> Plain:
        """Create or update a gallery."""
        name = resource_id.rsplit("/", 1)[-1]
        if not _GALLERY_NAME.fullmatch(name):
            raise bad_request(f"The gallery name '{name[:80]}' is invalid.", target="galleryName")
        subscription = _parent(resource_id, 3)
        siblings = [key for key in self.galleries if key.startswith(f"{subscription}/")]
        if resource_id.lower() not in self.galleries and len(siblings) >= _MAX_GALLERIES:
            raise ArmError(409, "QuotaExceeded", f"The quota is {_MAX_GALLERIES} galleries.")
        unique = f"{resource_id.split('/')[2]}-{name}".upper()
        extra = {"identifier": {"uniqueName": unique}}
        return self._put_plain(
            self.galleries, resource_id, body, "Microsoft.Compute/galleries", extra, merge=merge
        )

    def put_image(self, resource_id: str, body: dict[str, Any], *, merge: bool) -> Plain:
        """Create or update an image definition."""
        self._need(self.galleries, _parent(resource_id, 9), resource_id)
        name = resource_id.rsplit("/", 1)[-1]
        if not _IMAGE_NAME.fullmatch(name):
            raise bad_request(f"The image name '{name[:80]}' is invalid.", target="imageName")
        if resource_id.lower() not in self.images and len(self.images) >= _MAX_DEFINITIONS:
            raise ArmError(409, "QuotaExceeded", f"The quota is {_MAX_DEFINITIONS} images.")
        kind = "Microsoft.Compute/galleries/images"
        properties = body.get("properties")
        if not merge:
            properties = properties if isinstance(properties, dict) else {}
            if properties.get("osState") not in ("Generalized", "Specialized"):
                raise bad_request("osState is Generalized or Specialized", target="osState")
            if not isinstance(properties.get("identifier"), dict):
                raise bad_request("Required parameter 'identifier' is missing (null).")
        return self._put_plain(self.images, resource_id, body, kind, {}, merge=merge)

    def put_version(
        self, resource_id: str, body: dict[str, Any], *, replaces: bool, wall: datetime
    ) -> tuple[ImageVersion, bool]:
        """Create (PUT) or update a version; returns it and whether it is new."""
        check_version_name(resource_id.rsplit("/", 1)[-1])
        self._need(self.images, _parent(resource_id, 11), resource_id)
        now, key = self.clock.now(), resource_id.lower()
        held = self._live(key)
        if held is None:
            if not replaces:
                raise _missing(resource_id)
            if sum(1 for one in self.versions.values() if one.home) >= _MAX_VERSIONS:
                raise ArmError(409, "QuotaExceeded", f"The quota is {_MAX_VERSIONS} versions.")
            version = create_version(
                resource_id,
                body,
                disks=self._disks(body),
                now=now,
                wall=wall,
                regions=self.regions,
                faults=self.faults,
            )
            self.versions[key] = version
            return version, True
        changed = update_version(
            held,
            body,
            replaces=replaces,
            now=now,
            regions=self.regions,
            faults=self.faults,
            behaviour=self.behaviour,
        )
        lost = self.behaviour.concurrent_write == "lose"
        if not (lost and held.provisioning_state(now) == "Updating"):
            self.versions[key] = changed
        return changed, False

    def version(self, resource_id: str) -> ImageVersion:
        """Return a version; raises ArmError 404."""
        found = self._live(resource_id.lower())
        if found is None:
            raise _missing(resource_id)
        return found

    def versions_of(self, image_id: str) -> list[ImageVersion]:
        """Return the versions of a definition, in the order of their names."""
        self._need(self.images, image_id.lower(), image_id)
        prefix = f"{image_id.lower()}/versions/"
        keys = sorted(key for key in self.versions if key.startswith(prefix))
        return [one for key in keys if (one := self._live(key)) is not None]

    def delete_version(self, resource_id: str) -> ImageVersion:
        """Mark a version for deletion; it is gone after a while."""
        version = self.version(resource_id)
        if version.deleting_until is None:
            version.deleting_until = self.clock.now() + DELETE_S
        return version

    def delete_plain(self, kind: dict[str, Plain], resource_id: str) -> bool:
        """Delete a gallery or definition without children; returns whether there was one."""
        key = resource_id.lower()
        children = [*self.images, *(one for one in list(self.versions) if self._live(one))]
        if any(child.startswith(f"{key}/") for child in children):
            raise ArmError(
                409,
                "CannotDeleteResource",
                f"Can not delete resource before nested resources are deleted: {resource_id}",
            )
        return kind.pop(key, None) is not None

    def finished(self, operation: Operation) -> bool:
        """Tell whether an operation is over."""
        version = self._live(operation.version_key)
        if operation.deletes or version is None:
            return version is None
        return version.provisioning_state(self.clock.now()) not in ("Creating", "Updating")

    def _live(self, key: str) -> ImageVersion | None:
        version = self.versions.get(key)
        if version is not None and version.deleting_until is not None:
            if self.clock.now() < version.deleting_until:
                return version
            del self.versions[key]
            return None
        return version

    def _disks(self, body: dict[str, Any]) -> Disks:
        """Return the disks of the source that a creation names."""
        properties = body.get("properties")
        storage = properties.get("storageProfile") if isinstance(properties, dict) else None
        source = storage.get("source") if isinstance(storage, dict) else None
        source_id = source.get("id") if isinstance(source, dict) else None
        return self.sources.get(str(source_id).lower(), Disks())

    def _put_plain(
        self,
        kind: dict[str, Plain],
        resource_id: str,
        body: dict[str, Any],
        type_name: str,
        extra: dict[str, Any],
        *,
        merge: bool,
    ) -> Plain:
        held = kind.get(resource_id.lower())
        if merge and held is None:
            raise _missing(resource_id)
        properties = body.get("properties") or {}
        if not isinstance(properties, dict):
            raise bad_request("properties is an object", target="properties")
        location = body.get("location") or (held.body["location"] if held else None)
        if not isinstance(location, str):
            raise bad_request("The location property is required.", code="LocationRequired")
        old = held.body["properties"] if held and merge else {}
        answer: dict[str, Any] = {
            "name": (held.id if held else resource_id).rsplit("/", 1)[-1],
            "id": held.id if held else resource_id,
            "type": type_name,
            "location": self.regions.resolve(location),
            "properties": {**old, **properties, **extra, "provisioningState": "Succeeded"},
        }
        if body.get("tags") is not None:
            answer["tags"] = body["tags"]
        stored = Plain(id=answer["id"], body=answer)
        kind[resource_id.lower()] = stored
        return stored

    def _need(self, kind: dict[str, Plain], parent: str, resource_id: str) -> None:
        if parent.lower() not in kind:
            raise not_found(
                "Can not perform requested operation on nested resource. Parent resource "
                f"'{parent}' of '{resource_id[:300]}' not found.",
                code="ParentResourceNotFound",
            )


def _parent(resource_id: str, parts: int) -> str:
    return "/".join(resource_id.split("/")[:parts]).lower()


def _missing(resource_id: str) -> ArmError:
    parts = resource_id.split("/")
    return not_found(
        f"The Resource '{'/'.join(parts[6:])[:300]}' under resource group '{parts[4]}' was not "
        "found."
    )
