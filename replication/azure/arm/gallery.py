"""Azure Compute Gallery through azure-mgmt-compute."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import GalleryImageVersion

from replication.azure.arm.clients import ArmClients
from replication.azure.arm.errors import classify
from replication.azure.arm.image_version import read_version
from replication.azure.arm.not_found import answers_absent
from replication.domain.errors import GoneError, TransientError
from replication.domain.image_version import (
    ImageVersion,
    ImageVersionId,
    MalformedImageVersionError,
    MalformedImageVersionIdError,
)
from replication.domain.regions import InvalidRegionNameError, Region, RegionCatalog
from replication.ports import UnreadPart
from replication.telemetry.log import log_outcome

_SUBSCRIPTION_ID = re.compile(r"[0-9a-zA-Z-]{1,64}")
# subscriptions, id, resourceGroups, name, providers, Microsoft.Compute, galleries, name
_GALLERY_ID_PARTS = 8


def _raw_body(response: Any, _model: Any, _headers: Any) -> Any:
    """Hand out the JSON itself: models would drop what this SDK does not know yet."""
    return response.http_response.json()


@dataclass(frozen=True, slots=True)
class ArmGallery:
    """Implements the Gallery port."""

    clients: ArmClients

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        client = self.clients.compute(version_id.subscription_id)
        try:
            body: Any = client.gallery_image_versions.get(
                version_id.resource_group,
                version_id.gallery,
                version_id.image,
                version_id.version,
                expand="ReplicationStatus",
                cls=_raw_body,
            )
        except AzureError as error:
            meant = classify(error, about=version_id)
            if isinstance(meant, GoneError) or _is_absent(error):
                return None
            raise meant from error
        except (ValueError, RecursionError) as error:
            raise TransientError(f"ARM answered no JSON: {error}", code="not_json") from error
        if not isinstance(body, Mapping):
            raise TransientError("ARM answered no JSON object", code="not_json")
        try:
            return read_version(version_id, body, catalog)
        except (MalformedImageVersionError, InvalidRegionNameError) as error:
            raise TransientError(f"ARM's answer: {error}", code="malformed_answer") from error

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        client = self.clients.compute(version_id.subscription_id)
        body: Any = {
            "properties": {
                "publishingProfile": {"targetRegions": list(entries)},
                # Required by the model; empty, so that the source is not stated again.
                "storageProfile": {},
            }
        }
        try:
            client.gallery_image_versions.begin_update(
                version_id.resource_group,
                version_id.gallery,
                version_id.image,
                version_id.version,
                body,
                polling=False,
            )
        except AzureError as error:
            asked_for = [Region.parse(entry["name"]) for entry in entries]
            raise classify(error, about=version_id, asked_for=asked_for) from error
        except RecursionError as error:
            raise TransientError(f"ARM answered no JSON: {error}", code="not_json") from error

    def versions(
        self, subscription_id: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        client = self.clients.compute(subscription_id)
        for gallery in _items(client.galleries.list(), "the galleries"):
            if isinstance(gallery, UnreadPart):
                yield gallery
                continue
            place = _group_and_name(str(gallery.id))
            if place is not None:
                yield from self._versions_of(client, *place, catalog)

    def _versions_of(
        self, client: ComputeManagementClient, group: str, name: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        images = client.gallery_images.list_by_gallery(group, name)
        for image in _items(images, f"gallery {name}", may_be_gone=True):
            if isinstance(image, UnreadPart):
                yield image
                continue
            pages = client.gallery_image_versions.list_by_gallery_image(
                group, name, str(image.name)
            )
            for model in _items(pages, f"image {name}/{image.name}", may_be_gone=True):
                version = model if isinstance(model, UnreadPart) else _listed(model, catalog)
                if version is not None:
                    yield version

    def subscriptions(self) -> tuple[str, ...]:
        found = []
        for one in _items(self.clients.subscriptions().subscriptions.list(), "subscriptions"):
            if isinstance(one, UnreadPart):
                raise one.error
            if _SUBSCRIPTION_ID.fullmatch(str(one.subscription_id or "")):
                found.append(str(one.subscription_id))
        return tuple(found)


def _items[Item](
    pages: Iterable[Item], name: str, *, may_be_gone: bool = False
) -> Iterator[Item | UnreadPart]:
    """Go through a list, page by page; what was deleted since its parent's list holds nothing."""
    try:
        for item in pages:
            if hasattr(item, "as_dict"):
                yield item
            else:  # an entry that is no object is handed out as it came
                log_outcome("gallery.unreadable_entry", level=logging.WARNING, part=name)
    except AzureError as error:
        if not (may_be_gone and _is_absent(error)):
            yield UnreadPart(name=name, error=classify(error))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:  # of another shape
        unreadable = TransientError(f"ARM answered no list: {error}", code="not_json")
        yield UnreadPart(name=name, error=unreadable)


def _is_absent(error: AzureError) -> bool:
    """Tell whether a read found nothing; another 404 tells of no version, gallery or image."""
    if not isinstance(error, ResourceNotFoundError):
        return False
    return answers_absent(str(getattr(error.error, "code", None) or ""))


def _group_and_name(gallery_id: str) -> tuple[str, str] | None:
    """Return where a gallery is; one whose id cannot be read is logged and left out."""
    parts = gallery_id.strip("/").split("/")
    if len(parts) == _GALLERY_ID_PARTS:
        return parts[3], parts[-1]
    log_outcome("gallery.unreadable", level=logging.WARNING, id=gallery_id[:200])
    return None


def _listed(model: GalleryImageVersion, catalog: RegionCatalog) -> ImageVersion | None:
    """Read one version of a list; one that cannot be read is logged and must not stop the rest."""
    body: Mapping[str, Any] = {"id": model.id}
    try:
        body = model.as_dict()
        return read_version(ImageVersionId.parse(body.get("id")), body, catalog)
    except (
        MalformedImageVersionError,
        MalformedImageVersionIdError,
        InvalidRegionNameError,
        RecursionError,
    ) as error:
        log_outcome(
            "gallery.unreadable_version",
            level=logging.WARNING,
            id=str(body.get("id"))[:200],
            reason=str(error),
        )
        return None
