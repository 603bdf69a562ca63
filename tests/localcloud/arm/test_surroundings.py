"""Sources, disk encryption sets and the end of life: what lies outside of galleries decides too."""

from typing import Any

import pytest

from tests.support.localcloud.arm import Arm
from tests.support.localcloud.arm_world import (
    GROUP,
    IMAGE,
    SOURCE,
    VERSION,
    World,
    disk_encryption_set,
    error_of,
    properties_of,
    version_patch,
    version_put,
)

MANAGED = f"{GROUP}/providers/Microsoft.Compute/images/template"
GONE = f"Source was not found: {SOURCE}. Please make sure the source exists."
EAST, WEST = disk_encryption_set("east"), disk_encryption_set("west")
ELSEWHERE = disk_encryption_set("far", GROUP.replace("5d3f6b5e", "99999999"))


def tell(world: World, resource_id: str, **rest: object) -> None:
    world.api.cloud.inventory.put([{"id": resource_id, **rest}])


def refusal(world: World, method: str, path: str, body: object = None) -> tuple[int, str, str]:
    answer = world.call(method, path, body)
    error = error_of(answer)
    return answer.status, error["code"], error["message"]


def encrypted(region: str, system: str | None, *data: tuple[int, str]) -> dict[str, Any]:
    encryption: dict[str, Any] = {}
    if system:
        encryption["osDiskImage"] = {"diskEncryptionSetId": system}
    if data:
        encryption["dataDiskImages"] = [
            {"lun": lun, "diskEncryptionSetId": set_id} for lun, set_id in data
        ]
    return {"name": region, "encryption": encryption}


def put_with_disks(*regions: str | dict[str, Any], luns: tuple[int, ...] = (0, 9)) -> Any:
    body = version_put(*regions)
    body["properties"]["storageProfile"]["dataDiskImages"] = [{"lun": lun} for lun in luns]
    return body


def test_new_regions_are_refused_once_the_source_was_deleted(world: World) -> None:
    world.with_version("eastus")
    tell(world, SOURCE, exists=False)
    added = version_patch("eastus", "westus")
    assert refusal(world, "PATCH", VERSION, added) == (404, "NotFound", GONE)
    assert world.listed() == ["East US"]
    assert world.call("PATCH", VERSION, version_patch("eastus")).status == 200
    world.behave(new_regions_need_source=False)
    assert world.call("PATCH", VERSION, added).status == 200


def test_a_source_that_comes_back_can_be_copied_again(world: World) -> None:
    world.with_image()
    tell(world, SOURCE, exists=False)
    assert refusal(world, "PUT", VERSION, version_put("eastus")) == (404, "NotFound", GONE)
    tell(world, SOURCE)
    assert world.call("PUT", VERSION, version_put("eastus")).status == 201


def test_an_unknown_source_is_refused_where_azure_s_rule_is_switched_on(world: World) -> None:
    world.with_image().behave(unknown_resources="refuse")
    assert refusal(world, "PUT", VERSION, version_put("eastus")) == (404, "NotFound", GONE)


def test_a_source_of_another_region_is_refused(world: World) -> None:
    world.with_image()
    tell(world, SOURCE, region="West US")
    status, code, message = refusal(world, "PUT", VERSION, version_put("eastus"))
    assert (status, code) == (404, "NotFound")
    assert "is in the same region as gallery image version being created" in message


def test_a_version_that_is_a_source_vanishes_with_its_deletion(world: World) -> None:
    second = f"{IMAGE}/versions/2.0.0"
    world.with_version("eastus")
    body = version_put("eastus")
    body["properties"]["storageProfile"]["source"] = {"id": VERSION}
    assert world.call("PUT", second, body).status == 201
    world.call("DELETE", VERSION)
    world.seconds += 36_000
    assert world.call("GET", VERSION).status == 404
    status, _, message = refusal(world, "PATCH", second, version_patch("eastus", "westus"))
    assert (status, VERSION in message) == (404, True)


