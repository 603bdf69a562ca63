"""What a lab does when it exports its template."""

import pytest

from localcloud.lab_export import (
    DEFAULT_GALLERY,
    DEFAULT_RESOURCE_GROUP,
    ExportedVersion,
    ExportRefusedError,
    export_image,
    tell_of_resource,
)
from tests.support.localcloud.arm import Arm, Loop


def export(loop: Loop, arm: Arm, version: str | None = None, **others: object) -> ExportedVersion:
    wanted: dict[str, object] = {
        "region": "eastus",
        "size_gb": 40,
        "data_disks": 2,
        "os_state": "Specialized",
    }
    return loop.run(
        export_image(
            arm_url=arm.url,
            image="biology",
            version=version,
            **{**wanted, **others},  # type: ignore[arg-type]  # a table of keywords
        )
    )


def test_the_first_export_makes_the_gallery_and_the_definition(loop: Loop, arm: Arm) -> None:
    exported = export(loop, arm)
    assert exported.created_definition
    assert exported.id.endswith(
        f"/resourceGroups/{DEFAULT_RESOURCE_GROUP}/providers/Microsoft.Compute/galleries/"
        f"{DEFAULT_GALLERY}/images/biology/versions/1.0.0"
    )
    definition = arm.arm("GET", exported.id.split("/versions/")[0]).body["properties"]
    assert (definition["osState"], definition["hyperVGeneration"]) == ("Specialized", "V2")
    version = arm.arm("GET", exported.id).body
    profile = version["properties"]["publishingProfile"]
    assert [one["name"] for one in profile["targetRegions"]] == ["East US"]
    storage = version["properties"]["storageProfile"]
    assert "/virtualMachines/" in storage["source"]["virtualMachineId"]
    assert len(storage["dataDiskImages"]) == 2


def test_the_next_export_takes_the_next_number_over_all_pages(loop: Loop, arm: Arm) -> None:
    arm.control("PUT", "behaviour", {"list_page_size": 1})
    export(loop, arm, "1.2.9")
    export(loop, arm, "1.2.10")
    exported = export(loop, arm)
    assert exported.id.endswith("/versions/1.2.11")
    assert not exported.created_definition


def test_a_refusal_tells_what_resource_manager_said(loop: Loop, arm: Arm) -> None:
    with pytest.raises(ExportRefusedError, match="LocationNotAvailableForResourceType"):
        export(loop, arm, region="atlantis")
    with pytest.raises(ExportRefusedError, match="version name"):
        export(loop, arm, "one")


def test_an_export_waits_as_long_as_a_busy_service_asks_and_goes_on(loop: Loop, arm: Arm) -> None:
    fault = {"status": 429, "retry_after_s": 0}
    arm.control("PUT", "faults", [{"fault": fault, "times": 2}])
    assert export(loop, arm).created_definition


def test_an_export_without_a_resource_manager_says_so(loop: Loop) -> None:
    with pytest.raises(ExportRefusedError, match="no Resource Manager answers"):
        export(loop, Arm("http://127.0.0.1:9"))


def test_an_export_makes_its_source_which_can_be_deleted_after_it(loop: Loop, arm: Arm) -> None:
    exported = export(loop, arm)
    source = arm.arm("GET", exported.id).body["properties"]["storageProfile"]["source"]
    (known,) = [
        one
        for one in arm.control("GET", "resources")
        if one["id"] == source["virtualMachineId"] and one["exists"]
    ]
    assert known["region"] == "eastus"
    loop.run(tell_of_resource(arm_url=arm.url, resource_id=known["id"], exists=False))
    more = {
        "properties": {
            "publishingProfile": {"targetRegions": [{"name": "eastus"}, {"name": "westus"}]}
        }
    }
    refused = arm.arm("PATCH", exported.id, more)
    assert (refused.status, refused.code) == (404, "NotFound")
    assert f"Source was not found: {known['id']}." in refused.text


def test_a_resource_that_has_no_id_is_refused_in_the_simulator_s_words(
    loop: Loop, arm: Arm
) -> None:
    with pytest.raises(ExportRefusedError, match=r"id of a resource of Microsoft\.Compute"):
        loop.run(tell_of_resource(arm_url=arm.url, resource_id="vm", exists=False))
