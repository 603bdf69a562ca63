"""Which resource a path means: letter case ignored, names kept as they were written."""

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Self

from localcloud.arm.errors import invalid

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_GROUP_NAME = re.compile(r"[\w.()-]{0,89}[\w()-]")
_VERSION_NAME = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}", re.ASCII)
_LARGEST_PART = 2**31 - 1
_SHOWN = 80


class Kind(Enum):
    """What a path leads to."""

    SUBSCRIPTIONS = auto()
    SUBSCRIPTION = auto()
    LOCATIONS = auto()
    PROVIDER = auto()
    GALLERIES = auto()
    GALLERY = auto()
    IMAGES = auto()
    IMAGE = auto()
    VERSIONS = auto()
    VERSION = auto()
    GROUP = auto()
    HIDDEN_VERSIONS = auto()
    HIDDEN_VERSION = auto()
    OPERATION = auto()


_COMPUTE = "subscriptions/{subscription}/providers/microsoft.compute"
_GROUPED = "subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.compute"
_HIDDEN = (
    f"{_GROUPED}/galleries/{{gallery}}/softdeletedartifacttypes/images/artifacts/{{image}}/versions"
)
_PATHS: tuple[tuple[Kind, str], ...] = (
    (Kind.SUBSCRIPTIONS, "subscriptions"),
    (Kind.SUBSCRIPTION, "subscriptions/{subscription}"),
    (Kind.LOCATIONS, "subscriptions/{subscription}/locations"),
    (Kind.PROVIDER, _COMPUTE),
    (Kind.GALLERIES, f"{_COMPUTE}/galleries"),
    (Kind.GALLERIES, f"{_GROUPED}/galleries"),
    (Kind.GALLERY, f"{_GROUPED}/galleries/{{gallery}}"),
    (Kind.IMAGES, f"{_GROUPED}/galleries/{{gallery}}/images"),
    (Kind.IMAGE, f"{_GROUPED}/galleries/{{gallery}}/images/{{image}}"),
    (Kind.VERSIONS, f"{_GROUPED}/galleries/{{gallery}}/images/{{image}}/versions"),
    (Kind.VERSION, f"{_GROUPED}/galleries/{{gallery}}/images/{{image}}/versions/{{version}}"),
    (Kind.GROUP, "subscriptions/{subscription}/resourcegroups/{group}"),
    (Kind.HIDDEN_VERSIONS, _HIDDEN),
    (Kind.HIDDEN_VERSION, f"{_HIDDEN}/{{version}}"),
    (Kind.OPERATION, f"{_COMPUTE}/locations/{{location}}/capsoperations/{{operation}}"),
)
_BY_LENGTH = [(kind, tuple(path.split("/"))) for kind, path in _PATHS]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceId:
    """A gallery, an image definition in it, or a version of that."""

    subscription: str
    group: str
    gallery: str
    image: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        text = (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Compute/galleries/{self.gallery}"
        )
        if self.image is not None:
            text += f"/images/{self.image}"
        return text if self.version is None else f"{text}/versions/{self.version}"

    @property
    def relative(self) -> str:
        """Return the part that ARM names in a 404."""
        return str(self).split("/providers/", 1)[1]

    @property
    def parent(self) -> Self:
        """Return the definition of a version, or the gallery of a definition."""
        return replace(self, version=None, image=self.image if self.version else None)

    @property
    def gallery_key(self) -> str:
        """Return what tells galleries apart."""
        return f"{self.subscription}/{self.group}/{self.gallery}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a path leads to, and the names in it."""

    kind: Kind
    names: dict[str, str]

    @property
    def subscription(self) -> str:
        """Return the subscription id, in lower case; empty where the path has none."""
        return self.names.get("subscription", "").lower()

    @property
    def resource_id(self) -> ResourceId:
        """Return the gallery, definition or version."""
        names = self.names
        return ResourceId(
            subscription=names["subscription"],
            group=names["group"],
            gallery=names["gallery"],
            image=names.get("image"),
            version=names.get("version"),
        )


def parse_path(path: str) -> Route | None:
    """Return where a path leads, None for nowhere; raises ArmError for names that cannot be."""
    segments = path.strip("/").split("/")
    for kind, pattern in _BY_LENGTH:
        names = _matched(segments, pattern)
        if names is not None:
            _check(names)
            return Route(kind=kind, names=names)
    return None


def require_version_name(name: str) -> None:
    """Raise ArmError for a name that is no version number."""
    if not _VERSION_NAME.fullmatch(name) or any(
        int(part) > _LARGEST_PART for part in name.split(".")
    ):
        raise invalid(
            f"The gallery image version name '{name[:_SHOWN]}' is invalid. Its format is "
            "<MajorVersion>.<MinorVersion>.<Patch>, three numbers of 32 bits.",
            target="galleryImageVersionName",
        )


def _matched(segments: list[str], pattern: tuple[str, ...]) -> dict[str, str] | None:
    if len(segments) != len(pattern):
        return None
    names: dict[str, str] = {}
    for segment, expected in zip(segments, pattern, strict=True):
        if expected.startswith("{"):
            names[expected[1:-1]] = segment
        elif segment.lower() != expected:
            return None
    return names if all(names.values()) else None


def _check(names: dict[str, str]) -> None:
    subscription = names.get("subscription")
    if subscription is not None and not _GUID.fullmatch(subscription):
        raise invalid(
            f"The provided subscription identifier '{subscription[:_SHOWN]}' is malformed or "
            "invalid.",
            code="InvalidSubscriptionId",
        )
    group = names.get("group")
    if group is not None and not _GROUP_NAME.fullmatch(group):
        raise invalid(
            f"The resource group name '{group[:_SHOWN]}' is invalid.", code="InvalidResourceGroup"
        )
