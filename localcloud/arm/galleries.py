"""What PUT and PATCH do to galleries and image definitions: pure functions."""

import copy
import re
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.errors import fixed_property, invalid
from localcloud.arm.json_bodies import choice_at, object_at, objects_at, text_at
from localcloud.arm.regions import Regions
from localcloud.arm.resource_ids import ResourceId
from localcloud.arm.soft_delete import policy_body
from localcloud.arm.target_regions import require_available
from localcloud.arm.tracked import location_of, refuse_move, tags_of
from localcloud.arm.versions import ImageVersion

_GALLERY = "gallery.properties"
_IMAGE = "galleryImage.properties"
_GALLERY_NAME = re.compile(r"[A-Za-z0-9](?:[\w.]{0,78}[A-Za-z0-9])?", re.ASCII)
_IMAGE_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,78}\w)?", re.ASCII)
_CHOSEN_ONCE = ("osType", "osState", "hyperVGeneration", "architecture", "identifier")
# From this API version on, a new definition is for trusted launch unless it says otherwise.
_TRUSTED_LAUNCH_SINCE = "2025-03-03"
_CHOICES = {
    "osType": ("Windows", "Linux"),
    "osState": ("Generalized", "Specialized"),
    "hyperVGeneration": ("V1", "V2"),
    "architecture": ("x64", "Arm64"),
}


@dataclass(slots=True, kw_only=True)
class Image:
    """An image definition with its versions and the soft-deleted ones, by lower-cased names."""

    body: dict[str, Any]
    versions: dict[str, ImageVersion] = field(default_factory=dict)
    hidden: dict[str, ImageVersion] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Gallery:
    """A gallery with its image definitions, by lower-cased names."""

    body: dict[str, Any]
    images: dict[str, Image] = field(default_factory=dict)


def gallery_body(
    gallery_id: ResourceId,
    body: dict[str, Any],
    held: dict[str, Any] | None,
    regions: Regions,
    *,
    replaces: bool,
) -> dict[str, Any]:
    """Return a gallery's body after a write; `held` is the one before."""
    if not _GALLERY_NAME.fullmatch(gallery_id.gallery):
        raise invalid(
            f"The gallery name '{gallery_id.gallery[:80]}' is invalid: letters, digits, dots and "
            "underscores, at most 80.",
            target="galleryName",
        )
    properties = object_at(body, "properties", "gallery")
    text_at(properties, "description", _GALLERY)
    object_at(properties, "sharingProfile", _GALLERY)
    soft_delete = object_at(properties, "softDeletePolicy", _GALLERY)
    if soft_delete:
        properties = {**properties, "softDeletePolicy": policy_body(soft_delete)}
    ours = {
        "identifier": {"uniqueName": f"{gallery_id.subscription}-{gallery_id.gallery.upper()}"},
        "provisioningState": "Succeeded",
    }
    return _written(
        str(gallery_id),
        "Microsoft.Compute/galleries",
        body,
        {**_kept(held, replaces=replaces), **_sent(properties), **ours},
        held=held,
        regions=regions,
        replaces=replaces,
    )


def image_body(
    image_id: ResourceId,
    body: dict[str, Any],
    held: dict[str, Any] | None,
    regions: Regions,
    *,
    replaces: bool,
    api_version: str,
) -> dict[str, Any]:
    """Return an image definition's body after a write; `held` is the one before."""
    name = str(image_id.image)
    if not _IMAGE_NAME.fullmatch(name):
        raise invalid(
            f"The gallery image name '{name[:80]}' is invalid: letters, digits, dots, dashes and "
            "underscores, at most 80.",
            target="galleryImageName",
        )
    properties = object_at(body, "properties", "galleryImage")
    chosen = {key: choice_at(properties, key, _IMAGE, words) for key, words in _CHOICES.items()}
    identifier = object_at(properties, "identifier", _IMAGE)
    for key in ("publisher", "offer", "sku"):
        text_at(identifier, key, f"{_IMAGE}.identifier")
    objects_at(properties, "features", _IMAGE)
    if replaces:
        _require_definition(chosen, identifier)
    sent = {**_sent(properties), **{key: word for key, word in chosen.items() if word is not None}}
    if held is not None:
        for key in _CHOSEN_ONCE:
            if key in sent and sent[key] != held["properties"].get(key):
                raise fixed_property(f"{_IMAGE}.{key}")
        merged = {**_kept(held, replaces=replaces), **sent}
        for key in (*_CHOSEN_ONCE, "features"):
            if key in held["properties"]:
                merged.setdefault(key, held["properties"][key])
    else:
        merged = {**_usual(sent, api_version), **sent}
    return _written(
        str(image_id),
        "Microsoft.Compute/galleries/images",
        body,
        {**merged, "provisioningState": "Succeeded"},
        held=held,
        regions=regions,
        replaces=replaces,
    )


def _require_definition(chosen: dict[str, str | None], identifier: dict[str, Any]) -> None:
    needed: dict[str, object] = {key: chosen[key] for key in ("osType", "osState")}
    needed |= {f"identifier.{key}": identifier.get(key) for key in ("publisher", "offer", "sku")}
    for key, value in needed.items():
        if not value:
            raise invalid(
                f"Required parameter '{_IMAGE}.{key}' is missing (null).", target=f"{_IMAGE}.{key}"
            )


def _usual(sent: dict[str, Any], api_version: str) -> dict[str, Any]:
    trusted = api_version >= _TRUSTED_LAUNCH_SINCE
    usual: dict[str, Any] = {"hyperVGeneration": "V2" if trusted else "V1", "architecture": "x64"}
    if trusted and sent.get("hyperVGeneration", "V2") == "V2":
        usual["features"] = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    return usual


def _written(
    resource_id: str,
    kind: str,
    body: dict[str, Any],
    properties: dict[str, Any],
    *,
    held: dict[str, Any] | None,
    regions: Regions,
    replaces: bool,
) -> dict[str, Any]:
    held_id = str(held["id"]) if held else resource_id
    name = held_id.rsplit("/", 1)[-1]
    if held is None:
        location = location_of(body, regions)
        require_available(location, regions, "location")
    else:
        location = str(held["location"])
        if replaces:
            refuse_move(location_of(body, regions), location, name)
    tags = tags_of(body)
    if tags is None and held is not None and not replaces:
        tags = held.get("tags")
    written: dict[str, Any] = {"name": name, "id": held_id, "type": kind, "location": location}
    if tags is not None:
        written["tags"] = tags
    return {**written, "properties": copy.deepcopy(properties)}


def _kept(held: dict[str, Any] | None, *, replaces: bool) -> dict[str, Any]:
    return dict(held["properties"]) if held and not replaces else {}


def _sent(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if value is not None}
