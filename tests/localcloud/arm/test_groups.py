"""Resource groups, and the operations behind the writes on galleries and definitions."""

import pytest

from localcloud.arm.answers import Answer
from tests.support.localcloud.arm_world import (
    DEFINITION,
    GALLERIES,
    GALLERY,
    GROUP,
    GROUPS_API_VERSION,
    IMAGE,
    SUBSCRIPTION,
    VERSION,
    World,
    error_of,
    properties_of,
)

ELSEWHERE = GROUP.replace("Labs-RG", "elsewhere")


def group(world: World, method: str, path: str) -> Answer:
    return world.call(method, path, query={"api-version": GROUPS_API_VERSION})


def test_a_group_is_created_changed_and_found_in_any_letter_case(world: World) -> None:
    assert group(world, "HEAD", ELSEWHERE).status == 404
    created = world.put_group(ELSEWHERE)
    assert (created.status, created.body) == (
        201,
        {
            "id": ELSEWHERE,
            "name": "elsewhere",
            "type": "Microsoft.Resources/resourceGroups",
            "location": "eastus",
            "properties": {"provisioningState": "Succeeded"},
        },
    )
    tagged = world.put_group(ELSEWHERE.replace("elsewhere", "ELSEWHERE"), tags={"a": "b"})
    assert (tagged.status, group(world, "HEAD", ELSEWHERE).status) == (200, 204)
    assert group(world, "GET", ELSEWHERE).body == tagged.body
    moved = world.put_group(ELSEWHERE, location="westus")
    assert (moved.status, error_of(moved)["code"]) == (409, "InvalidResourceLocation")


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", "galleries"),
        ("PUT", "galleries/labs"),
        ("GET", "galleries/labs/images/a/versions/1.0.0"),
        ("PATCH", "galleries/labs/images/a/versions/1.0.0"),
    ],
)
def test_nothing_is_in_a_group_that_is_not_there(world: World, method: str, rest: str) -> None:
    path = f"{ELSEWHERE}/providers/Microsoft.Compute/{rest}"
    answer = world.call(method, path, {"location": "eastus"})
    assert (answer.status, error_of(answer)) == (
        404,
        {
            "code": "ResourceGroupNotFound",
            "message": "Resource group 'elsewhere' could not be found.",
        },
    )


def test_writes_on_galleries_and_definitions_have_an_operation_that_soon_ends(
    world: World,
) -> None:
    bodies = {
        GALLERY: {"location": "eastus"},
        IMAGE: {"location": "eastus", "properties": DEFINITION},
    }
    for path, body in bodies.items():
        for method, status, doing in (("PUT", 201, "Creating"), ("PATCH", 200, "Updating")):
            answer = world.call(method, path, body)
            assert (answer.status, properties_of(answer)["provisioningState"]) == (status, doing)
            assert isinstance(polled := world.poll(answer).body, dict)
            assert polled["status"] == "Succeeded"
            assert world.get(path)["properties"]["provisioningState"] == "Succeeded"
    assert [one.is_new for one in world.events.changes] == [True, False, True, False]


def test_lists_write_groups_in_capitals_and_single_answers_as_they_were_created(
    world: World,
) -> None:
    world.with_version()
    of_subscription = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/galleries"
    lists = {
        of_subscription: GALLERY,
        GALLERIES: GALLERY,
        f"{GALLERY}/images": IMAGE,
        f"{IMAGE}/versions": VERSION,
    }
    for path, resource_id in lists.items():
        (listed,) = world.get(path)["value"]
        assert listed["id"] == resource_id.replace("Labs-RG", "LABS-RG")
        assert world.get(resource_id.replace("Labs-RG", "LABS-RG"))["id"] == resource_id
