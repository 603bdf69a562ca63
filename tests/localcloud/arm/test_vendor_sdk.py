"""The vendor's own clients, unpatched, against the simulator."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Self

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient as AsyncComputeManagementClient
from azure.mgmt.compute.models import (
    Gallery,
    GalleryArtifactVersionFullSource,
    GalleryImage,
    GalleryImageIdentifier,
    GalleryImageProperties,
    GalleryImageUpdate,
    GalleryImageVersion,
    GalleryImageVersionProperties,
    GalleryImageVersionPublishingProfile,
    GalleryImageVersionStorageProfile,
    GalleryImageVersionUpdate,
    GalleryProperties,
    GalleryUpdate,
    TargetRegion,
)
from azure.mgmt.resource.subscriptions import SubscriptionClient

from tests.support.localcloud.arm import Arm, StartArm
from tests.support.localcloud.arm_world import SOURCE, SUBSCRIPTION

FAST = 100_000.0
WHERE = ("labs-rg", "labgallery", "biology")


class Credential:
    """A credential that nobody asks for a token: plain http carries none."""

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        raise AssertionError(f"asked for a token for {scopes}")


class AsyncCredential:
    """The same, awaited."""

    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        raise AssertionError(f"asked for a token for {scopes}")

    async def close(self) -> None:
        """Have nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_details: object) -> None:
        """Have nothing to close."""


