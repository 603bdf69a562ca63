"""Regions of every geography, and what is known against them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bootstrap.app import App
from dashboard.views.common import Cooldown, FailingRegion, HeldRegion, Refused, shared
from replication.domain.policy import ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region, RegionCatalog


class Health(StrEnum):
    """What is known of a region, the worst first."""

    HELD = "held"
    REFUSED = "refused"
    FAILING = "failing"
    DENIED = "denied"
    EXTRA = "extra"
    FINE = "fine"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionCell:
    """A region of the matrix; `failed_versions` counts copies that failed there lately."""

    region: str
    name: str
    health: Health
    failed_versions: int

    @property
    def is_troubled(self) -> bool:
        """Whether it needs a look."""
        return self.health in _TROUBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class GeographyRow:
    """A geography and its regions; the name is empty for regions of none that is known."""

    geography: str
    regions: tuple[RegionCell, ...]

    @property
    def is_troubled(self) -> bool:
        """Whether something there needs a look."""
        return any(one.is_troubled for one in self.regions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """The matrix, with the geographies that have trouble first, and the trouble in detail."""

    at: datetime
    source: str
    geographies: tuple[GeographyRow, ...]
    held: tuple[HeldRegion, ...]
    failing: tuple[FailingRegion, ...]
    refused: tuple[Refused, ...]
    cooldowns: tuple[Cooldown, ...]


_TROUBLE = (Health.HELD, Health.REFUSED, Health.FAILING)


def regions(app: App, now: datetime) -> Regions:
    """Read what is known of the regions; Azure is not asked."""
    found = shared(app.shared_state, now, app.settings.limits)
    failures = {Region(one.region): one.failed_versions for one in found.held}
    failures |= {Region(one.region): one.failed_versions for one in found.failing}
    catalog = shipped_catalog()
    return Regions(
        at=now,
        source=catalog.source,
        geographies=matrix(
            catalog,
            app.policy,
            failures,
            held=frozenset(one.region for one in found.held),
            refused=frozenset(one.region for one in found.refused),
        ),
        held=found.held,
        failing=found.failing,
        refused=found.refused,
        cooldowns=found.cooldowns,
    )


def matrix(
    catalog: RegionCatalog,
    policy: ReplicationPolicy,
    failures: Mapping[Region, int],
    *,
    held: frozenset[str],
    refused: frozenset[str],
) -> tuple[GeographyRow, ...]:
    """Return every region by its geography, those with trouble first."""
    by_geography: dict[str, list[RegionCell]] = defaultdict(list)
    named = {Region(name) for name in held | refused}
    for region in sorted({*catalog.details, *failures, *named}):
        count = failures.get(region, 0)
        if region.name in held:
            health = Health.HELD
        elif region.name in refused:
            health = Health.REFUSED
        elif count:
            health = Health.FAILING
        elif region in policy.denied_regions:
            health = Health.DENIED
        else:
            health = Health.EXTRA if region in policy.extra_regions else Health.FINE
        cell = RegionCell(
            region=region.name,
            name=catalog.display_name(region),
            health=health,
            failed_versions=count,
        )
        by_geography[catalog.geography_of(region) or ""].append(cell)
    rows = (
        GeographyRow(geography=name, regions=tuple(cells)) for name, cells in by_geography.items()
    )
    return tuple(
        sorted(rows, key=lambda row: (not row.is_troubled, -len(row.regions), row.geography))
    )
