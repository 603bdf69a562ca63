"""Galleries that hide what is deleted, and versions that are restored."""

from typing import Any

import pytest

from tests.support.localcloud.arm_world import (
    API_VERSION,
    GALLERY,
    IMAGE,
    VERSION,
    World,
    error_of,
    properties_of,
    sample,
    version_patch,
    version_put,
)

HIDDEN = f"{GALLERY}/softDeletedArtifactTypes/Images/artifacts/Biology/versions"
DAY_S = 86_400.0
RESTORE = {"location": "eastus"}
EXAMPLE = "rest-api-specs_GalleryRP_2025-03-03_GallerySoftDeletedResource_ListByArtifactName.json"


def hiding(**policy: object) -> World:
    """Return a world with a version in a gallery with soft delete."""
    world = World().with_version("eastus", "westus")
    policy = {"isSoftDeleteEnabled": True, **policy}
    body = {"location": "eastus", "properties": {"softDeletePolicy": policy}}
    assert world.call("PUT", GALLERY, body).status == 200
    return world


def deleted(**policy: object) -> World:
    world = hiding(**policy)
    assert world.call("DELETE", VERSION).status == 202
    world.seconds += 151
    return world


def hidden(world: World, *, api_version: str = API_VERSION) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = world.get(HIDDEN, api_version=api_version)["value"]
    return listed


def test_a_policy_that_is_switched_on_keeps_for_seven_days() -> None:
    world = hiding()
    policy = world.get(GALLERY)["properties"]["softDeletePolicy"]
    assert policy == {"isSoftDeleteEnabled": True, "retentionPeriodInDays": 7}
    longer = {"isSoftDeleteEnabled": True, "retentionPeriodInDays": 30, "gracePeriodInDays": 7}
    world.call("PATCH", GALLERY, {"properties": {"softDeletePolicy": longer}})
    assert world.get(GALLERY)["properties"]["softDeletePolicy"] == longer
    wrong = {"isSoftDeleteEnabled": "yes"}
    answer = world.call("PATCH", GALLERY, {"properties": {"softDeletePolicy": wrong}})
    assert answer.status == 400


def test_a_deletion_hides_a_version_from_everything_but_the_list_of_hidden_ones() -> None:
    world = hiding()
    before = world.get(VERSION)
    assert world.call("DELETE", VERSION).status == 202
    assert (world.state(), hidden(world)) == ("Deleting", [])
    world.seconds += 151
    assert world.call("GET", VERSION).status == 404
    assert world.get(f"{IMAGE}/versions")["value"] == []
    (one,) = hidden(world)
    assert one["properties"]["resourceArmId"] == before["id"]
    assert world.call("DELETE", VERSION).status == 204
    assert world.call("PATCH", VERSION, version_patch("eastus")).status == 404


def test_the_list_has_every_field_of_the_example_and_since_2026_both_ends() -> None:
    world = deleted(gracePeriodInDays=3)
    wanted = sample(EXAMPLE)["responses"]["200"]["body"]["value"][0]
    (old,) = hidden(world, api_version="2025-03-03")
    assert (set(old), set(old["properties"])) == (set(wanted), set(wanted["properties"]))
    assert (old["type"], old["id"]) == (wanted["type"], f"{HIDDEN}/1.0.0")
    (new,) = hidden(world)
    ends = {"consumptionEndTime", "hardDeletionTargetTime"}
    assert set(new["properties"]) - set(old["properties"]) == ends
    too_old = world.call("GET", HIDDEN, query={"api-version": "2023-07-03"})
    assert error_of(too_old)["code"] == "NoRegisteredProviderFound"


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PUT", RESTORE),
        ("PUT", {**RESTORE, "properties": {"restore": True}}),
        ("PATCH", {"properties": {"restore": True}}),
    ],
)
def test_a_version_is_restored_as_it_was_and_that_is_told(
    method: str, body: dict[str, Any]
) -> None:
    world = hiding()
    before = world.get(VERSION, expand="ReplicationStatus")
    deletion = world.call("DELETE", VERSION)
    world.seconds += 3 * DAY_S
    world.poll(deletion)
    world.events.changes.clear()
    answer = world.call(method, VERSION, body)
    assert (answer.status, properties_of(answer)["provisioningState"]) == (200, "Updating")
    assert "Azure-AsyncOperation" in answer.headers
    assert [one.is_delete for one in world.events.changes] == [False]
    world.seconds += 151
    assert world.get(VERSION, expand="ReplicationStatus") == before
    assert hidden(world) == []


def test_a_restored_version_has_a_new_date_when_the_simulator_is_told_so() -> None:
    world = hiding()
    before = world.get(VERSION)["properties"]["publishingProfile"]["publishedDate"]
    world.behave(restored_published_date="new")
    world.call("DELETE", VERSION)
    world.seconds += 151
    world.call("PUT", VERSION, RESTORE)
    assert world.get(VERSION)["properties"]["publishingProfile"]["publishedDate"] > before


def test_a_hidden_version_is_neither_moved_nor_overwritten() -> None:
    world = deleted()
    answer = world.call("PUT", VERSION, {"location": "westus"})
    assert (answer.status, error_of(answer)["code"]) == (409, "InvalidResourceLocation")
    answer = world.call("PUT", VERSION, version_put("eastus"))
    assert (answer.status, error_of(answer)["code"]) == (409, "Conflict")
    assert len(hidden(world)) == 1


def test_after_retention_and_grace_it_is_gone_for_good() -> None:
    world = deleted(retentionPeriodInDays=2, gracePeriodInDays=1)
    world.seconds += 3 * DAY_S - 200
    assert len(hidden(world)) == 1
    world.seconds += 200
    assert hidden(world) == []
    answer = world.call("PUT", VERSION, RESTORE)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidParameter")


def test_a_deletion_can_be_for_good_at_once_or_later() -> None:
    world = hiding()
    world.call("DELETE", VERSION, query={"bypasssoftdelete": "true"})
    world.seconds += 151
    assert hidden(world) == []
    world = deleted()
    assert world.call("DELETE", f"{HIDDEN}/1.0.0").status == 202
    assert world.call("DELETE", f"{HIDDEN}/1.0.0").status == 204
    assert hidden(world) == []


def test_without_the_policy_nothing_is_hidden() -> None:
    world = World().with_version()
    world.call("DELETE", VERSION)
    world.seconds += 151
    assert hidden(world) == []
    assert world.call("PUT", VERSION, RESTORE).status == 400


def test_a_definition_with_hidden_versions_is_deleted_only_with_soft_delete_off() -> None:
    world = deleted()
    answer = world.call("DELETE", IMAGE)
    assert (answer.status, error_of(answer)["code"]) == (409, "CannotDeleteResource")
    off = {"properties": {"softDeletePolicy": {"isSoftDeleteEnabled": False}}}
    world.call("PATCH", GALLERY, off)
    assert world.call("DELETE", IMAGE).status == 202


def test_a_failed_version_is_not_hidden() -> None:
    world = World()
    world.api.faults.put([{"match": {"region": "westus"}, "fault": {"region_state": "Failed"}}])
    world.with_version("eastus", "westus")
    policy = {"softDeletePolicy": {"isSoftDeleteEnabled": True}}
    world.call("PATCH", GALLERY, {"properties": policy})
    answer = world.call("DELETE", VERSION)
    assert (answer.status, error_of(answer)["code"]) == (409, "OperationNotAllowed")
