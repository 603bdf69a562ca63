"""What is refused, with the service's own codes and sentences."""

from typing import Any

import pytest

from tests.support.localcloud.arm_world import (
    GALLERIES,
    GALLERY,
    GROUP,
    IMAGE,
    SUBSCRIPTION,
    VERSION,
    World,
    error_of,
    version_patch,
    version_put,
)

ZRS = "Standard_ZRS"
CREATIONS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "no home region",
        version_put("westus", "westus2"),
        "InvalidParameter",
        (
            "Gallery image version publishing profile regions <West US, West US 2> must contain "
            "the location of image version <East US>."
        ),
    ),
    (
        "a region twice",
        version_put("eastus", "westus", "westus"),
        "InvalidParameter",
        "Duplicate regions are not allowed in target publishing regions.",
    ),
    (
        "a region in two spellings",
        version_put("eastus", "West US 2", "westus2"),
        "InvalidParameter",
        "Duplicate regions are not allowed in target publishing regions.",
    ),
    (
        "an unknown region",
        version_put("eastus", "atlantis"),
        "LocationNotAvailableForResourceType",
        (
            "The provided location 'atlantis' is not available for resource type "
            "'Microsoft.Compute/galleries'. List of available regions for the resource type is"
        ),
    ),
    (
        "a region that the provider does not offer",
        version_put("eastus", "swedensouth"),
        "LocationNotAvailableForResourceType",
        "The provided location 'swedensouth' is not available",
    ),
    (
        "no location",
        {"properties": version_put("eastus")["properties"]},
        "LocationRequired",
        "The location property is required",
    ),
    (
        "no source",
        {"location": "eastus", "properties": {"storageProfile": {}}},
        "InvalidParameter",
        "Required parameter 'galleryImageVersion.properties.storageProfile' is missing (null).",
    ),
    (
        "no replicas",
        version_put({"name": "eastus", "regionalReplicaCount": 0}),
        "InvalidParameter",
        (
            "The value 0 of parameter galleryImageVersion.properties.publishingProfile"
            ".targetRegions.regionalReplicaCount is out of range. The value must be between 1 and "
            "100, inclusive."
        ),
    ),
    (
        "too many replicas by default",
        version_put("eastus", replicaCount=101),
        "InvalidParameter",
        "The value must be between 1 and 100, inclusive.",
    ),
    (
        "zone-redundant storage in a region without zones",
        version_put("eastus", {"name": "westus", "storageAccountType": ZRS}),
        "InvalidParameter",
        "ZRS storage account type is not supported in this region.",
    ),
    (
        "encryption in some regions only",
        version_put(
            {"name": "eastus", "encryption": {"osDiskImage": {"diskEncryptionSetId": "/des"}}},
            "westus",
        ),
        "InvalidParameter",
        (
            "A disk encryption set is required for disk 'galleryArtifactVersion.properties."
            "publishingProfile.targetRegions.encryption.osDiskImage.diskEncryptionSetId' in target "
            "region 'West US' since disk encryption set '/des' is used for the corresponding disk "
            "in region 'East US'"
        ),
    ),
    (
        "a storage type that is none",
        version_put({"name": "eastus", "storageAccountType": "Floppy"}),
        "InvalidParameter",
        "it should be one of Standard_LRS",
    ),
    (
        "a disk that is too large",
        version_put("eastus", size_gb=2520),
        "InvalidParameter",
        "source resource size 2520 exceeds the max size 2048 supported",
    ),
    (
        "a region without a name",
        version_put({"regionalReplicaCount": 1}),
        "InvalidParameter",
        "targetRegions.name' is missing (null).",
    ),
    (
        "regions that are no list",
        {**version_put("eastus"), "properties": {"publishingProfile": {"targetRegions": "eastus"}}},
        "InvalidParameter",
        "",
    ),
    (
        "tags that are no texts",
        {**version_put("eastus"), "tags": {"a": 1}},
        "InvalidParameter",
        "tags is invalid",
    ),
    (
        "an end of life that is no date",
        version_put("eastus", endOfLifeDate="someday"),
        "InvalidParameter",
        "endOfLifeDate is invalid",
    ),
]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [pytest.param(*row[1:], id=row[0]) for row in CREATIONS],
)
def test_a_creation_is_refused(world: World, body: dict[str, Any], code: str, message: str) -> None:
    answer = world.with_image().call("PUT", VERSION, body)
    assert (answer.status, error_of(answer)["code"]) == (400, code)
    assert message in error_of(answer)["message"]
    assert world.call("GET", VERSION).status == 404


