"""What recorded exchanges with Azure show, fact by fact."""

import json
import re

import pytest

from tests.support.localcloud.arm_world import (
    API_VERSION,
    IMAGE,
    SOURCE,
    VERSION,
    World,
    error_of,
    properties_of,
    targets,
    version_patch,
    version_put,
)


def test_a_put_that_creates_answers_201_creating(world: World) -> None:
    answer = world.with_image().call("PUT", VERSION, version_put("eastus"))
    assert (answer.status, properties_of(answer)["provisioningState"]) == (201, "Creating")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_update_answers_200_updating_with_the_new_regions_in_it_at_once(
    world: World, method: str
) -> None:
    world.with_version("eastus")
    answer = world.call(method, VERSION, version_put("eastus", "West US 2"))
    properties = properties_of(answer)
    assert (answer.status, properties["provisioningState"]) == (200, "Updating")
    names = [one["name"] for one in properties["publishingProfile"]["targetRegions"]]
    assert names == ["East US", "West US 2"]
    assert world.state() == "Updating"
    assert world.listed() == names


def test_a_delete_answers_202_with_nothing_and_the_version_goes_later(world: World) -> None:
    world.with_version()
    answer = world.call("DELETE", VERSION)
    assert (answer.status, answer.body) == (202, None)
    assert world.state() == "Deleting"
    world.seconds += 151
    assert error_of(world.call("GET", VERSION))["code"] == "ResourceNotFound"
    assert world.call("DELETE", VERSION).status == 204


def test_writes_name_their_operation_and_only_a_delete_adds_a_location(world: World) -> None:
    world.with_version()
    patch = world.call("PATCH", VERSION, version_patch("eastus"))
    delete = world.call("DELETE", VERSION)
    assert "Location" not in patch.headers
    assert "monitor=true" in delete.headers["Location"]
    for answer in (patch, delete):
        url = answer.headers["Azure-AsyncOperation"]
        assert "/providers/Microsoft.Compute/locations/eastus/capsOperations/" in url
        assert answer.headers["Retry-After"] == "60"


def test_polls_say_when_to_come_again_only_while_the_operation_runs(world: World) -> None:
    answer = world.with_image().call("PUT", VERSION, version_put("eastus"))
    running = world.poll(answer)
    assert running.headers == {"Retry-After": "60"}
    assert isinstance(running.body, dict)
    assert list(running.body) == ["startTime", "status", "name"]
    world.seconds += 1081
    done = world.poll(answer)
    assert done.headers == {}
    assert isinstance(done.body, dict)
    assert list(done.body) == ["startTime", "endTime", "status", "name"]
    assert (running.body["status"], done.body["status"]) == ("InProgress", "Succeeded")
    assert done.body["name"] in answer.headers["Azure-AsyncOperation"]


def test_the_location_of_a_delete_answers_202_and_later_200_with_nothing(world: World) -> None:
    world.with_version()
    answer = world.call("DELETE", VERSION)
    path = answer.headers["Location"].removeprefix("http://arm.test:7070").split("?")[0]
    running = world.call("GET", path, query={"monitor": "true"})
    assert (running.status, running.headers["Retry-After"]) == (202, "60")
    world.seconds += 151
    done = world.call("GET", path, query={"monitor": "true"})
    assert (done.status, done.body) == (200, None)


def test_an_operation_that_failed_says_in_which_regions(world: World) -> None:
    world.api.faults.put([{"match": {"region": "West US"}, "fault": {"region_state": "Failed"}}])
    answer = world.with_image().call("PUT", VERSION, version_put("eastus", "westus"))
    world.seconds += 36_000
    body = world.poll(answer).body
    assert isinstance(body, dict)
    assert list(body) == ["startTime", "endTime", "status", "error", "name"]
    assert body["error"]["code"] == "CrpPirReplicationJobsNotCompleted"
    assert "{region:westus, detail:Failed with internal server error.}" in body["error"]["message"]
    assert world.state() == "Failed"
    failed = world.replicas()["westus"]
    assert (failed["state"], failed["progress"]) == ("Failed", 60)
    assert failed["details"] == "Failed with internal server error."


def test_locations_and_summaries_are_short_and_target_regions_are_display_names(
    world: World,
) -> None:
    world.with_version("West US 2", "eastus2", location="East US 2")
    assert world.get(VERSION)["location"] == "eastus2"
    assert world.listed() == ["West US 2", "East US 2"]
    assert list(world.replicas()) == ["westus2", "eastus2"]
    world.behave(summary_region_names="display")
    assert list(world.replicas()) == ["West US 2", "East US 2"]


