"""Each operation that the page names as missing is refused with a text that says so."""

from pathlib import Path

import pytest

from tests.support.localcloud.arm import Arm
from tests.support.localcloud.arm_world import GALLERY, GROUP, SUBSCRIPTION

PAGE = Path(__file__).parents[3] / "docs" / "local-cloud.md"
COMPUTE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute"
LOCATION = f"{COMPUTE}/locations/eastus"
MISSING = [
    ("POST", f"{GALLERY}/share", "/share`"),
    ("GET", f"{LOCATION}/sharedGalleries", "/sharedGalleries`"),
    ("GET", f"{LOCATION}/sharedGalleries/x/images", "/sharedGalleries`"),
    ("GET", f"{LOCATION}/communityGalleries/x", "/communityGalleries/{name}`"),
    ("PUT", f"{GALLERY}/applications/x", "/applications`"),
    ("PUT", f"{GALLERY}/inVMAccessControlProfiles/x", "/inVMAccessControlProfiles`"),
    ("GET", f"/subscriptions/{SUBSCRIPTION}/resourceGroups", "/resourceGroups`"),
    ("GET", f"/subscriptions/{SUBSCRIPTION}/providers", "/providers`"),
    *(
        ("PUT", f"{GROUP}/providers/Microsoft.Compute/{kind}/x", f"…/{kind}`")
        for kind in ("virtualMachines", "images", "disks", "snapshots", "diskEncryptionSets")
    ),
]


@pytest.mark.parametrize(("method", "path", "named"), MISSING)
def test_a_missing_operation_is_named_and_refused(
    arm: Arm, method: str, path: str, named: str
) -> None:
    assert named in PAGE.read_text("utf-8")
    refused = arm.arm(method, path, {} if method != "GET" else None)
    assert (refused.status, refused.code) == (404, "InvalidResourceType")
    assert "could not be found in this simulator: it knows" in refused.text
