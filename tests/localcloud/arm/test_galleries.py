"""Galleries, image definitions, lists, locations and the provider."""

from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.localcloud.arm_world import (
    BASE_URL,
    DEFINITION,
    GALLERIES,
    GALLERY,
    IMAGE,
    SUBSCRIPTION,
    VERSION,
    World,
    error_of,
    version_put,
)

SUBSCRIPTION_GALLERIES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/galleries"


def pages(world: World, path: str) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    skiptoken = ""
    while True:
        body = world.get(path, skiptoken=skiptoken)
        found.append(body["value"])
        if "nextLink" not in body:
            return found
        assert body["nextLink"].startswith(f"{BASE_URL}{path}?api-version=")
        skiptoken = unquote(body["nextLink"].split("$skiptoken=")[1])


def test_a_gallery_keeps_what_was_sent_and_gets_a_unique_name(world: World) -> None:
    body = {"location": "East US", "tags": {"a": "b"}, "properties": {"description": "Labs"}}
    answer = world.call("PUT", GALLERY, body)
    assert (answer.status, answer.body) == (
        201,
        {
            "name": "LabGallery",
            "id": GALLERY,
            "type": "Microsoft.Compute/galleries",
            "location": "eastus",
            "tags": {"a": "b"},
            "properties": {
                "description": "Labs",
                "identifier": {"uniqueName": f"{SUBSCRIPTION}-LABGALLERY"},
                "provisioningState": "Creating",
            },
        },
    )
    assert world.get(GALLERY)["properties"]["provisioningState"] == "Succeeded"
    patched = world.call("PATCH", GALLERY, {"properties": {"description": "More labs"}})
    assert patched.status == 200
    assert world.get(GALLERY)["properties"]["description"] == "More labs"
    assert world.get(GALLERY)["tags"] == {"a": "b"}
    assert world.call("PUT", GALLERY, {"location": "eastus"}).status == 200
    assert "tags" not in world.get(GALLERY)


def test_a_definition_is_for_trusted_launch_from_2025_on(world: World) -> None:
    world.call("PUT", GALLERY, {"location": "eastus"})
    body = {"location": "eastus", "properties": DEFINITION}
    old, new = f"{GALLERY}/images/old", f"{GALLERY}/images/new"
    world.call("PUT", old, body, query={"api-version": "2024-03-03"})
    world.call("PUT", new, body)
    assert world.get(old)["properties"]["hyperVGeneration"] == "V1"
    assert "features" not in world.get(old)["properties"]
    assert world.get(new)["properties"]["hyperVGeneration"] == "V2"
    assert world.get(new)["properties"]["features"] == [
        {"name": "SecurityType", "value": "TrustedLaunchSupported"}
    ]


def test_what_a_definition_is_for_cannot_change(world: World) -> None:
    world.with_image()
    for key, value in (("osState", "Generalized"), ("hyperVGeneration", "V1")):
        body = {"location": "eastus", "properties": {**DEFINITION, key: value}}
        answer = world.call("PUT", IMAGE, body)
        assert (answer.status, error_of(answer)["code"]) == (409, "PropertyChangeNotAllowed")
    same = {"location": "eastus", "properties": {**DEFINITION, "description": "x"}}
    assert world.call("PUT", IMAGE, same).status == 200
    assert world.get(IMAGE)["properties"]["hyperVGeneration"] == "V2"


@pytest.mark.parametrize("missing", ["osType", "osState", "identifier"])
def test_a_definition_says_what_it_is_for(world: World, missing: str) -> None:
    world.call("PUT", GALLERY, {"location": "eastus"})
    properties = {key: value for key, value in DEFINITION.items() if key != missing}
    answer = world.call("PUT", IMAGE, {"location": "eastus", "properties": properties})
    assert answer.status == 400
    assert missing in error_of(answer)["message"]


@pytest.mark.parametrize("path", [f"{GALLERIES}/no-dashes", f"{GALLERIES}/{'x' * 81}"])
def test_gallery_names_have_rules(world: World, path: str) -> None:
    assert world.call("PUT", path, {"location": "eastus"}).status == 400


def test_what_has_children_is_not_deleted(world: World) -> None:
    world.with_version()
    for path in (GALLERY, IMAGE):
        answer = world.call("DELETE", path)
        assert (answer.status, error_of(answer)["code"]) == (409, "CannotDeleteResource")
        assert "before nested resources are deleted" in error_of(answer)["message"]
    assert world.call("DELETE", VERSION).status == 202
    assert world.call("DELETE", IMAGE).status == 409
    world.seconds += 36_000
    for path in (IMAGE, GALLERY):
        gone = world.call("DELETE", path)
        assert (gone.status, gone.body) == (202, None)
        polled = world.poll(gone).body
        assert isinstance(polled, dict)
        assert polled["status"] == "Succeeded"
        assert world.call("GET", path).status == 404
        assert world.call("DELETE", path).status == 204


def test_galleries_are_listed_by_subscription_and_by_group(world: World) -> None:
    other = GALLERIES.replace("Labs-RG", "other-rg")
    world.put_group(other.split("/providers/")[0])
    for path in (f"{GALLERIES}/b", f"{other}/c", f"{GALLERIES}/a"):
        assert world.call("PUT", path, {"location": "eastus"}).status == 201
    names = [one["name"] for one in world.get(SUBSCRIPTION_GALLERIES)["value"]]
    assert names == ["a", "b", "c"]
    assert [one["name"] for one in world.get(GALLERIES.lower())["value"]] == ["a", "b"]