@pytest.mark.parametrize(
    "name", ["1.0", "1.0.0.0", "v1.0.0", "1.0.x", "latest", "1.0.2147483648", "1.0.-1", "1.0.٣"]
)
def test_a_version_name_is_three_numbers(world: World, name: str) -> None:
    answer = world.with_image().call("PUT", f"{IMAGE}/versions/{name}", version_put("eastus"))
    assert answer.status == 400
    assert error_of(answer)["target"] == "galleryImageVersionName"


def test_a_child_needs_its_parent(world: World) -> None:
    orphan = world.call("PUT", IMAGE, {"location": "eastus"})
    assert (orphan.status, error_of(orphan)["code"]) == (404, "ParentResourceNotFound")
    world.with_image()
    other = f"{GALLERY}/images/Other/versions/1.0.0"
    orphan = world.call("PUT", other, version_put("eastus"))
    assert (orphan.status, error_of(orphan)["code"]) == (404, "ParentResourceNotFound")
    assert "galleries/LabGallery/images/Other" in error_of(orphan)["message"]


@pytest.mark.parametrize("path", [GALLERY, IMAGE, VERSION, f"{IMAGE}/versions"])
def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    answer = world.call("GET", path)
    assert (answer.status, error_of(answer)["code"]) == (404, "ResourceNotFound")
    assert error_of(answer)["message"].startswith("The Resource 'Microsoft.Compute/galleries/")


def test_only_a_put_creates(world: World) -> None:
    world.with_image()
    assert world.call("PATCH", VERSION, version_patch("eastus")).status == 404
    assert world.call("PATCH", f"{GALLERIES}/none", {}).status == 404


def test_the_storage_type_of_an_existing_region_cannot_change(world: World) -> None:
    world.with_version("eastus", {"name": "westus2", "storageAccountType": ZRS})
    other = {"name": "westus2", "storageAccountType": "Standard_LRS"}
    answer = world.call("PATCH", VERSION, version_patch("eastus", other))
    assert (answer.status, error_of(answer)["code"]) == (409, "PropertyChangeNotAllowed")


def test_an_existing_region_without_a_storage_type_must_not_differ_from_the_global_one(
    world: World,
) -> None:
    world.with_version("eastus", {"name": "westus2", "storageAccountType": ZRS})
    answer = world.call("PATCH", VERSION, version_patch("eastus", "westus2"))
    assert answer.status == 400
    assert error_of(answer)["message"] == (
        "Global storage account type does not match the storage account type in the existing "
        "TargetRegion: 'West US 2'. Please specify 'Standard_ZRS' as the storage account type for "
        "this region."
    )


@pytest.mark.parametrize("key", ["id", "virtualMachineId"])
def test_the_source_cannot_change(world: World, key: str) -> None:
    world.with_version()
    body = version_put("eastus")
    body["properties"]["storageProfile"]["source"] = {key: f"{GROUP}/other"}
    answer = world.call("PUT", VERSION, body)
    assert (answer.status, error_of(answer)["code"]) == (409, "PropertyChangeNotAllowed")
    assert error_of(answer)["message"] == (
        f"Changing property 'galleryImageVersion.properties.storageProfile.source.{key}' is not "
        "allowed."
    )


@pytest.mark.parametrize(
    ("key", "value"), [("storageAccountType", "Premium_LRS"), ("replicationMode", "Shallow")]
)
def test_what_a_version_is_made_of_cannot_change(world: World, key: str, value: str) -> None:
    world.with_version()
    answer = world.call("PATCH", VERSION, version_patch("eastus", **{key: value}))
    assert (answer.status, error_of(answer)["code"]) == (409, "PropertyChangeNotAllowed")


def test_a_resource_cannot_move(world: World) -> None:
    world.with_version("eastus", "westus")
    for path, body in (
        (GALLERY, {"location": "westus"}),
        (VERSION, version_put("eastus", "westus", location="westus")),
    ):
        answer = world.call("PUT", path, body)
        assert (answer.status, error_of(answer)["code"]) == (409, "InvalidResourceLocation")


def test_a_version_that_is_marked_for_deletion_takes_no_update(world: World) -> None:
    world.with_version()
    world.call("DELETE", VERSION)
    answer = world.call("PATCH", VERSION, version_patch("eastus", "westus"))
    assert (answer.status, error_of(answer)["code"]) == (409, "OperationNotAllowed")
    assert error_of(answer)["message"].endswith("since it is marked for deletion.")


