"""What writes do to a version beyond what was recorded."""

from tests.support.localcloud.arm_world import (
    VERSION,
    World,
    disk_encryption_set,
    properties_of,
    targets,
    version_patch,
    version_put,
)


def test_a_patch_with_the_same_list_starts_the_failed_copies_again(world: World) -> None:
    rule = {"match": {"region": "westus"}, "fault": {"region_state": "Failed"}, "times": 1}
    world.api.faults.put([rule])
    world.with_version("eastus", "westus")
    assert (world.state(), world.replicas()["westus"]["state"]) == ("Failed", "Failed")
    world.call("PATCH", VERSION, version_patch("eastus", "westus"))
    assert (world.state(), world.replicas()["westus"]["progress"]) == ("Updating", 0)
    world.seconds += 36_000
    assert (world.state(), world.replicas()["westus"]["state"]) == ("Succeeded", "Completed")


def test_a_region_that_is_dropped_and_added_again_is_copied_anew(world: World) -> None:
    world.with_version("eastus", "westus")
    world.behave(refuse_region_removal=False)
    world.call("PATCH", VERSION, version_patch("eastus"))
    world.call("PATCH", VERSION, version_patch("eastus", "westus"))
    again = world.replicas()["westus"]
    assert (again["state"], again["progress"]) == ("Replicating", 0)


def test_a_creation_that_fails_at_home_fails_everywhere_and_can_be_applied_again(
    world: World,
) -> None:
    rule = {"match": {"region": "eastus"}, "fault": {"region_state": "Failed"}, "times": 1}
    world.api.faults.put([rule])
    world.with_version("eastus", "westus")
    assert {one["state"] for one in world.replicas().values()} == {"Failed"}
    world.call("PATCH", VERSION, version_patch("eastus", "westus"))
    world.seconds += 36_000
    assert {one["state"] for one in world.replicas().values()} == {"Completed"}


def test_existing_entries_keep_fields_that_nobody_knows(world: World) -> None:
    system_only = {"osDiskImage": {"diskEncryptionSetId": disk_encryption_set("everywhere")}}
    world.api.cloud.inventory.put([{"id": disk_encryption_set("everywhere")}])
    special = {
        "name": "eastus",
        "regionalReplicaCount": 3,
        "encryption": system_only,
        "additionalReplicaSets": [{"storageAccountType": "Premium_LRS", "regionalReplicaCount": 2}],
        "fieldOfTomorrow": {"a": [1]},
    }
    world.with_version(special, {"name": "westus", "encryption": system_only})
    found = world.get(VERSION)["properties"]["publishingProfile"]["targetRegions"][0]
    assert found == {
        **special,
        "name": "East US",
        "storageAccountType": "Standard_LRS",
        "excludeFromLatest": False,
    }


def test_ids_and_names_are_answered_as_they_were_created_whatever_the_case_asked(
    world: World,
) -> None:
    world.with_version()
    shouted = world.get(VERSION.upper())
    assert (shouted["id"], shouted["name"]) == (VERSION, "1.0.0")
    assert world.call("PATCH", VERSION.lower(), version_patch("EASTUS")).status == 200
    assert world.get(VERSION)["id"] == VERSION


def test_two_writers_with_the_same_view_lose_one_s_region(world: World) -> None:
    world.with_version("eastus")
    world.behave(refuse_region_removal=False)
    held = world.get(VERSION)["properties"]["publishingProfile"]["targetRegions"]
    for region in ("westus", "westus3"):
        body = {"properties": {"publishingProfile": {"targetRegions": held + targets(region)}}}
        assert world.call("PATCH", VERSION, body).status == 200
    assert world.listed() == ["East US", "West US 3"]


def test_a_lost_write_is_answered_as_any_other(world: World) -> None:
    world.with_version("eastus")
    body = version_patch("eastus", "westus")
    answer = world.call("PATCH", VERSION, body, lose_write=True)
    assert (answer.status, properties_of(answer)["provisioningState"]) == (200, "Updating")
    assert (world.state(), world.listed()) == ("Succeeded", ["East US"])
    world.seconds += 36_000
    polled = world.poll(answer).body
    assert isinstance(polled, dict)
    assert polled["status"] == "Succeeded"
    assert [one.resource_id for one in world.events.changes if one.method == "PATCH"] == []


def test_changing_an_answer_changes_nothing_that_is_held(world: World) -> None:
    world.with_version()
    world.get(VERSION)["properties"]["publishingProfile"]["targetRegions"].clear()
    assert world.listed() == ["East US"]


def test_a_second_delete_is_accepted_and_tells_nothing_new(world: World) -> None:
    world.with_version()
    first, second = world.call("DELETE", VERSION), world.call("DELETE", VERSION)
    world.seconds += 36_000
    for answer in (first, second):
        assert answer.status == 202
        polled = world.poll(answer).body
        assert isinstance(polled, dict)
        assert polled["status"] == "Succeeded"
    assert [one.method for one in world.events.changes].count("DELETE") == 1


def test_a_put_replaces_tags_and_settings_and_a_patch_keeps_them(world: World) -> None:
    world.with_image()
    tagged = version_put("eastus", replicaCount=3, excludeFromLatest=True)
    world.call("PUT", VERSION, {**tagged, "tags": {"lab": "7"}})
    world.call("PATCH", VERSION, {"properties": {}})
    kept = world.get(VERSION)
    assert (kept["tags"], kept["properties"]["publishingProfile"]["replicaCount"]) == (
        {"lab": "7"},
        3,
    )
    world.call("PUT", VERSION, version_put("eastus"))
    replaced = world.get(VERSION)
    assert "tags" not in replaced
    profile = replaced["properties"]["publishingProfile"]
    assert (profile["replicaCount"], profile["excludeFromLatest"]) == (1, False)


def test_an_operation_belongs_to_its_subscription(world: World) -> None:
    answer = world.with_image().call("PUT", VERSION, version_put("eastus"))
    path = answer.headers["Azure-AsyncOperation"].removeprefix("http://arm.test:7070").split("?")[0]
    subscription = path.split("/")[2]
    other = path.replace(subscription, subscription.replace("5", "6"))
    assert (world.call("GET", path).status, world.call("GET", other).status) == (200, 404)
