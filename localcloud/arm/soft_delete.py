"""Soft delete: a gallery's policy, and image versions that a deletion only hid.

The documentation gives seven days, and the switch alone before API version 2026-03-03. What a full
PUT does to a hidden version was seen nowhere: it is refused.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.arm.copying import UPDATE_WITHOUT_COPY_S
from localcloud.arm.errors import ArmError, invalid
from localcloud.arm.json_bodies import flag_at, integer_at, object_at
from localcloud.arm.tracked import location_of, refuse_move
from localcloud.arm.version_writes import Write
from localcloud.arm.versions import Hiding, ImageVersion

RETENTION_DAYS = 7
MAX_DAYS = 10_000
_DAY_S = 86_400.0
_WITHIN = "gallery.properties.softDeletePolicy"
_LISTED_SINCE = "2024-03-03"
_ENDS_SINCE = "2026-03-03"
_DAYS = ("retentionPeriodInDays", "gracePeriodInDays")


def policy_body(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the policy as it is answered; raises ArmError for one that is none."""
    enabled = flag_at(sent, "isSoftDeleteEnabled", _WITHIN)
    days = {key: integer_at(sent, key, _WITHIN, least=0, most=MAX_DAYS) for key in _DAYS}
    if enabled and not days["retentionPeriodInDays"]:
        days["retentionPeriodInDays"] = RETENTION_DAYS
    told = {"isSoftDeleteEnabled": bool(enabled), **days}
    return {key: value for key, value in told.items() if value is not None}


def is_enabled(gallery: Mapping[str, Any]) -> bool:
    """Tell whether a gallery, given by its body, hides what is deleted."""
    policy = gallery["properties"].get("softDeletePolicy") or {}
    return policy.get("isSoftDeleteEnabled") is True


def hiding(gallery: Mapping[str, Any], version: ImageVersion, now: float) -> Hiding | None:
    """Return how a deletion hides a version, None for not at all; raises ArmError 409."""
    if not is_enabled(gallery):
        return None
    if version.state(now) == "Failed":
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Gallery image version '{version.name}' is in provisioning state Failed and cannot be "
            "soft-deleted. Disable soft delete on the gallery to delete it.",
        )
    policy = gallery["properties"]["softDeletePolicy"]
    return Hiding(
        at=datetime.now(UTC),
        retention_days=policy["retentionPeriodInDays"],
        grace_days=policy.get("gracePeriodInDays", 0),
    )


def drop_expired(hidden: dict[str, ImageVersion], now: float) -> None:
    """Forget the versions that nobody restored in time."""
    for name, version in tuple(hidden.items()):
        if version.hiding is not None and version.gone_at is not None:
            days = version.hiding.retention_days + version.hiding.grace_days
            if version.gone_at + days * _DAY_S <= now:
                del hidden[name]


def restored(
    version: ImageVersion, body: dict[str, Any], write: Write, *, replaces: bool
) -> ImageVersion | None:
    """Return a hidden version as a write brings it back; None where it asks for something else.

    A PUT whose properties are empty asks for it, and `properties.restore` by either method.
    """
    properties = object_at(body, "properties", "galleryImageVersion")
    asked = flag_at(properties, "restore", "galleryImageVersion.properties")
    if not asked and not replaces:
        return None
    if any(value for key, value in properties.items() if key != "restore"):
        if not asked and write.behaviour.put_over_hidden == "create":
            return None
        raise ArmError(
            409,
            "Conflict",
            f"A soft-deleted gallery image version '{version.name}' exists. Restore it, or delete "
            "it permanently, before another of its name is created.",
        )
    if replaces:
        refuse_move(location_of(body, write.regions), version.home, version.name)
    publishing = version.publishing
    if write.behaviour.restored_published_date == "new":
        date = write.wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+00:00"
        publishing = {**publishing, "publishedDate": date}
    return replace(
        version,
        publishing=publishing,
        gone_at=None,
        hiding=None,
        verb="Updating",
        changing_until=write.now + UPDATE_WITHOUT_COPY_S,
    )


def soft_deleted_body(version: ImageVersion, api_version: str) -> dict[str, Any]:
    """Return a hidden version as the list of an image definition shows it."""
    if version.hiding is None:
        raise AssertionError(version.id)
    at = version.hiding.at
    properties = {
        "resourceArmId": version.id,
        "softDeletedArtifactType": "Images",
        "softDeletedTime": _whole_second(at),
    }
    if api_version >= _ENDS_SINCE:
        consumable_until = at + timedelta(days=version.hiding.retention_days)
        gone_at = consumable_until + timedelta(days=version.hiding.grace_days)
        properties["consumptionEndTime"] = _whole_second(consumable_until)
        properties["hardDeletionTargetTime"] = _whole_second(gone_at)
    return {
        "name": version.name,
        "id": hidden_id(version.id),
        "type": "Microsoft.Compute/galleries/softDeletedArtifactTypes/artifacts/versions",
        "location": version.home,
        "properties": properties,
    }


def hidden_id(version_id: str) -> str:
    """Return the id under which a hidden version is deleted for good."""
    return version_id.replace("/images/", "/softDeletedArtifactTypes/Images/artifacts/", 1)


def require_listing(api_version: str) -> None:
    """Raise the refusal of an API version that knows no hidden resources."""
    if api_version < _LISTED_SINCE:
        raise invalid(
            f"No registered resource provider found for API version '{api_version}' for type "
            "'galleries/softDeletedArtifactTypes/artifacts/versions'.",
            code="NoRegisteredProviderFound",
        )


def _whole_second(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