def test_a_version_has_at_most_100_replicas(world: World) -> None:
    many = [{"name": name, "regionalReplicaCount": 34} for name in ("eastus", "westus", "westus2")]
    answer = world.with_image().call("PUT", VERSION, version_put(*many))
    assert (answer.status, error_of(answer)["code"]) == (409, "QuotaExceeded")


def test_soft_limits_hold_for_each_subscription(world: World) -> None:
    cloud = world.with_version().api.cloud
    cloud.max_galleries = cloud.max_images = cloud.max_versions = 1
    definition = {
        "location": "eastus",
        "properties": {
            "osType": "Linux",
            "osState": "Generalized",
            "identifier": {"publisher": "a", "offer": "b", "sku": "c"},
        },
    }
    full = [
        world.call("PUT", f"{GALLERIES}/another", {"location": "eastus"}),
        world.call("PUT", f"{GALLERY}/images/another", definition),
        world.call("PUT", f"{IMAGE}/versions/2.0.0", version_put("eastus")),
    ]
    assert [(one.status, error_of(one)["code"]) for one in full] == [(409, "QuotaExceeded")] * 3
    assert world.call("PATCH", VERSION, version_patch("eastus")).status == 200
    elsewhere = GALLERIES.replace(SUBSCRIPTION, SUBSCRIPTION.replace("5", "6"))
    world.put_group(elsewhere.split("/providers/")[0])
    assert world.call("PUT", f"{elsewhere}/another", {"location": "eastus"}).status == 201


def test_the_limit_of_versions_is_one_for_each_region_and_counts_what_is_deleted_no_more(
    world: World,
) -> None:
    world.with_version().api.cloud.max_versions = 1
    west = version_put("westus", location="westus")
    assert world.call("PUT", f"{IMAGE}/versions/2.0.0", west).status == 201
    world.call("DELETE", VERSION)
    world.seconds += 36_000
    assert world.call("GET", VERSION).status == 404
    assert world.call("PUT", VERSION, version_put("eastus")).status == 201


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"location": NaN}',
        b'{"location": 1e999}',
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(world: World, raw: bytes) -> None:
    world.with_image()
    answer = world.call("PUT", VERSION, raw)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidRequestContent")


@pytest.mark.parametrize("subscription", ["abc", "0" * 36, SUBSCRIPTION + "0"])
def test_a_subscription_is_a_guid(world: World, subscription: str) -> None:
    answer = world.call(
        "GET", f"/subscriptions/{subscription}/locations", query={"api-version": "2022-12-01"}
    )
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidSubscriptionId")


@pytest.mark.parametrize("path", [VERSION, f"/subscriptions/{SUBSCRIPTION}/locations"])
def test_an_api_version_is_required(world: World, path: str) -> None:
    answer = world.call("GET", path, query={"api-version": ""})
    assert (answer.status, error_of(answer)["code"]) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    ("path", "code", "accepted"),
    [
        (VERSION, "NoRegisteredProviderFound", "2026-03-03"),
        (f"/subscriptions/{SUBSCRIPTION}/locations", "InvalidApiVersionParameter", "2022-12-01"),
        ("/subscriptions", "InvalidApiVersionParameter", "2022-12-01"),
    ],
)
def test_an_unknown_api_version_is_refused_with_the_known_ones(
    world: World, path: str, code: str, accepted: str
) -> None:
    answer = world.call("GET", path, query={"api-version": "2026-02-30"})
    assert (answer.status, error_of(answer)["code"]) == (400, code)
    assert accepted in error_of(answer)["message"]


@pytest.mark.parametrize(
    "api_version",
    [
        "2019-12-01",
        "2020-09-30",
        "2021-07-01",
        "2022-03-03",
        "2022-08-03",
        "2023-07-03",
        "2024-03-03",
        "2025-03-03",
        "2026-03-03",
    ],
)
def test_gallery_api_versions_are_answered(world: World, api_version: str) -> None:
    assert world.with_version().get(VERSION, api_version=api_version)["id"] == VERSION


@pytest.mark.parametrize("expand", ["replicationStatus", "UefiSettings,ReplicationStatus"])
def test_expand_is_a_list_in_any_case(world: World, expand: str) -> None:
    assert "replicationStatus" in world.with_version().get(VERSION, expand=expand)["properties"]


def test_an_unknown_expansion_is_refused(world: World) -> None:
    answer = world.with_version().call("GET", VERSION, query={"$expand": "Everything"})
    assert (answer.status, error_of(answer)["target"]) == (400, "$expand")


def test_a_method_that_nobody_answers_is_405_with_those_that_are(world: World) -> None:
    answer = world.call("POST", VERSION, {})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, PUT, PATCH, DELETE")
