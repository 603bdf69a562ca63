"""Builders of ids, ARM bodies, events and catalogs for tests."""

from datetime import UTC, datetime
from typing import Any

from replication.domain.errors import (
    ConflictError,
    ThrottledError,
    TransientError,
    UnknownAnswerError,
)
from replication.domain.image_version import ImageVersionId
from replication.intake.events import RESOURCE_WRITTEN, ReceivedEvent

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
US_NEIGHBOURS = [
    "centralus",
    "eastus2",
    "northcentralus",
    "southcentralus",
    "westcentralus",
    "westus",
    "westus2",
    "westus3",
]


def version_id(
    *, gallery: str = "labgallery", image: str = "maths", version: str = "1.0.0"
) -> ImageVersionId:
    return ImageVersionId(
        subscription_id=SUBSCRIPTION,
        resource_group="labs-rg",
        gallery=gallery,
        image=image,
        version=version,
    )


def version_body(
    *,
    location: str = "eastus",
    regions: list[dict[str, Any]] | None = None,
    state: str = "Succeeded",
    size_gb: int = 127,
    mode: str = "Full",
    may_remove: bool = False,
) -> dict[str, Any]:
    """Return an image version as ARM answers it; the home region alone unless told."""
    home = {"name": "East US" if location == "eastus" else location, "regionalReplicaCount": 1}
    return {
        "id": str(version_id()),
        "location": location,
        "properties": {
            "provisioningState": state,
            "publishingProfile": {
                "targetRegions": regions if regions is not None else [home],
                "replicationMode": mode,
            },
            "storageProfile": {"osDiskImage": {"sizeInGB": size_gb}},
            "safetyProfile": {"allowDeletionOfReplicatedLocations": may_remove},
        },
    }


def written_event(
    target: ImageVersionId | str, *, event_id: str = "event-1", at: datetime | None = None
) -> ReceivedEvent:
    return ReceivedEvent(
        id=event_id,
        type=RESOURCE_WRITTEN,
        subject=str(target),
        at=at,
        data={
            "resourceUri": str(target),
            "operationName": "Microsoft.Compute/galleries/images/versions/write",
            "correlationId": "corr-1",
            "claims": {"name": "Casey Teacher"},
        },
    )


_KINDS: dict[str, type[TransientError]] = {
    "throttled": ThrottledError,
    "conflict": ConflictError,
    "unknown": UnknownAnswerError,
    "failed": TransientError,
}


def passing_error(
    kind: str, message: str, *, code: str, retry_after_s: float | None = None
) -> TransientError:
    """Return an error that may pass: `throttled`, `conflict`, `unknown` or `failed`."""
    return _KINDS[kind](message, code=code, retry_after_s=retry_after_s)
