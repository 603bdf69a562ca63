"""A version that a gallery with soft delete hid and gave back, over the real parts."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from localcloud.lab_export import API_VERSION, export_image
from tests.support.localcloud.arm import Arm
from tests.support.localcloud.hosts import eventually
from tests.support.localcloud.instances import StartApp, StartPart


@pytest.mark.parametrize("date", ["kept", "new"])
def test_a_restored_version_goes_on_where_it_was(
    start: StartPart, start_app: StartApp, date: str
) -> None:
    arm = Arm(str(start("arm", "--port", "0", "--time-scale", "2000")["arm"]))
    app = start_app(arm_url=arm.url)
    arm.control("PUT", "events", {"url": app.webhook})
    arm.control("PUT", "behaviour", {"restored_published_date": date})
    exported = asyncio.run(export_image(arm_url=arm.url, image="biology", region="northeurope"))
    query = f"?api-version={API_VERSION}"
    policy = {"properties": {"softDeletePolicy": {"isSoftDeleteEnabled": True}}}
    gallery = exported.id.split("/images/")[0]
    assert arm.call("PATCH", f"{gallery}{query}", policy).status == 200

    def ended(phase: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            one = app.replication_of(exported.id)
            return one if one and one["phase"] == phase else None

        return eventually(look)

    before = ended("succeeded")
    assert arm.call("DELETE", f"{exported.id}{query}").status == 202
    ended("superseded")
    eventually(lambda: arm.call("GET", f"{exported.id}{query}").status == 404 or None)
    restored = arm.call("PUT", f"{exported.id}{query}", {"location": "northeurope"})
    assert restored.status == 200
    after = ended("succeeded")
    regions = {one["region"]: one["managed"] for one in after["regions"]}
    assert set(regions) == {one["region"] for one in before["regions"]}
    # With another date it is taken for a version that was made anew, and nothing in it for ours.
    assert set(regions.values()) == {date == "kept"}
    key = quote(before["key"])
    history = app.get(f"/api/v1/replications/{key}")["history"]
    assert ("restored" in [one["event"] for one in history]) == (date == "kept")