@pytest.mark.parametrize("kind", ["disks", "snapshots"])
def test_a_disk_or_snapshot_can_vanish_too(world: World, kind: str) -> None:
    disk = f"{GROUP}/providers/Microsoft.Compute/{kind}/system"
    body = version_put("eastus")
    body["properties"]["storageProfile"] = {"osDiskImage": {"source": {"id": disk}}}
    assert world.with_image().call("PUT", VERSION, body).status == 201
    tell(world, disk, exists=False)
    status, _, message = refusal(world, "PATCH", VERSION, version_patch("eastus", "westus"))
    assert (status, disk in message) == (404, True)


def test_two_sources_are_refused(world: World) -> None:
    body = version_put("eastus")
    body["properties"]["storageProfile"]["source"]["virtualMachineId"] = SOURCE
    status, code, message = refusal(world.with_image(), "PUT", VERSION, body)
    assert (status, code) == (400, "InvalidParameter")
    assert "One and only one source type" in message


def test_another_disk_source_and_a_new_data_disk_are_refused(world: World) -> None:
    disk = f"{GROUP}/providers/Microsoft.Compute/disks/one"
    body = version_put("eastus")
    body["properties"]["storageProfile"] = {"osDiskImage": {"source": {"id": disk}}}
    assert world.with_image().call("PUT", VERSION, body).status == 201
    other = version_patch("eastus")
    other["properties"]["storageProfile"] = {"osDiskImage": {"source": {"id": f"{disk}2"}}}
    status, code, message = refusal(world, "PATCH", VERSION, other)
    assert (status, code) == (409, "PropertyChangeNotAllowed")
    assert "galleryImageVersion.properties.storageProfile.osDiskImage.source.id" in message
    more = version_patch("eastus")
    more["properties"]["storageProfile"] = {"dataDiskImages": [{"lun": 4, "source": {"id": disk}}]}
    assert refusal(world, "PATCH", VERSION, more)[:2] == (400, "InvalidParameter")


SETS: list[tuple[str, list[dict[str, Any]], int, str]] = [
    (
        "one that is not in the new region",
        [encrypted("eastus", EAST), encrypted("westus", EAST)],
        404,
        f"The disk encryption set {EAST} was not found.",
    ),
    (
        "one that is nowhere",
        [encrypted("eastus", EAST), encrypted("westus", disk_encryption_set("none"))],
        404,
        "was not found.",
    ),
    ("no id", [encrypted("eastus", "/des")], 400, "osDiskImage.diskEncryptionSetId is invalid."),
    (
        "no id for a data disk",
        [encrypted("eastus", EAST, (0, "/des"))],
        400,
        "dataDiskImages.diskEncryptionSetId is invalid.",
    ),
    (
        "another subscription's",
        [encrypted("eastus", ELSEWHERE)],
        400,
        "must be in the same subscription",
    ),
    (
        "none for a data disk of a new region",
        [encrypted("eastus", EAST, (9, EAST)), encrypted("westus", WEST)],
        400,
        "A disk encryption set is required for disk 'LUN 9' in target region 'West US' since disk",
    ),
    (
        "an unknown lun",
        [encrypted("eastus", EAST, (3, EAST))],
        400,
        "An invalid lun [3] was specified in encryption.dataDiskImages.",
    ),
    (
        "a lun twice",
        [encrypted("eastus", EAST, (9, EAST), (9, EAST))],
        400,
        "Duplicate luns '9' were specified in target region 'East US' encryption.dataDiskImages.",
    ),
]


@pytest.mark.parametrize(
    ("regions", "status", "says"),
    [case[1:] for case in SETS],
    ids=[case[0] for case in SETS],
)
def test_encryption_that_cannot_be_is_refused(
    world: World, regions: list[dict[str, Any]], status: int, says: str
) -> None:
    world.with_image()
    tell(world, EAST, region="eastus")
    tell(world, WEST, region="westus")
    found = refusal(world, "PUT", VERSION, put_with_disks(*regions))
    assert found[:2] == (status, "NotFound" if status == 404 else "InvalidParameter")
    assert says in found[2]


