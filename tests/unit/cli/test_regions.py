"""`regions` shows geographies, from the snapshot or from ARM."""

from dataclasses import replace

import pytest

from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region, RegionCatalog
from tests.support.builders import SUBSCRIPTION, US_NEIGHBOURS
from tests.support.fakes import World
from tests.support.shell import Shell


@pytest.mark.parametrize("spelling", ["West US 2", "westus2", "WESTUS2", "(US) West US 2"])
def test_a_region_in_any_spelling_is_shown_with_the_others_of_its_geography(
    closed_shell: Shell, spelling: str
) -> None:
    found = closed_shell("regions", spelling, "--json").json
    assert found["region"] == "westus2"
    assert found["display_name"] == "West US 2"
    assert found["geography"] == "United States"
    assert [one["region"] for one in found["others"]] == sorted(
        {"eastus", *US_NEIGHBOURS} - {"westus2"}
    )
    assert found["offered"] is None
    assert found["catalog"] == shipped_catalog().source


def test_the_table_of_a_geography_says_where_it_comes_from(closed_shell: Shell) -> None:
    answer = closed_shell("regions", "Norway East")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "Region     norwayeast (Norway East)",
        "Geography  Norway",
        f"Source     {shipped_catalog().source}",
        "",
        "GEOGRAPHY  REGION      NAME",
        "Norway     norwaywest  Norway West",
    ]


def test_a_geography_of_one_region_has_no_others(closed_shell: Shell) -> None:
    answer = closed_shell("regions", "polandcentral")
    assert answer.code == 0
    assert "Others in it  none" in answer.out.splitlines()


def test_without_a_region_all_geographies_are_shown(closed_shell: Shell) -> None:
    listed = closed_shell("regions", "--json").json
    named = {one["geography"]: one["regions"] for one in listed["geographies"]}
    assert [one["region"] for one in named["Norway"]] == ["norwayeast", "norwaywest"]
    assert sum(len(members) for members in named.values()) == len(shipped_catalog().details)
    table = closed_shell("regions")
    assert len(table.out.splitlines()) == len(shipped_catalog().details) + 3
    assert table.out.splitlines()[-1] == f"Source: {shipped_catalog().source}"


def test_with_a_subscription_the_app_is_asked_what_that_sees(world: World, shell: Shell) -> None:
    world.catalogs.catalog = replace(
        shipped_catalog(), offered=frozenset({Region("norwayeast")}), source="ARM, today"
    )
    found = shell("regions", "Norway East", "--subscription", SUBSCRIPTION, "--json").json
    assert (found["offered"], found["catalog"]) == (True, "ARM, today")
    table = shell("regions", "norwayeast", "--subscription", SUBSCRIPTION)
    assert table.out.splitlines()[-1].split() == ["Norway", "norwaywest", "Norway", "West", "no"]


def test_an_unknown_region_is_not_found_and_the_nearest_is_named(closed_shell: Shell) -> None:
    answer = closed_shell("regions", "Nrway East", "--json")
    assert (answer.code, answer.out) == (3, "")
    assert "'nrwayeast' is no region of the shipped snapshot" in answer.err
    assert answer.err.endswith("the nearest name is norwayeast\n")


def test_a_catalog_without_regions_has_no_nearest(world: World, shell: Shell) -> None:
    world.catalogs.catalog = RegionCatalog(details={}, source="an empty cloud")
    answer = shell("regions", "westus", "--subscription", SUBSCRIPTION)
    assert (answer.code, answer.err) == (3, "Error: 'westus' is no region of an empty cloud\n")


@pytest.mark.parametrize("args", [["  "], ["westus", "--subscription", "mine"]])
def test_what_cannot_be_a_name_is_wrong_usage(closed_shell: Shell, args: list[str]) -> None:
    answer = closed_shell("regions", *args)
    assert (answer.code, answer.out) == (2, "")