@pytest.fixture
def fast_arm(start: StartArm) -> Arm:
    arm = start(time_scale=FAST)
    arm.make_group(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{WHERE[0]}")
    return arm


@pytest.fixture
def compute(fast_arm: Arm) -> Iterator[ComputeManagementClient]:
    with ComputeManagementClient(
        Credential(),
        SUBSCRIPTION,
        base_url=fast_arm.url,
        authentication_policy=SansIOHTTPPolicy(),
        retry_total=0,
    ) as client:
        yield client


def version_of(*regions: str) -> GalleryImageVersion:
    return GalleryImageVersion(
        location="eastus",
        properties=GalleryImageVersionProperties(
            publishing_profile=GalleryImageVersionPublishingProfile(
                target_regions=[TargetRegion(name=one) for one in regions]
            ),
            storage_profile=GalleryImageVersionStorageProfile(
                source=GalleryArtifactVersionFullSource(virtual_machine_id=SOURCE)
            ),
        ),
    )


def make_image(compute: ComputeManagementClient) -> None:
    group, gallery, image = WHERE
    made = compute.galleries.begin_create_or_update(group, gallery, Gallery(location="eastus"))
    assert made.result().provisioning_state == "Succeeded"
    definition = GalleryImage(
        location="eastus",
        properties=GalleryImageProperties(
            os_type="Windows",
            os_state="Specialized",
            identifier=GalleryImageIdentifier(publisher="labs", offer="templates", sku="biology"),
        ),
    )
    result = compute.gallery_images.begin_create_or_update(group, gallery, image, definition)
    assert result.result().os_state == "Specialized"


def test_a_version_is_created_updated_polled_to_its_end_and_deleted(
    compute: ComputeManagementClient,
) -> None:
    make_image(compute)
    versions = compute.gallery_image_versions
    poller = versions.begin_create_or_update(*WHERE, "1.0.0", version_of("eastus"))
    created = poller.result()
    assert created.provisioning_state == "Succeeded"
    assert created.replication_status is None
    held = created.publishing_profile
    assert held is not None
    assert held.published_date is not None

    update = GalleryImageVersionUpdate(
        properties=GalleryImageVersionProperties(
            publishing_profile=GalleryImageVersionPublishingProfile(
                target_regions=[TargetRegion(name="East US"), TargetRegion(name="westus2")]
            ),
            storage_profile=GalleryImageVersionStorageProfile(),
        )
    )
    updated = versions.begin_update(*WHERE, "1.0.0", update).result()
    assert updated.provisioning_state == "Succeeded"

    found = versions.get(*WHERE, "1.0.0", expand="ReplicationStatus")
    status, profile = found.replication_status, found.publishing_profile
    assert status is not None
    assert profile is not None
    assert [one.name for one in profile.target_regions or []] == ["East US", "West US 2"]
    assert [(one.region, one.state, one.progress) for one in status.summary or []] == [
        ("eastus", "Completed", 100),
        ("westus2", "Completed", 100),
    ]
    assert status.aggregated_state == "Completed"
    assert profile.published_date == held.published_date

    versions.begin_delete(*WHERE, "1.0.0").result()
    with pytest.raises(ResourceNotFoundError) as missing:
        versions.get(*WHERE, "1.0.0")
    assert missing.value.error is not None
    assert missing.value.error.code == "ResourceNotFound"


def test_lists_are_followed_over_their_pages(
    compute: ComputeManagementClient, fast_arm: Arm
) -> None:
    make_image(compute)
    fast_arm.control("PUT", "behaviour", {"list_page_size": 2})
    group, gallery, image = WHERE
    versions = compute.gallery_image_versions
    for n in range(5):
        versions.begin_create_or_update(*WHERE, f"1.0.{n}", version_of("eastus"), polling=False)
    names = [one.name for one in versions.list_by_gallery_image(*WHERE)]
    assert names == [f"1.0.{n}" for n in range(5)]
    assert [one.name for one in compute.gallery_images.list_by_gallery(group, gallery)] == [image]
    assert [one.name for one in compute.galleries.list()] == [gallery]
    assert [one.name for one in compute.galleries.list_by_resource_group(group)] == [gallery]
    found = compute.galleries.get(group, gallery)
    assert found.identifier is not None
    assert found.identifier.unique_name == f"{SUBSCRIPTION}-LABGALLERY"


def test_galleries_and_definitions_are_updated_and_deleted(
    compute: ComputeManagementClient,
) -> None:
    make_image(compute)
    group, gallery, image = WHERE
    described = GalleryUpdate(properties=GalleryProperties(description="x"))
    assert compute.galleries.begin_update(group, gallery, described).result().description == "x"
    tagged = compute.gallery_images.begin_update(
        group, gallery, image, GalleryImageUpdate(tags={"lab": "7"})
    )
    assert tagged.result().tags == {"lab": "7"}
    with pytest.raises(ResourceExistsError) as refused:
        compute.galleries.begin_delete(group, gallery)
    assert refused.value.error is not None
    assert refused.value.error.code == "CannotDeleteResource"
    compute.gallery_images.begin_delete(group, gallery, image).result()
    compute.galleries.begin_delete(group, gallery).result()
    assert list(compute.galleries.list()) == []


def test_a_refusal_is_read_with_its_code_and_its_target(compute: ComputeManagementClient) -> None:
    make_image(compute)
    with pytest.raises(HttpResponseError) as refused:
        compute.gallery_image_versions.begin_create_or_update(
            *WHERE, "1.0.0", version_of("eastus", "West US 2", "westus2")
        )
    assert refused.value.status_code == 400
    error = refused.value.error
    assert error is not None
    assert (error.code, error.message) == (
        "InvalidParameter",
        "Duplicate regions are not allowed in target publishing regions.",
    )


def test_an_operation_that_fails_is_raised_by_the_poller(
    compute: ComputeManagementClient, fast_arm: Arm
) -> None:
    make_image(compute)
    rule = {"match": {"region": "westus"}, "fault": {"region_state": "Failed"}}
    fast_arm.control("PUT", "faults", [rule])
    poller = compute.gallery_image_versions.begin_create_or_update(
        *WHERE, "1.0.0", version_of("eastus", "westus")
    )
    with pytest.raises(HttpResponseError, match="CrpPirReplicationJobsNotCompleted"):
        poller.result()
    found = compute.gallery_image_versions.get(*WHERE, "1.0.0")
    assert found.provisioning_state == "Failed"


def test_the_subscription_client_reads_subscriptions_and_locations(fast_arm: Arm) -> None:
    with SubscriptionClient(
        Credential(), base_url=fast_arm.url, authentication_policy=SansIOHTTPPolicy()
    ) as client:
        assert [one.state for one in client.subscriptions.list()] == ["Enabled"]
        assert client.subscriptions.get(SUBSCRIPTION).subscription_id == SUBSCRIPTION
        locations = {one.name: one for one in client.subscriptions.list_locations(SUBSCRIPTION)}
    assert len(locations) == 102
    metadata = locations["eastus"].metadata
    assert metadata is not None
    assert (metadata.geography, metadata.region_type) == ("United States", "Physical")


def test_the_asynchronous_client_works_as_well(fast_arm: Arm) -> None:
    async def name_of_gallery() -> str | None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                AsyncComputeManagementClient(
                    AsyncCredential(),
                    SUBSCRIPTION,
                    base_url=fast_arm.url,
                    authentication_policy=SansIOHTTPPolicy(),
                )
            )
            poller = await client.galleries.begin_create_or_update(
                "labs-rg", "labgallery", Gallery(location="eastus")
            )
            return (await poller.result()).name

    assert asyncio.run(name_of_gallery()) == "labgallery"
