"""What the app's gallery makes of parts that the simulator does not find, some by its faults."""

from typing import Any

import pytest

from replication.azure.arm.gallery import ArmGallery
from replication.domain.errors import (
    FailureCode,
    GoneError,
    MissingReferenceError,
    PermanentError,
    ReplicationError,
)
from replication.domain.image_version import ImageVersionId
from replication.domain.region_snapshot import shipped_catalog
from tests.support.arm.stub import open_clients
from tests.support.localcloud.arm import Arm
from tests.support.localcloud.arm_world import VERSION, version_put

CATALOG = shipped_catalog()
ID = ImageVersionId.parse(VERSION)
LIST: list[dict[str, Any]] = [{"name": "East US"}, {"name": "West US 2"}]
SOURCE = "Source was not found: /x/images/mi. Please make sure the source exists."
KEYS = "The disk encryption set /x/diskEncryptionSets/des was not found."


@pytest.fixture
def gallery(arm: Arm) -> ArmGallery:
    arm.make_image()
    return ArmGallery(open_clients(arm.url))


def strike(arm: Arm, method: str, code: str, message: str) -> None:
    fault = {"status": 404, "code": code, "message": message}
    rule = {"match": {"method": method, "path": "/versions/"}, "fault": fault}
    arm.control("PUT", "faults", {"rules": [rule]})


@pytest.mark.parametrize("version_id", [ID, ImageVersionId.parse(VERSION.replace("Bio", "Geo"))])
def test_what_is_not_there_is_gone_for_reads_and_writes(
    gallery: ArmGallery, version_id: ImageVersionId
) -> None:
    assert gallery.read(version_id, CATALOG) is None
    with pytest.raises(GoneError):
        gallery.set_target_regions(version_id, LIST)


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        ("NotFound", SOURCE, FailureCode.SOURCE_MISSING),
        ("ResourceNotFound", SOURCE, FailureCode.SOURCE_MISSING),
        ("ResourceNotFound", KEYS, FailureCode.ENCRYPTION_SET_MISSING),
    ],
)
def test_a_write_that_misses_something_else_is_refused_for_good(
    arm: Arm, gallery: ArmGallery, code: str, said: str, expected: FailureCode
) -> None:
    assert arm.arm("PUT", VERSION, version_put("eastus")).status == 201
    strike(arm, "PATCH", code, said)
    with pytest.raises(MissingReferenceError) as raised:
        gallery.set_target_regions(ID, LIST)
    assert raised.value.code is expected
    assert gallery.read(ID, CATALOG) is not None


def test_a_read_of_a_subscription_that_is_not_there_is_no_word_on_the_version(
    arm: Arm, gallery: ArmGallery
) -> None:
    assert arm.arm("PUT", VERSION, version_put("eastus")).status == 201
    strike(arm, "GET", "SubscriptionNotFound", "The subscription 'x' could not be found.")
    with pytest.raises(PermanentError) as raised:
        gallery.read(ID, CATALOG)
    error: ReplicationError = raised.value
    assert "SubscriptionNotFound" in str(error)
