import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.azure.arm.image_version import read_version
from replication.domain.image_version import ImageVersion
from replication.domain.plan import PlanSubject, ReplicationPlan, plan
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region, RegionCatalog, build_catalog
from replication.domain.target_regions import NewRegion
from tests.support.builders import US_NEIGHBOURS, version_body, version_id
from tests.support.strategies import REGIONS, image_versions

CATALOG = shipped_catalog()


def planned(
    home: str = "eastus",
    *,
    policy: ReplicationPolicy | None = None,
    catalog: RegionCatalog = CATALOG,
    withheld: dict[Region, str] | None = None,
    listed: frozenset[Region] = frozenset(),
    encrypted: bool = False,
    shallow: bool = False,
) -> ReplicationPlan:
    subject = PlanSubject(
        id=version_id(),
        home_region=Region(home),
        listed=listed,
        encrypted=encrypted,
        shallow=shallow,
    )
    return plan(subject, policy or ReplicationPolicy(), catalog, withheld)


def left_out(one: ReplicationPlan) -> dict[str, str]:
    return {left.region.name: left.reason for left in one.left_out}


def test_every_other_region_of_the_geography_is_wanted() -> None:
    one = planned()
    assert [wanted.region.name for wanted in one.wanted] == US_NEIGHBOURS
    assert {wanted.reason for wanted in one.wanted} == {"in the geography United States"}
    assert one.reason == (
        "home region eastus in United States: 8 to add, 0 already listed, 0 left out"
    )
    assert one.catalog_source == "the shipped snapshot of 2026-03-12"


def test_a_geography_with_one_region_gives_an_empty_plan_with_that_reason() -> None:
    one = planned("polandcentral")
    assert (one.wanted, one.left_out) == ((), ())
    assert one.reason == "Poland has one region, so there is nothing to replicate to"


def test_a_home_region_that_nobody_knows_gives_an_empty_plan_with_that_reason() -> None:
    one = planned("mars")
    assert one.wanted == ()
    assert one.reason.startswith("the home region mars belongs to no known geography")


def test_a_gallery_out_of_scope_gives_an_empty_plan_with_that_reason() -> None:
    one = planned(policy=ReplicationPolicy(galleries=GalleryScope(detach=("lab*",))))
    assert (one.wanted, one.left_out) == ((), ())
    assert one.reason == "gallery labgallery is detached by the policy ('lab*')"


def test_what_is_listed_is_there_already_even_where_nothing_could_be_added() -> None:
    one = planned(
        listed=frozenset({Region("westus2")}),
        withheld={Region("westus2"): "refused"},
        encrypted=True,
    )
    (wanted,) = one.wanted
    assert (wanted.region.name, wanted.already_listed, wanted.reason) == (
        "westus2",
        True,
        "already listed",
    )


def test_denied_regions_are_left_out_and_stay_where_they_are() -> None:
    denied = frozenset({Region("westus2"), Region("westus3")})
    one = planned(
        policy=ReplicationPolicy(denied_regions=denied), listed=frozenset({Region("westus3")})
    )
    assert left_out(one) == {
        "westus2": "denied by the policy",
        "westus3": "denied by the policy; it is listed already and stays",
    }


def test_extra_regions_of_the_policy_are_wanted_except_the_home_region() -> None:
    extra = frozenset({Region("swedencentral"), Region("eastus"), Region("westus2")})
    one = planned("polandcentral", policy=ReplicationPolicy(extra_regions=extra))
    assert {wanted.reason for wanted in one.wanted} == {"an extra region of the policy"}
    assert (
        Region("eastus")
        not in planned(policy=ReplicationPolicy(extra_regions=extra)).wanted_regions
    )


def test_an_extra_region_that_does_not_exist_is_left_out_by_name() -> None:
    one = planned(policy=ReplicationPolicy(extra_regions=frozenset({Region("mars")})))
    assert left_out(one) == {"mars": "no physical region of this cloud is called mars"}


def test_withheld_regions_are_left_out_with_what_was_learned() -> None:
    one = planned(withheld={Region("westus3"): "Azure refused it"})
    assert left_out(one) == {"westus3": "Azure refused it"}


def test_regions_that_the_provider_does_not_offer_are_left_out() -> None:
    entries = [
        {
            "name": name,
            "displayName": name,
            "metadata": {"regionType": "Physical", "geography": "United States"},
        }
        for name in ("eastus", "westus2", "westus3")
    ]
    catalog = build_catalog(entries, provider_locations=["westus3"], source="a test")
    one = planned(catalog=catalog)
    assert [wanted.region.name for wanted in one.wanted] == ["westus3"]
    assert left_out(one) == {
        "westus2": "Microsoft.Compute offers no gallery image versions there to this subscription"
    }


@pytest.mark.parametrize(
    ("shallow", "encrypted", "said"),
    [
        (True, False, "a shallow version refers to its source and stays in its home region"),
        (False, True, "the version is encrypted and no disk encryption set is named"),
    ],
)
def test_versions_that_cannot_go_elsewhere_stay(
    *, shallow: bool, encrypted: bool, said: str
) -> None:
    one = planned(shallow=shallow, encrypted=encrypted)
    assert one.wanted == ()
    assert all(reason.startswith(said) for reason in left_out(one).values())
    assert len(one.left_out) == 8


def test_a_version_read_from_azure_is_planned_by_all_it_says() -> None:
    body = version_body(
        regions=[{"name": "East US", "encryption": {"osDiskImage": {}}}], mode="Shallow"
    )
    subject = PlanSubject.of(read_version(version_id(), body, CATALOG))
    assert subject == PlanSubject(
        id=version_id(),
        home_region=Region("eastus"),
        listed=frozenset({Region("eastus")}),
        encrypted=True,
        shallow=True,
    )


@given(
    version=image_versions(version_id()),
    extra=st.frozensets(REGIONS),
    denied=st.frozensets(REGIONS),
    withheld=st.dictionaries(REGIONS, st.just("withheld")),
)
def test_every_candidate_is_wanted_or_left_out_with_a_reason_never_both(
    version: ImageVersion,
    extra: frozenset[Region],
    denied: frozenset[Region],
    withheld: dict[Region, str],
) -> None:
    policy = ReplicationPolicy(extra_regions=extra, denied_regions=denied)
    one = plan(PlanSubject.of(version), policy, CATALOG, withheld)
    wanted = [entry.region for entry in one.wanted]
    without = [entry.region for entry in one.left_out]
    candidates = set(CATALOG.same_geography(version.home_region)) | extra
    assert sorted(wanted + without) == sorted(candidates - {version.home_region})
    assert all(entry.reason for entry in one.wanted)
    assert all(entry.reason for entry in one.left_out)
    assert not set(wanted) & denied
    assert one.reason
    # What is to be added can be written as it is.
    assert all(NewRegion(region=region).region == region for region in wanted)