def test_a_second_write_while_updating_is_accepted_and_the_last_one_wins(world: World) -> None:
    world.with_version("eastus")
    world.behave(refuse_region_removal=False)
    for region in ("westus", "westus2"):
        answer = world.call("PATCH", VERSION, version_patch("eastus", region))
        assert answer.status == 200
    assert world.listed() == ["East US", "West US 2"]


def test_a_second_write_while_updating_is_refused_when_told_to(world: World) -> None:
    world.with_version("eastus")
    world.behave(concurrent_write="conflict")
    assert world.call("PATCH", VERSION, version_patch("eastus", "westus")).status == 200
    answer = world.call("PATCH", VERSION, version_patch("eastus", "westus", "westus2"))
    assert (answer.status, error_of(answer)["code"]) == (409, "Conflict")
    world.seconds += 36_000
    assert world.call("PATCH", VERSION, version_patch("eastus", "westus")).status == 200


def test_a_second_write_while_updating_is_silently_lost_when_told_to(world: World) -> None:
    world.with_version("eastus")
    world.behave(concurrent_write="lose")
    world.call("PATCH", VERSION, version_patch("eastus", "westus"))
    answer = world.call("PATCH", VERSION, version_patch("eastus", "westus", "westus2"))
    assert answer.status == 200
    assert len(properties_of(answer)["publishingProfile"]["targetRegions"]) == 3
    assert world.listed() == ["East US", "West US"]


def test_deletion_of_replicated_locations_is_not_allowed_when_unset(world: World) -> None:
    safety = world.with_version().get(VERSION)["properties"]["safetyProfile"]
    assert safety["allowDeletionOfReplicatedLocations"] is False
    before = world.get(VERSION, api_version="2021-07-01")
    assert "safetyProfile" not in before["properties"]


def test_dropping_a_region_is_refused_unless_the_safety_profile_allows_it(world: World) -> None:
    world.with_version("eastus", "westus")
    answer = world.call("PATCH", VERSION, version_patch("eastus"))
    error = error_of(answer)
    assert (answer.status, error["code"]) == (400, "BadRequest")
    assert error["message"].startswith("Complete set of target locations not specified")
    body = version_patch("eastus")
    body["properties"]["safetyProfile"] = {"allowDeletionOfReplicatedLocations": True}
    assert world.call("PATCH", VERSION, body).status == 200
    assert world.listed() == ["East US"]


def test_dropping_a_region_is_accepted_when_the_simulator_is_told_to(world: World) -> None:
    world.with_version("eastus", "westus")
    world.behave(refuse_region_removal=False)
    assert world.call("PATCH", VERSION, version_patch("eastus")).status == 200
    assert list(world.replicas()) == ["eastus"]


def test_a_put_without_a_source_keeps_the_one_that_is_held(world: World) -> None:
    world.with_version("eastus")
    body = version_put("eastus", "westus")
    del body["properties"]["storageProfile"]
    assert world.call("PUT", VERSION, body).status == 200
    assert world.get(VERSION)["properties"]["storageProfile"]["source"] == {"id": SOURCE}


def test_a_patch_leaves_alone_what_it_does_not_send(world: World) -> None:
    world.with_image()
    body = version_put("eastus", replicaCount=2, endOfLifeDate="2030-01-01T00:00:00Z")
    world.call("PUT", VERSION, {**body, "tags": {"lab": "7"}})
    before = world.get(VERSION)
    world.call("PATCH", VERSION, {"properties": {"publishingProfile": {}}})
    after = world.get(VERSION)
    assert after["tags"] == {"lab": "7"}
    assert after["properties"]["publishingProfile"] == before["properties"]["publishingProfile"]
    assert after["properties"]["storageProfile"] == before["properties"]["storageProfile"]


def test_null_or_no_target_regions_keep_those_that_are_held(world: World) -> None:
    world.with_version("eastus", "westus")
    null: dict[str, None] = {"targetRegions": None}
    for profile in (null, {"targetRegions": targets()}):
        body = {"properties": {"publishingProfile": profile}}
        assert world.call("PATCH", VERSION, body).status == 200
        assert world.listed() == ["East US", "West US"]


def test_defaults_are_one_replica_standard_lrs_and_not_excluded(world: World) -> None:
    world.with_version()
    publishing = world.get(VERSION)["properties"]["publishingProfile"]
    del publishing["publishedDate"]
    assert publishing == {
        "targetRegions": [
            {
                "name": "East US",
                "regionalReplicaCount": 1,
                "storageAccountType": "Standard_LRS",
                "excludeFromLatest": False,
            }
        ],
        "replicaCount": 1,
        "excludeFromLatest": False,
        "storageAccountType": "Standard_LRS",
    }


