"""The resources of the simulated cloud, and what requests do to them."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from localcloud.arm import soft_delete
from localcloud.arm.errors import ArmError, quota
from localcloud.arm.galleries import Gallery, Image, gallery_body, image_body
from localcloud.arm.groups import Groups
from localcloud.arm.regions import Regions
from localcloud.arm.resource_ids import ResourceId, require_version_name
from localcloud.arm.surroundings.inventory import Inventory, Resource
from localcloud.arm.version_writes import Write, create_version, update_version
from localcloud.arm.versions import ImageVersion

DELETE_S = 120.0
MAX_GALLERIES = 100
MAX_IMAGES = 1_000
MAX_VERSIONS = 10_000


@dataclass(slots=True)
class Cloud:
    """All galleries; a version that is deleted goes when its time has come."""

    regions: Regions
    max_galleries: int = MAX_GALLERIES
    max_images: int = MAX_IMAGES
    max_versions: int = MAX_VERSIONS
    groups: Groups = field(init=False)
    inventory: Inventory = field(init=False)
    _galleries: dict[str, Gallery] = field(default_factory=dict)
    _version_count: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.groups = Groups(self.regions)
        self.inventory = Inventory(self.regions)

    def subscriptions(self) -> set[str]:
        """Return the subscriptions that have galleries."""
        return {key.split("/", 1)[0] for key in self._galleries}

    def galleries(self, subscription: str, group: str | None) -> list[dict[str, Any]]:
        """Return the bodies of the galleries in a subscription, or in one group of it."""
        prefix = f"{subscription}/{group}/" if group else f"{subscription}/"
        return [
            self._galleries[key].body
            for key in sorted(self._galleries)
            if key.startswith(prefix.lower())
        ]

    def gallery(self, resource_id: ResourceId) -> Gallery:
        """Return a gallery; raises ArmError 404."""
        found = self._galleries.get(resource_id.gallery_key)
        if found is None:
            raise _not_found(resource_id)
        return found

    def image(self, resource_id: ResourceId) -> Image:
        """Return an image definition; raises ArmError 404."""
        gallery = self._galleries.get(resource_id.gallery_key)
        found = gallery.images.get(str(resource_id.image).lower()) if gallery else None
        if found is None:
            raise _not_found(resource_id)
        return found

    def version(self, resource_id: ResourceId, now: float) -> ImageVersion:
        """Return a version; raises ArmError 404."""
        found = self.find_version(resource_id, now)
        if found is None:
            raise _not_found(resource_id)
        return found

    def find_version(self, resource_id: ResourceId, now: float) -> ImageVersion | None:
        """Return a version if it is there."""
        gallery = self._galleries.get(resource_id.gallery_key)
        image = gallery.images.get(str(resource_id.image).lower()) if gallery else None
        if image is None:
            return None
        name = str(resource_id.version).lower()
        found = image.versions.get(name)
        if found is not None and found.gone_at is not None and found.gone_at <= now:
            self._forget(resource_id, image, name)
            return None
        return found

    def version_page(
        self, image_id: ResourceId, *, after: str, size: int, now: float
    ) -> tuple[list[ImageVersion], str | None]:
        """Return some versions by name, and the name to go on after if there are more."""
        image = self.image(image_id)
        for name in [one.name for one in image.versions.values() if one.gone_at is not None]:
            self.find_version(replace(image_id, version=name), now)
        return page_of(image.versions, after=after, size=size)

    def put_gallery(
        self, resource_id: ResourceId, body: dict[str, Any], *, replaces: bool
    ) -> tuple[dict[str, Any], bool]:
        """Create or update a gallery; returns its body and whether it is new."""
        key = resource_id.gallery_key
        held = self._galleries.get(key)
        if held is None:
            if not replaces:
                raise _not_found(resource_id)
            prefix = f"{resource_id.subscription.lower()}/"
            if sum(one.startswith(prefix) for one in self._galleries) >= self.max_galleries:
                raise quota("galleries in a subscription", self.max_galleries)
        written = gallery_body(
            resource_id, body, held.body if held else None, self.regions, replaces=replaces
        )
        if held is None:
            self._galleries[key] = Gallery(body=written)
        else:
            held.body = written
        return written, held is None

    def put_image(
        self, resource_id: ResourceId, body: dict[str, Any], *, replaces: bool, api_version: str
    ) -> tuple[dict[str, Any], bool]:
        """Create or update an image definition; returns its body and whether it is new."""
        gallery = self._galleries.get(resource_id.gallery_key)
        if gallery is None:
            raise _no_parent(resource_id)
        name = str(resource_id.image).lower()
        held = gallery.images.get(name)
        if held is None:
            if not replaces:
                raise _not_found(resource_id)
            prefix = f"{resource_id.subscription.lower()}/"
            in_subscription = sum(
                len(one.images) for key, one in self._galleries.items() if key.startswith(prefix)
            )
            if in_subscription >= self.max_images:
                raise quota("image definitions in a subscription", self.max_images)
        written = image_body(
            resource_id,
            body,
            held.body if held else None,
            self.regions,
            replaces=replaces,
            api_version=api_version,
        )
        if held is None:
            gallery.images[name] = Image(body=written)
        else:
            held.body = written
        return written, held is None

    def put_version(
        self,
        resource_id: ResourceId,
        body: dict[str, Any],
        write: Write,
        *,
        replaces: bool,
        lose: bool,
    ) -> tuple[ImageVersion, bool]:
        """Create or update a version; returns it and whether it is new.

        With `lose` the write is answered as if it were done, and forgotten.
        """
        require_version_name(str(resource_id.version))
        gallery = self._galleries.get(resource_id.gallery_key)
        image = gallery.images.get(str(resource_id.image).lower()) if gallery else None
        if image is None:
            raise _no_parent(resource_id)
        held = self.find_version(resource_id, write.now)
        name = str(resource_id.version).lower()
        if held is None:
            back = self._restored(image, name, body, write, replaces=replaces)
            if back is not None:
                if not lose:
                    del image.hidden[name]
                    image.versions[name] = back
                    self._version_count[resource_id.subscription.lower(), back.home] += 1
                    self._record(back, exists=True)
                return back, False
            if not replaces:
                raise _not_found(resource_id)
            created = create_version(str(resource_id), body, write)
            place = (resource_id.subscription.lower(), created.home)
            if self._version_count[place] >= self.max_versions:
                raise quota("image versions in a subscription and region", self.max_versions)
            if not lose:
                image.versions[name] = created
                image.hidden.pop(name, None)
                self._version_count[place] += 1
                self._record(created, exists=True)
            return created, True
        changed = update_version(held, body, write, replaces=replaces)
        is_busy = held.state(write.now) in ("Creating", "Updating")
        if not lose and not (is_busy and write.behaviour.concurrent_write == "lose"):
            image.versions[name] = changed
        return changed, False

    def delete_version(
        self, resource_id: ResourceId, now: float, *, lose: bool, for_good: bool = False
    ) -> ImageVersion | None:
        """Mark a version for deletion and return it, None if there is none.

        `lose` forgets the deletion; `for_good` hides nothing, whatever the gallery's policy.
        """
        held = self.find_version(resource_id, now)
        if held is None or held.gone_at is not None:
            return held
        gallery = self.gallery(resource_id).body
        hiding = None if for_good else soft_delete.hiding(gallery, held, now)
        marked = replace(held, gone_at=now + DELETE_S, hiding=hiding)
        if not lose:
            self.image(resource_id).versions[str(resource_id.version).lower()] = marked
        return marked

    def delete_gallery(self, resource_id: ResourceId) -> dict[str, Any] | None:
        """Delete an empty gallery; None if there is none."""
        held = self._galleries.get(resource_id.gallery_key)
        if held is None:
            return None
        if held.images:
            raise _nested(held.body, [one.body["id"] for one in held.images.values()])
        return self._galleries.pop(resource_id.gallery_key).body

    def delete_image(self, resource_id: ResourceId, now: float) -> dict[str, Any] | None:
        """Delete an image definition without versions; None if there is none."""
        gallery = self._galleries.get(resource_id.gallery_key)
        name = str(resource_id.image).lower()
        held = gallery.images.get(name) if gallery else None
        if gallery is None or held is None:
            return None
        self.version_page(resource_id, after="", size=1, now=now)
        nested = [one.id for one in held.versions.values()]
        if soft_delete.is_enabled(gallery.body):
            hidden = self.hidden_page(resource_id, after="", size=3, now=now)[0]
            nested += [soft_delete.hidden_id(one.id) for one in hidden]
        if nested:
            raise _nested(held.body, nested)
        return gallery.images.pop(name).body

    def hidden_page(
        self, image_id: ResourceId, *, after: str, size: int, now: float
    ) -> tuple[list[ImageVersion], str | None]:
        """Return some soft-deleted versions by name, and the name to go on after if any."""
        self.version_page(image_id, after="", size=1, now=now)
        hidden = self.image(image_id).hidden
        soft_delete.drop_expired(hidden, now)
        return page_of(hidden, after=after, size=size)

    def delete_hidden(self, resource_id: ResourceId, now: float) -> ImageVersion | None:
        """Delete a soft-deleted version for good; None if there is none."""
        self.hidden_page(resource_id.parent, after="", size=1, now=now)
        return self.image(resource_id).hidden.pop(str(resource_id.version).lower(), None)

    @staticmethod
    def _restored(
        image: Image, name: str, body: dict[str, Any], write: Write, *, replaces: bool
    ) -> ImageVersion | None:
        soft_delete.drop_expired(image.hidden, write.now)
        hidden = image.hidden.get(name)
        if hidden is None:
            return None
        return soft_delete.restored(hidden, body, write, replaces=replaces)

    def _record(self, version: ImageVersion, *, exists: bool) -> None:
        """Keep the inventory up to date: a version may be the source of another."""
        disks = version.disks
        sizes = {lun: one.size_gb for lun, one in zip(disks.luns, disks.data, strict=True)}
        self.inventory.record(Resource(id=version.id, exists=exists, disks=sizes))

    def _forget(self, resource_id: ResourceId, image: Image, name: str) -> None:
        gone = image.versions.pop(name)
        self._record(gone, exists=False)
        if gone.hiding is not None:
            image.hidden[name] = gone
        self._version_count[resource_id.subscription.lower(), gone.home] -= 1


def page_of[T](entries: Mapping[str, T], *, after: str, size: int) -> tuple[list[T], str | None]:
    """Return the entries whose keys follow `after`, and the key to go on after if there are more.

    Entries that come or go between two pages neither shift the others nor show twice.
    """
    keys = sorted(entries)
    start = bisect_right(keys, after)
    chosen = keys[start : start + size]
    more = start + size < len(keys)
    return [entries[key] for key in chosen], chosen[-1] if more else None


def _not_found(resource_id: ResourceId) -> ArmError:
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_id.relative[:400]}' under resource group '{resource_id.group}' "
        "was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def _no_parent(resource_id: ResourceId) -> ArmError:
    return ArmError(
        404,
        "ParentResourceNotFound",
        "Can not perform requested operation on nested resource. Parent resource "
        f"'{resource_id.parent.relative[:400]}' not found.",
    )


def _nested(body: dict[str, Any], children: list[str]) -> ArmError:
    listed = ", ".join(f"'{one}'" for one in children[:3])
    return ArmError(
        409,
        "CannotDeleteResource",
        f"Can not delete resource '{body['id']}' before nested resources are deleted. "
        f"{len(children)} remain, among them {listed}.",
    )
