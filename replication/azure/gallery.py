"""Azure Compute Gallery through azure-mgmt-compute."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError

from replication.azure.arm_clients import ArmClients
from replication.azure.arm_errors import classify
from replication.errors import TransientError
from replication.image_version import (
    ImageVersion,
    ImageVersionId,
    MalformedImageVersionError,
    MalformedImageVersionIdError,
)
from replication.log import log_outcome
from replication.regions import InvalidRegionNameError, Region, RegionCatalog


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
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise classify(error) from error
        except ValueError as error:
            raise TransientError(f"ARM answered no JSON: {error}", code="not_json") from error
        if not isinstance(body, Mapping):
            raise TransientError("ARM answered no JSON object", code="not_json")
        try:
            return ImageVersion.from_arm(version_id, body, catalog)
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
            raise classify(error, asked_for=asked_for) from error

    def versions(self, subscription_id: str, catalog: RegionCatalog) -> Iterator[ImageVersion]:
        client = self.clients.compute(subscription_id)
        for gallery in _items(client.galleries.list()):
            group, name = _group_and_name(str(gallery.id))
            images = client.gallery_images.list_by_gallery(group, name)
            for image in _items(images, may_be_gone=True):
                pages = client.gallery_image_versions.list_by_gallery_image(
                    group, name, str(image.name)
                )
                for model in _items(pages, may_be_gone=True):
                    version = _listed(model.as_dict(), catalog)
                    if version is not None:
                        yield version

    def subscriptions(self) -> tuple[str, ...]:
        found = _items(self.clients.subscriptions().subscriptions.list())
        return tuple(str(one.subscription_id) for one in found if one.subscription_id)


def _items[Item](pages: Iterable[Item], *, may_be_gone: bool = False) -> Iterator[Item]:
    """Go through a list, page by page; what was deleted since its parent's list holds nothing."""
    try:
        yield from pages
    except AzureError as error:
        if not (may_be_gone and isinstance(error, ResourceNotFoundError)):
            raise classify(error) from error
    except (ValueError, TypeError, AttributeError) as error:  # an answer of another shape
        raise TransientError(f"ARM answered no list: {error}", code="not_json") from error


def _group_and_name(gallery_id: str) -> tuple[str, str]:
    parts = gallery_id.strip("/").split("/")
    return parts[3], parts[-1]


def _listed(body: Mapping[str, Any], catalog: RegionCatalog) -> ImageVersion | None:
    """Read one version of a list; one that cannot be read is logged and must not stop the rest."""
    try:
        return ImageVersion.from_arm(ImageVersionId.parse(body.get("id")), body, catalog)
    except (
        MalformedImageVersionError,
        MalformedImageVersionIdError,
        InvalidRegionNameError,
    ) as error:
        log_outcome("gallery.unreadable_version", id=str(body.get("id"))[:200], reason=str(error))
        return None
