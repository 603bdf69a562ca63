from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import InvalidRegionNameError, Region, build_catalog
from tests.support.builders import US_NEIGHBOURS
from tests.support.strategies import JSON, REGIONS, outcome, spellings

CATALOG = shipped_catalog()


def names(*regions: Region) -> list[str]:
    return [region.name for region in regions]


def location(name: Any, display_name: Any = None, **metadata: Any) -> dict[str, Any]:
    known = {"regionType": "Physical", "geography": "Somewhere"}
    return {"name": name, "displayName": display_name, "metadata": {**known, **metadata}}


@given(data=st.data(), region=REGIONS)
def test_every_spelling_of_a_name_means_one_region(data: st.DataObject, region: Region) -> None:
    assert Region.parse(data.draw(spellings(region))) == region
    assert CATALOG.resolve(data.draw(spellings(region))) == region


@given(text=st.text() | JSON)
def test_any_name_is_a_region_or_invalid(text: Any) -> None:
    read = outcome(lambda: Region.parse(text), InvalidRegionNameError)
    assert str(read)
    if isinstance(read, Region):
        assert Region.parse(read.name) == read
        assert str(read) == read.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "a region name is a text, not NoneType"),
        (5, "a region name is a text, not int"),
        ("", "a region name is empty"),
        (" \n", "a region name is empty"),
        ("x" * 91, "cannot be a region name"),
        ("west\x00us", "cannot be a region name"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(text: Any, said: str) -> None:
    with pytest.raises(InvalidRegionNameError, match=said):
        Region.parse(text)


def test_the_united_states_have_nine_regions() -> None:
    assert names(*CATALOG.same_geography(Region("eastus"))) == US_NEIGHBOURS
    assert CATALOG.geography_of(Region("eastus")) == "United States"


def test_europe_is_a_geography_of_two_regions() -> None:
    assert names(*CATALOG.same_geography(Region("westeurope"))) == ["northeurope"]
    assert CATALOG.geography_of(Region("swedencentral")) == "Sweden"


def test_hong_kong_and_singapore_share_a_geography() -> None:
    assert names(*CATALOG.same_geography(Region("eastasia"))) == ["southeastasia"]


def test_fourteen_geographies_have_one_region() -> None:
    lonely = {
        details.geography
        for region, details in CATALOG.details.items()
        if not CATALOG.same_geography(region)
    }
    assert lonely == {
        "Austria",
        "Belgium",
        "Chile",
        "Denmark",
        "Indonesia",
        "Israel",
        "Italy",
        "Malaysia",
        "Mexico",
        "New Zealand",
        "Poland",
        "Qatar",
        "Spain",
        "Sweden",
    }


def test_a_pair_across_the_border_is_not_used() -> None:
    # brazilsouth is paired with southcentralus.
    assert names(*CATALOG.same_geography(Region("brazilsouth"))) == ["brazilsoutheast"]


def test_there_is_no_stage_canary_or_logical_region() -> None:
    for name in ("eastusstg", "southcentralusstg", "eastus2euap", "centraluseuap", "unitedstates"):
        assert Region(name) not in CATALOG.details
    geographies = {details.geography for details in CATALOG.details.values()}
    assert not [one for one in geographies if "Stage" in one or "Canary" in one]


def test_a_region_nobody_knows_has_no_geography_and_no_neighbours() -> None:
    mars = Region("mars")
    assert CATALOG.geography_of(mars) is None
    assert CATALOG.same_geography(mars) == ()
    assert CATALOG.display_name(mars) == "mars"


def test_the_snapshot_says_of_which_day_it_is_and_offers_everything() -> None:
    assert CATALOG.source == "the shipped snapshot of 2026-03-12"
    assert CATALOG.offered is None
    assert all(CATALOG.offers(region) for region in CATALOG.details)
    assert CATALOG.display_name(Region("westus2")) == "West US 2"


def test_display_names_are_aliases_even_where_they_are_not_the_id_with_spaces() -> None:
    catalog = build_catalog(
        [location("xeast", "Far East (X)"), location("east", "xeast"), location("plain")],
        provider_locations=None,
        source="a test",
    )
    assert catalog.resolve("far EAST (x)") == Region("xeast")
    # A short name always means itself, whatever another region is called in print.
    assert catalog.resolve("X East") == Region("xeast")
    assert catalog.display_name(Region("plain")) == "plain"


def test_the_provider_narrows_what_is_offered() -> None:
    catalog = build_catalog(
        [location("xeast", "Far East (X)"), location("west", "West")],
        provider_locations=["Far East (X)", "Nowhere", "", "y" * 200],
        source="a test",
    )
    assert catalog.offered == frozenset({Region("xeast")})
    assert catalog.offers(Region("xeast"))
    assert not catalog.offers(Region("west"))


@pytest.mark.parametrize(
    "entry",
    [
        location("logical", regionType="Logical"),
        location("nowhere", geography=None),
        location("nowhere", geography=""),
        location("early", geography="Stage (US)"),
        location("early", geography="Canary (US)"),
        location("eastusstg"),
        location("eastus2euap"),
        location("westusstage"),
        location(""),
        location(None),
        location("x" * 200),
        {"name": "bare"},
        {"name": "bare", "metadata": []},
    ],
)
def test_entries_that_are_no_physical_region_are_left_out(entry: dict[str, Any]) -> None:
    catalog = build_catalog([entry], provider_locations=None, source="a test")
    assert catalog.details == {}


@given(
    entries=st.lists(
        st.builds(location, JSON, JSON)
        | st.fixed_dictionaries({"name": JSON, "displayName": JSON, "metadata": JSON})
    ),
    offered=st.none() | st.lists(JSON),
)
def test_no_list_that_arm_might_give_stops_the_catalog(
    entries: list[dict[str, Any]], offered: Any
) -> None:
    catalog = build_catalog(entries, provider_locations=offered, source="a test")
    assert all(catalog.resolve(region.name) == region for region in catalog.details)
