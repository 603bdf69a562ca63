from typing import Any

import pytest
from hypothesis import given

from replication.azure.arm.image_version import read_version
from replication.domain.image_version import (
    CopyState,
    ImageVersionId,
    MalformedImageVersionError,
    MalformedImageVersionIdError,
    ProvisioningState,
    ReplicationMode,
)
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import InvalidRegionNameError, Region
from tests.support.builders import version_body, version_id
from tests.support.strategies import JSON, anything_at, image_version_ids, outcome

CATALOG = shipped_catalog()
ID = str(version_id())


@given(one=image_version_ids())
def test_an_id_reads_as_it_was_written_in_any_letter_case(one: ImageVersionId) -> None:
    assert ImageVersionId.parse(str(one)) == one
    for other in (str(one).upper(), str(one).lower(), f" {one}/ "):
        assert ImageVersionId.parse(other).key == one.key
    assert len(one.key) == 32


def id_with(**parts: str) -> str:
    fields = {"s": "sub", "g": "rg", "gallery": "lab", "image": "maths", "version": "1.0.0"} | parts
    return (
        f"/subscriptions/{fields['s']}/resourceGroups/{fields['g']}/providers/Microsoft.Compute"
        f"/galleries/{fields['gallery']}/images/{fields['image']}/versions/{fields['version']}"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no resource id"),
        (5, "there is no resource id"),
        (" ", "there is no resource id"),
        ("x" * 1025, "has 1025 characters, more than 1024"),
        (ID.rsplit("/", 2)[0], "is not of the form /subscriptions/"),
        (ID + "/extra/1", "is not of the form"),
        (ID.replace("images", "applications"), "is not of the form"),
        (ID.replace("Microsoft.Compute", "Microsoft.Storage"), "is not of the form"),
        (id_with(s=""), "'' is not a name of a subscription"),
        (id_with(g="a b"), "'a b' is not a name of a resource group"),
        (id_with(gallery="lab?x=1"), r"'lab\?x=1' is not a name of a gallery"),
        (id_with(gallery=".."), "'..' is not a name of a gallery"),
        (id_with(image="."), "'.' is not a name of a image definition"),
        (id_with(image="x" * 129), "is not a name of a image definition"),
        (id_with(version="1.0"), "'1.0' is not a version number Major.Minor.Patch"),
        (id_with(version="1.0.0.0"), "'1.0.0.0' is not a version number"),
        (id_with(version="latest"), "'latest' is not a version number"),
        (id_with(version="1.0.-1"), "'1.0.-1' is not a version number"),
        (id_with(version="1.0.2147483648"), "'1.0.2147483648' is not a version number"),
        (id_with(version="1.0." + "9" * 500), "is not a version number"),
        (id_with(version="1.0.٣"), "is not a version number"),
    ],
)
def test_what_is_wrong_with_an_id_is_named(text: Any, said: str) -> None:
    with pytest.raises(MalformedImageVersionIdError, match=said):
        ImageVersionId.parse(text)


def test_the_largest_version_number_is_one() -> None:
    assert ImageVersionId.parse(id_with(version="1.0.2147483647")).version == "1.0.2147483647"


@given(document=anything_at(version_body()))
def test_any_answer_about_a_version_is_read_or_malformed(document: Any) -> None:
    if not isinstance(document, dict):
        return
    read = outcome(
        lambda: read_version(version_id(), document, CATALOG),
        MalformedImageVersionError,
        InvalidRegionNameError,
    )
    assert str(read)


@given(status=JSON)
def test_any_replication_status_is_read_or_malformed(status: Any) -> None:
    body = version_body()
    body["properties"]["replicationStatus"] = {
        "summary": [status, {"region": "x", "state": status}]
    }
    read = outcome(
        lambda: read_version(version_id(), body, CATALOG),
        MalformedImageVersionError,
        InvalidRegionNameError,
    )
    assert str(read)


def test_words_of_the_future_pass() -> None:
    body = version_body(state="Levitating")
    body["properties"]["replicationStatus"] = {
        "summary": [{"region": "East US", "state": "Teleporting", "progress": None}]
    }
    seen = read_version(version_id(), body, CATALOG)
    assert seen.provisioning_state is ProvisioningState.OTHER
    assert not seen.is_changing
    assert seen.replication[Region("eastus")].state is CopyState.UNKNOWN


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0, 0), (42, 42), (99.9, 99), (100, 100), (250, 100), (-3, 0), ("7", None), (True, None)],
)
def test_progress_is_a_whole_percent_or_not_reported(progress: Any, expected: int | None) -> None:
    body = version_body()
    entry = {"region": "eastus", "state": "Replicating", "progress": progress}
    body["properties"]["replicationStatus"] = {"summary": [entry]}
    seen = read_version(version_id(), body, CATALOG)
    assert seen.replication[Region("eastus")].progress == expected


@pytest.mark.parametrize("progress", [float("inf"), float("nan"), -float("inf")])
def test_progress_that_is_no_number_is_not_reported(progress: float) -> None:
    body = version_body()
    entry = {"region": "eastus", "state": "Replicating", "progress": progress}
    body["properties"]["replicationStatus"] = {"summary": [entry]}
    seen = read_version(version_id(), body, CATALOG)
    assert seen.replication[Region("eastus")].progress is None


def test_endless_details_are_cut_to_what_a_record_can_hold() -> None:
    body = version_body()
    entry = {"region": "eastus", "state": "Failed", "details": "so " * 10_000}
    body["properties"]["replicationStatus"] = {"summary": [entry]}
    seen = read_version(version_id(), body, CATALOG)
    assert len(seen.replication[Region("eastus")].details) == 1000


def test_the_provisioned_size_is_that_of_all_disks() -> None:
    body = version_body(size_gb=30)
    body["properties"]["storageProfile"]["dataDiskImages"] = [{"sizeInGB": 10}, {"lun": 1}]
    assert read_version(version_id(), body, CATALOG).size_gb == 40
    del body["properties"]["storageProfile"]
    assert read_version(version_id(), body, CATALOG).size_gb is None


def test_everything_the_answer_says_is_read() -> None:
    body = version_body(state="Updating", mode="Shallow", may_remove=True)
    seen = read_version(version_id(), body, CATALOG)
    assert seen.home_region == Region("eastus")
    assert seen.listed == {Region("eastus")}
    assert seen.replication_mode is ReplicationMode.SHALLOW
    assert seen.is_changing
    assert seen.may_remove_regions
    assert not seen.encrypted


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"location": None}, "has no location"),
        ({"properties": 5}, "properties is int, not an object"),
        ({"properties": {"publishingProfile": []}}, "publishingProfile is list, not an object"),
        (
            {"properties": {"publishingProfile": {"targetRegions": {}}}},
            "targetRegions is not a list of objects",
        ),
        (
            {"properties": {"publishingProfile": {"targetRegions": [5]}}},
            "targetRegions is not a list of objects",
        ),
    ],
)
def test_what_cannot_be_read_of_an_answer_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedImageVersionError, match=said):
        read_version(version_id(), version_body() | changes, CATALOG)


def test_a_version_without_a_list_has_none() -> None:
    body = version_body()
    body["properties"]["publishingProfile"]["targetRegions"] = None
    assert read_version(version_id(), body, CATALOG).target_regions == ()


def test_ids_are_equal_in_any_letter_case() -> None:
    created, listed = version_id(), ImageVersionId.parse(str(version_id()).upper())
    assert created == listed
    assert {created: 1}[listed] == 1
    assert str(created) != str(listed)
    assert created != ImageVersionId.parse(str(created).replace("1.0.0", "1.0.1"))
