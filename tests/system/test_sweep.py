"""The sweep timer finds what no event told of."""

import asyncio
from typing import Any

from localcloud.lab_export import export_image
from tests.support.localcloud.hosts import eventually, http_call
from tests.support.localcloud.instances import StartApp, StartPart


def test_the_sweep_replicates_a_version_whose_event_was_lost(
    start: StartPart, start_app: StartApp
) -> None:
    arm_url = str(start("arm", "--port", "0", "--time-scale", "2000")["arm"])
    app = start_app(arm_url=arm_url)
    exported = asyncio.run(
        export_image(
            arm_url=arm_url,
            image="unheard",
            version=None,
            region="northeurope",
            size_gb=30,
            data_disks=1,
            os_state="Generalized",
        )
    )
    assert app.get("/api/v1/replications")["items"] == []
    ran = http_call(
        f"{app.url}/admin/functions/sweep",
        method="POST",
        body=b'{"input": ""}',
        headers={"Content-Type": "application/json"},
    )
    assert ran.status == 202

    def finished() -> dict[str, Any] | None:
        one = app.replication_of(exported.id)
        return one if one and one["phase"] == "succeeded" else None

    done = eventually(finished)
    assert [region["region"] for region in done["regions"]] == ["westeurope"]
    assert done["trigger"].startswith("sweep")