def test_lists_go_over_pages_on_the_host_that_was_asked(world: World) -> None:
    world.with_image()
    names = [f"1.0.{n}" for n in range(7)]
    for name in names:
        world.call("PUT", f"{IMAGE}/versions/{name}", version_put("eastus"))
    world.behave(list_page_size=3)
    found = pages(world, f"{IMAGE}/versions")
    assert [[one["name"] for one in page] for page in found] == [names[:3], names[3:6], names[6:]]
    assert "replicationStatus" not in found[0][0]["properties"]
    assert len(pages(world, f"{GALLERY}/images")) == 1


def test_a_version_deleted_between_two_pages_shifts_nothing(world: World) -> None:
    world.with_image()
    for n in range(6):
        world.call("PUT", f"{IMAGE}/versions/1.0.{n}", version_put("eastus"))
    world.behave(list_page_size=3)
    first = world.get(f"{IMAGE}/versions")
    world.call("DELETE", f"{IMAGE}/versions/1.0.0")
    world.seconds += 36_000
    token = first["nextLink"].split("$skiptoken=")[1]
    second = world.get(f"{IMAGE}/versions", skiptoken=token)
    assert [one["name"] for one in second["value"]] == ["1.0.3", "1.0.4", "1.0.5"]


def test_any_subscription_exists_and_those_with_galleries_are_listed(world: World) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}"
    assert world.get(path, api_version="2022-12-01")["subscriptionId"] == SUBSCRIPTION
    before = world.get("/subscriptions", api_version="2022-12-01")["value"]
    world.with_image()
    after = world.get("/subscriptions", api_version="2022-12-01")["value"]
    assert len(before) == 1
    assert [one["subscriptionId"] for one in after if one not in before] == [SUBSCRIPTION]


def test_locations_are_the_real_ones_for_the_subscription_that_asks(world: World) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/locations"
    found = world.get(path, api_version="2022-12-01")["value"]
    physical = [one for one in found if one["metadata"]["regionType"] == "Physical"]
    assert (len(found), len(physical)) == (102, 62)
    assert {one["id"].split("/locations/")[0] for one in found} == {
        f"/subscriptions/{SUBSCRIPTION}"
    }


def test_the_provider_offers_versions_in_41_regions_less_those_that_are_switched_off(
    world: World,
) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute"

    def offered() -> list[str]:
        types = world.get(path, api_version="2021-04-01")["resourceTypes"]
        found = {one["resourceType"]: one["locations"] for one in types}
        return list(found["galleries/images/versions"])

    assert len(offered()) == 41
    regions = world.api.cloud.regions
    regions.behaviour_of("westus2").available = False
    regions.behaviour_of("austriaeast").available = True
    assert "West US 2" not in offered()
    assert "Austria East" in offered()


def test_a_region_that_is_no_longer_offered_keeps_its_replicas(world: World) -> None:
    world.with_version("eastus", "westus2")
    world.api.cloud.regions.behaviour_of("westus2").available = False
    body = version_put("eastus", "westus2", "westus3")
    assert world.call("PUT", VERSION, body).status == 200
    other = f"{IMAGE}/versions/2.0.0"
    assert world.call("PUT", other, version_put("eastus", "westus2")).status == 400


def test_every_region_of_the_provider_is_a_location_with_the_same_name(world: World) -> None:
    regions = world.api.cloud.regions
    assert all(regions.is_known(name) for name in regions.available_names())
    assert all(regions.resolve(regions.display(name)) == name for name in regions.available_names())


def test_the_events_of_a_version_share_one_correlation_id(world: World) -> None:
    world.with_image()
    world.events.changes.clear()
    answer = world.call("PUT", VERSION, version_put("eastus"))
    assert len(world.events.changes) == 1
    world.seconds += 1081
    world.poll(answer)
    first, last = world.events.changes
    assert first.correlation_id == last.correlation_id
    assert first.operation_name == "Microsoft.Compute/galleries/images/versions/write"


@pytest.mark.parametrize(("when", "told"), [("accept", 1), ("end", 1), ("both", 2)])
def test_when_a_write_is_told_is_a_switch(world: World, when: str, told: int) -> None:
    world.events.configure({"when": when})
    world.with_image()
    world.events.changes.clear()
    answer = world.call("PUT", VERSION, version_put("eastus"))
    assert len(world.events.changes) == (0 if when == "end" else 1)
    world.seconds += 1081
    world.poll(answer)
    assert len(world.events.changes) == told
    answer = world.call("DELETE", VERSION)
    assert len(world.events.changes) == told
    world.seconds += 151
    world.poll(answer)
    assert world.events.changes[-1].method == "DELETE"


def test_a_write_that_fails_in_a_region_is_not_told_at_its_end(world: World) -> None:
    world.api.faults.put([{"match": {"region": "eastus"}, "fault": {"region_state": "Failed"}}])
    world.with_image()
    answer = world.call("PUT", VERSION, version_put("eastus"))
    told = len(world.events.changes)
    world.seconds += 36_000
    world.poll(answer)
    assert len(world.events.changes) == told
