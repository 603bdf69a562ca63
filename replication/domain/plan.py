"""Plan the regions of an image version: which are wanted, which are there, which are left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replication.domain.image_version import ImageVersion, ImageVersionId, ReplicationMode
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import Region, RegionCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRegion:
    """A region in which the version is to be usable."""

    region: Region
    already_listed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutRegion:
    """A region that one could expect in the plan, and why it is not."""

    region: Region
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationPlan:
    """Where a version is to be, with the reason for every region and for the whole."""

    image_version_id: ImageVersionId
    home_region: Region
    geography: str | None
    wanted: tuple[WantedRegion, ...]
    left_out: tuple[LeftOutRegion, ...]
    reason: str
    catalog_source: str
    wanted_regions: frozenset[Region] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wanted_regions", frozenset([one.region for one in self.wanted]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSubject:
    """What planning needs to know of a version; only the id and the home region are certain."""

    id: ImageVersionId
    home_region: Region
    listed: frozenset[Region] = frozenset()
    encrypted: bool = False
    shallow: bool = False

    @classmethod
    def of(cls, version: ImageVersion) -> "PlanSubject":
        """Describe a version that was read from Azure."""
        return cls(
            id=version.id,
            home_region=version.home_region,
            listed=version.listed,
            encrypted=version.encrypted,
            shallow=version.replication_mode is ReplicationMode.SHALLOW,
        )


def plan(
    subject: PlanSubject,
    policy: ReplicationPolicy,
    catalog: RegionCatalog,
    withheld: Mapping[Region, str] | None = None,
) -> ReplicationPlan:
    """Plan every other region of the geography, and the policy's extra regions.

    `withheld` maps regions that may not be added now (learned from a refusal, or removed by
    someone) to the reason. A region that is listed already is never left out for a reason that
    only speaks against adding it.
    """
    geography = catalog.geography_of(subject.home_region)
    neighbours = catalog.same_geography(subject.home_region)
    wanted: list[WantedRegion] = []
    left_out: list[LeftOutRegion] = []
    out_of_scope = policy.why_out_of_scope(subject.id)
    if out_of_scope is None:
        candidates = dict.fromkeys(neighbours, f"in the geography {geography}")
        for region in policy.extra_regions - {subject.home_region}:
            candidates.setdefault(region, "an extra region of the policy")
        for region, reason in sorted(candidates.items()):
            against = _why_not(region, subject, policy, catalog, withheld or {})
            if region in subject.listed and against is None:
                wanted.append(
                    WantedRegion(region=region, already_listed=True, reason="already listed")
                )
            elif against is None:
                wanted.append(WantedRegion(region=region, already_listed=False, reason=reason))
            else:
                left_out.append(LeftOutRegion(region=region, reason=against))
    return ReplicationPlan(
        image_version_id=subject.id,
        home_region=subject.home_region,
        geography=geography,
        wanted=tuple(wanted),
        left_out=tuple(left_out),
        reason=out_of_scope or _summary(subject, geography, wanted, left_out),
        catalog_source=catalog.source,
    )


def _why_not(  # noqa: PLR0911 - one guard for each reason
    region: Region,
    subject: PlanSubject,
    policy: ReplicationPolicy,
    catalog: RegionCatalog,
    withheld: Mapping[Region, str],
) -> str | None:
    if region in policy.denied_regions:
        return "denied by the policy" + (
            "; it is listed already and stays" if region in subject.listed else ""
        )
    if region in subject.listed:
        return None
    if region in withheld:
        return withheld[region]
    if catalog.details and region not in catalog.details:
        return f"no physical region of this cloud is called {region}"
    if not catalog.offers(region):
        return "Microsoft.Compute offers no gallery image versions there to this subscription"
    if subject.shallow:
        return "a shallow version refers to its source and stays in its home region"
    if subject.encrypted:
        return "the version is encrypted and no disk encryption set is named for this region"
    return None


def _summary(
    subject: PlanSubject,
    geography: str | None,
    wanted: list[WantedRegion],
    left_out: list[LeftOutRegion],
) -> str:
    if geography is None:
        place = f"the home region {subject.home_region} belongs to no known geography"
    elif not wanted and not left_out:
        return f"{geography} has one region, so there is nothing to replicate to"
    else:
        place = f"home region {subject.home_region} in {geography}"
    missing = sum(1 for one in wanted if not one.already_listed)
    return (
        f"{place}: {missing} to add, {len(wanted) - missing} already listed, "
        f"{len(left_out)} left out"
    )
