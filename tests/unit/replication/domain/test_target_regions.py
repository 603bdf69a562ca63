"""The merge of target regions: union only, verbatim, and never a region twice."""

import copy
import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from replication.domain.regions import Region, build_catalog
from replication.domain.target_regions import NewRegion, TargetRegion, merge_target_regions
from tests.support.strategies import REGIONS, target_regions

HOME = Region("eastus")
WANTED = st.lists(REGIONS, unique=True, max_size=9).map(
    lambda regions: [NewRegion(region=region) for region in regions]
)
# A region whose names in print are not its id with spaces.
CATALOG = build_catalog(
    [
        {
            "name": "xnorthsouth",
            "displayName": "Northern Land (South)",
            "regionalDisplayName": "(XN) Northern Land South",
            "metadata": {"regionType": "Physical", "geography": "Northern Land"},
        },
        {
            "name": "westus2",
            "displayName": "West US 2",
            "metadata": {"regionType": "Physical", "geography": "United States"},
        },
    ],
    provider_locations=None,
    source="a test",
)


def read(entries: Sequence[object]) -> tuple[TargetRegion, ...]:
    """Read entries as an answer of ARM is read."""
    targets = []
    for entry in entries:
        assert isinstance(entry, dict)
        targets.append(TargetRegion(region=CATALOG.resolve(entry["name"]), entry=entry))
    return tuple(targets)


@given(existing=target_regions(), wanted=WANTED)
def test_existing_entries_stay_verbatim_and_in_order(
    existing: tuple[TargetRegion, ...], wanted: list[NewRegion]
) -> None:
    before = copy.deepcopy([dict(target.entry) for target in existing])
    merged = merge_target_regions(existing, wanted, home=HOME)
    # Compared as text too, since 1 == 1.0 == True, and nan is not itself.
    kept = merged.entries[: len(existing)]
    assert [repr(entry) for entry in kept] == [repr(entry) for entry in before]
    assert all(kept[number] is target.entry for number, target in enumerate(existing))


@given(existing=target_regions(), wanted=WANTED)
def test_merging_again_adds_nothing(
    existing: tuple[TargetRegion, ...], wanted: list[NewRegion]
) -> None:
    once = merge_target_regions(existing, wanted, home=HOME)
    again = merge_target_regions(read(once.entries), wanted, home=HOME)
    assert again.added == ()
    assert list(map(repr, again.entries)) == list(map(repr, once.entries))


@given(existing=target_regions(), wanted=WANTED, order=st.randoms(use_true_random=False))
def test_the_order_in_which_regions_are_wanted_does_not_matter(
    existing: tuple[TargetRegion, ...], wanted: list[NewRegion], order: random.Random
) -> None:
    shuffled = list(wanted)
    order.shuffle(shuffled)
    one = merge_target_regions(existing, wanted, home=HOME)
    other = merge_target_regions(existing, shuffled, home=HOME)
    assert one == other or repr(one) == repr(other)


@given(existing=target_regions(), first=WANTED, second=WANTED)
def test_two_merges_one_after_the_other_want_the_same_in_either_order(
    existing: tuple[TargetRegion, ...], first: list[NewRegion], second: list[NewRegion]
) -> None:
    def regions(*batches: list[NewRegion]) -> set[Region]:
        targets = existing
        for batch in batches:
            targets = read(merge_target_regions(targets, batch, home=HOME).entries)
        return {target.region for target in targets}

    both = {new.region for new in first + second} | {HOME} | {one.region for one in existing}
    assert regions(first, second) == regions(second, first) == both


@given(existing=target_regions(), wanted=WANTED)
def test_no_region_is_ever_lost_or_listed_twice(
    existing: tuple[TargetRegion, ...], wanted: list[NewRegion]
) -> None:
    merged = merge_target_regions(existing, wanted, home=HOME)
    regions = [target.region for target in read(merged.entries)]
    assert len(regions) == len(set(regions))
    expected = {one.region for one in existing} | {one.region for one in wanted} | {HOME}
    assert set(regions) == expected
    assert set(merged.added) == expected - {one.region for one in existing}


def test_a_region_listed_under_its_name_in_print_is_not_added_again() -> None:
    entries = [
        {"name": "Northern Land (South)", "regionalReplicaCount": 2},
        {"name": "WEST us 2"},
        {"name": "East US"},
    ]
    wanted = [NewRegion(region=Region("xnorthsouth")), NewRegion(region=Region("westus2"))]
    merged = merge_target_regions(read(entries), wanted, home=HOME)
    assert merged.added == ()
    assert list(merged.entries) == entries


def test_the_regional_display_name_is_an_alias_too() -> None:
    merged = merge_target_regions(
        read([{"name": "(XN) Northern Land South"}]),
        [NewRegion(region=Region("xnorthsouth"))],
        home=Region("xnorthsouth"),
    )
    assert merged.added == ()


def test_duplicates_that_are_there_already_are_not_ours_to_remove() -> None:
    entries = [{"name": "East US"}, {"name": "eastus", "regionalReplicaCount": 2}]
    assert list(merge_target_regions(read(entries), [], home=HOME).entries) == entries


def test_new_regions_come_after_the_home_region_in_the_order_of_their_names() -> None:
    wanted = [
        NewRegion(region=Region("westus"), replica_count=2, storage_account_type="Standard_ZRS"),
        NewRegion(region=Region("centralus")),
    ]
    merged = merge_target_regions([], wanted, home=HOME)
    assert [entry["name"] for entry in merged.entries] == ["eastus", "centralus", "westus"]
    assert merged.entries[2] == {
        "name": "westus",
        "regionalReplicaCount": 2,
        "storageAccountType": "Standard_ZRS",
    }