def test_a_region_without_a_count_takes_the_version_s(world: World) -> None:
    counted = {"name": "westus", "regionalReplicaCount": 5}
    world.with_version("eastus", counted, replicaCount=2)
    found = world.get(VERSION)["properties"]["publishingProfile"]["targetRegions"]
    assert [one["regionalReplicaCount"] for one in found] == [2, 5]


def test_the_published_date_has_seven_digits_and_never_changes(world: World) -> None:
    world.with_version("eastus")
    before = world.get(VERSION)["properties"]["publishingProfile"]["publishedDate"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00", before)
    body = version_put("eastus", "westus", publishedDate="2001-01-01T00:00:00Z")
    world.call("PUT", VERSION, body)
    world.seconds += 36_000
    assert world.get(VERSION)["properties"]["publishingProfile"]["publishedDate"] == before


def test_disk_sizes_appear_when_the_version_is_there_and_their_sources_are_empty(
    world: World,
) -> None:
    body = version_put("eastus", size_gb=64)
    body["properties"]["storageProfile"]["dataDiskImages"] = [{"lun": 3, "sizeInGB": 8}]
    world.with_image().call("PUT", VERSION, body)
    storage = world.get(VERSION)["properties"]["storageProfile"]
    assert storage["osDiskImage"] == {"hostCaching": "ReadWrite", "source": {}}
    assert storage["dataDiskImages"] == [{"lun": 3, "hostCaching": "ReadOnly", "source": {}}]
    world.seconds += 1081
    storage = world.get(VERSION)["properties"]["storageProfile"]
    assert storage["osDiskImage"]["sizeInGB"] == 64
    assert storage["dataDiskImages"][0]["sizeInGB"] == 8


def test_nothing_tells_tags_that_were_never_sent_nor_an_etag_nor_system_data(world: World) -> None:
    answer = world.with_version().call("GET", VERSION)
    assert isinstance(answer.body, dict)
    assert {"tags", "etag", "systemData"} & set(answer.body) == set()
    assert "ETag" not in answer.headers


def test_a_completed_replica_has_details_only_in_later_api_versions(world: World) -> None:
    world.with_version()
    assert "details" not in world.replicas(api_version="2019-12-01")["eastus"]
    assert world.replicas()["eastus"] == {
        "region": "eastus",
        "state": "Completed",
        "details": "",
        "progress": 100,
    }


def test_one_more_region_takes_seven_minutes_and_an_update_without_one_150_s(world: World) -> None:
    world.with_version("eastus")
    world.call("PATCH", VERSION, version_patch("eastus", "westus2"))
    started, took_s = world.seconds, 0.0
    while world.state() == "Updating":
        world.seconds += 1
        took_s = world.seconds - started
    assert 0.8 * 421 < took_s < 1.3 * 421
    world.call("PATCH", VERSION, version_patch("eastus", "westus2"))
    world.seconds += 149
    assert world.state() == "Updating"
    world.seconds += 2
    assert world.state() == "Succeeded"


def test_the_home_region_is_completed_when_the_creation_ends_and_the_others_follow(
    world: World,
) -> None:
    world.with_image().call("PUT", VERSION, version_put("eastus", "westus"))
    world.seconds += 300
    assert {one["state"] for one in world.replicas().values()} == {"Replicating"}
    assert world.replicas()["westus"]["progress"] == 0
    world.seconds += 200
    replicas = world.replicas()
    assert (replicas["eastus"]["state"], replicas["westus"]["state"]) == (
        "Completed",
        "Replicating",
    )
    assert world.state() == "Creating"
    world.seconds += 36_000
    assert world.state() == "Succeeded"


def test_a_region_can_still_be_replicating_after_succeeded(world: World) -> None:
    world.with_version("eastus")
    world.call("PATCH", VERSION, version_patch("eastus", "westus2"))
    while world.state() == "Updating":
        world.seconds += 1
    assert world.state() == "Succeeded"
    late = world.replicas()["westus2"]
    assert (late["state"], late["progress"]) == ("Replicating", 97)


def test_single_answers_are_indented_with_crlf_and_lists_are_compact(world: World) -> None:
    world.with_version()
    single, listed = (
        world.call("GET", VERSION).text(),
        world.call("GET", f"{IMAGE}/versions").text(),
    )
    assert single.startswith('{\r\n  "name": "1.0.0",\r\n')
    assert "\n" not in listed
    assert ": " not in listed.replace('": "', "")
    (one,) = json.loads(listed)["value"]
    assert one["id"] == VERSION.replace("Labs-RG", "LABS-RG")
    assert {**one, "id": VERSION} == json.loads(single)


def test_operation_urls_are_signed_and_long(world: World) -> None:
    answer = world.with_image().call("PUT", VERSION, version_put("eastus"))
    url = answer.headers["Azure-AsyncOperation"]
    assert len(url) > 600
    assert f"?api-version={API_VERSION}&t=" in url