def test_a_set_in_each_region_is_accepted_and_a_lun_more_is_not(world: World) -> None:
    world.with_image()
    tell(world, WEST, region="westus")
    first = put_with_disks(encrypted("eastus", EAST))
    assert world.call("PUT", VERSION, first).status == 201
    both = version_patch(encrypted("eastus", EAST), encrypted("westus", WEST))
    assert world.call("PATCH", VERSION, both).status == 200
    more = version_patch(encrypted("eastus", EAST, (9, EAST)), encrypted("westus", WEST))
    status, code, message = refusal(world, "PATCH", VERSION, more)
    assert (status, code) == (400, "InvalidParameter")
    assert "Cannot specify new data disk image encryption lun [9]" in message


def test_an_end_of_life_that_is_past_is_refused_and_one_to_come_is_shown_in_utc(
    world: World,
) -> None:
    world.with_image()
    past = version_put("eastus", endOfLifeDate="2020-01-01T00:00:00Z")
    status, code, message = refusal(world, "PUT", VERSION, past)
    assert (status, code, "is in the past" in message) == (400, "InvalidParameter", True)
    to_come = version_put("eastus", endOfLifeDate="2199-05-02T14:59:59.000+02:00")
    shown = properties_of(world.call("PUT", VERSION, to_come))["publishingProfile"]
    assert shown["endOfLifeDate"] == "2199-05-02T12:59:59+00:00"


def test_a_deletion_before_the_end_of_life_is_refused_where_the_version_says_so(
    world: World,
) -> None:
    body = version_put("eastus", endOfLifeDate="2199-05-02")
    body["properties"]["safetyProfile"] = {"blockDeletionBeforeEndOfLife": True}
    assert world.with_image().call("PUT", VERSION, body).status == 201
    assert refusal(world, "DELETE", VERSION)[:2] == (409, "OperationNotAllowed")
    allowed = {"properties": {"safetyProfile": {"blockDeletionBeforeEndOfLife": False}}}
    assert world.call("PATCH", VERSION, allowed).status == 200
    assert world.call("DELETE", VERSION).status == 202


def test_disks_of_a_managed_image_show_after_the_copy(world: World) -> None:
    tell(world, MANAGED, disks=[{"lun": 5, "sizeInGB": 64}])
    body = version_put("eastus")
    body["properties"]["storageProfile"] = {"source": {"id": MANAGED}}
    creating = properties_of(world.with_image().call("PUT", VERSION, body))
    assert creating["storageProfile"] == {"source": {"id": MANAGED}}
    world.seconds += 36_000
    storage = world.get(VERSION)["properties"]["storageProfile"]
    assert storage["osDiskImage"] == {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}
    assert storage["dataDiskImages"] == [{"lun": 5, "sizeInGB": 64, "hostCaching": "ReadOnly"}]


def test_the_control_api_tells_of_resources_and_deletes_them(arm: Arm) -> None:
    arm.make_image()
    assert arm.arm("PUT", VERSION, version_put("eastus")).status == 201
    arm.control("PUT", "resources", [{"id": SOURCE, "exists": False}])
    (known,) = [one for one in arm.control("GET", "resources") if one["id"] == SOURCE]
    assert known == {"id": SOURCE, "region": None, "exists": False, "disks": []}
    refused = arm.arm("PATCH", VERSION, version_patch("eastus", "westus"))
    assert (refused.status, refused.code) == (404, "NotFound")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [{}],
        [{"id": "/x"}],
        [{"id": SOURCE, "here": True}],
        [{"id": SOURCE, "region": "atlantis"}],
        [{"id": SOURCE, "disks": [{"lun": 0}]}],
    ],
)
def test_a_wrong_resource_is_refused(arm: Arm, wrong: object) -> None:
    assert arm.call("PUT", "/_localcloud/resources", wrong).status in (400, 404)
