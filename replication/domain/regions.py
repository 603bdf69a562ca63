"""Regions, the geographies they belong to, and the names under which Azure speaks of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeIs

from replication.domain.errors import FailureCode, MalformedError, PermanentError

MAX_NAME_LENGTH = 90


# A ValueError too: whoever reads documents asks for those.
class InvalidRegionNameError(MalformedError, ValueError):
    """A text that cannot be the name of a region."""


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """An Azure region by its short name, such as `westus2`."""

    name: str

    @classmethod
    def parse(cls, text: object) -> Self:
        """Normalise a short or display name: "West US 2" is `westus2`.

        Raises InvalidRegionNameError for anything that cannot be a name.
        """
        if not isinstance(text, str):
            raise InvalidRegionNameError(f"a region name is a text, not {type(text).__name__}")
        name = "".join(text.casefold().split())
        if not name:
            raise InvalidRegionNameError("a region name is empty")
        if len(name) > MAX_NAME_LENGTH or not name.isprintable():
            raise InvalidRegionNameError(f"{text[:40]!r} cannot be a region name")
        return cls(name)

    def __str__(self) -> str:
        return self.name


class RegionRefusedError(PermanentError):
    """Some of the regions asked for may not be used: `regions`, which is empty if none is named."""

    def __init__(self, message: str, *, code: FailureCode, regions: Iterable[Region] = ()) -> None:
        super().__init__(message, code=code)
        self.regions = frozenset(regions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionDetails:
    """What a region is called in print and the geography it lies in."""

    region: Region
    display_name: str
    geography: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionCatalog:
    """The physical regions of a cloud, and which of them offer gallery image versions.

    `offered` is None when the subscription's provider could not be asked.
    `source` says in words where the list comes from and of which day it is.
    """

    details: Mapping[Region, RegionDetails]
    aliases: Mapping[str, Region] = field(default_factory=dict)
    offered: frozenset[Region] | None = None
    source: str

    def resolve(self, text: object) -> Region:
        """Return the region that a short or display name means.

        Display names differ from the short name in more than spaces for some regions, so the
        catalog's own names come first. Raises InvalidRegionNameError.
        """
        parsed = Region.parse(text)
        return self.aliases.get(parsed.name, parsed)

    def geography_of(self, region: Region) -> str | None:
        """Return the geography's name, or None for a region that is not in the catalog."""
        details = self.details.get(region)
        return details.geography if details else None

    def same_geography(self, region: Region) -> tuple[Region, ...]:
        """Return the other regions of the region's geography, in the order of their names."""
        geography = self.geography_of(region)
        if geography is None:
            return ()
        return tuple(
            sorted(
                other.region
                for other in self.details.values()
                if other.geography == geography and other.region != region
            )
        )

    def offers(self, region: Region) -> bool:
        """Tell whether gallery image versions can be replicated to the region, as far as known."""
        return self.offered is None or region in self.offered

    def display_name(self, region: Region) -> str:
        """Return the name for print; the short name where the catalog has none."""
        details = self.details.get(region)
        return details.display_name if details else region.name


def build_catalog(
    locations: Iterable[Mapping[str, Any]],
    *,
    provider_locations: Iterable[str] | None,
    source: str,
) -> RegionCatalog:
    """Build the catalog from the entries of ARM's list-locations.

    Logical regions, stages and canaries are left out. Regions are grouped by
    `metadata.geography`: the geographyGroup is wider (all of Europe), and pairs cross borders
    (brazilsouth is paired with southcentralus).
    """
    details: dict[Region, RegionDetails] = {}
    aliases: dict[str, Region] = {}
    for entry in locations:
        found = _physical_region(entry)
        if found is None:
            continue
        details[found.region] = found
        for label in ("displayName", "regionalDisplayName"):
            called = _region_or_none(entry.get(label))
            if called is not None:
                aliases.setdefault(called.name, found.region)
    # A short name always means itself, whatever another region is called in print.
    aliases.update({region.name: region for region in details})
    offered = None
    if provider_locations is not None:
        named = (_region_or_none(name) for name in provider_locations)
        offered = frozenset(aliases[one.name] for one in named if one and one.name in aliases)
    return RegionCatalog(details=details, aliases=aliases, offered=offered, source=source)


def _region_or_none(name: object) -> Region | None:
    """Return the region of a name; one entry that cannot be read must not hide the others."""
    try:
        return Region.parse(name)
    except InvalidRegionNameError:
        return None


def _physical_region(entry: Mapping[str, Any]) -> RegionDetails | None:
    metadata = entry.get("metadata")
    region = _region_or_none(entry.get("name"))
    if not isinstance(metadata, Mapping) or region is None:
        return None
    geography = metadata.get("geography")
    # Most logical entries have no geography; nine logical stages do.
    if metadata.get("regionType") != "Physical" or not _is_label(geography):
        return None
    is_test_ring = geography.startswith(("Stage", "Canary")) or region.name.endswith(
        ("euap", "stg", "stage")
    )
    if is_test_ring:
        return None
    display_name = entry.get("displayName")
    return RegionDetails(
        region=region,
        display_name=display_name if _is_label(display_name) else region.name,
        geography=geography,
    )


def _is_label(text: object) -> TypeIs[str]:
    """Tell whether a text can be shown and kept as a name."""
    return isinstance(text, str) and 0 < len(text) <= MAX_NAME_LENGTH and text.isprintable()
