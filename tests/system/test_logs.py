"""What a whole export writes into the log."""

import asyncio
import json
from typing import Any

from localcloud.functions.keys import Keys
from localcloud.lab_export import export_image
from tests.support.documents import PROJECT
from tests.support.localcloud.hosts import eventually, http_call
from tests.support.localcloud.instances import StartApp, StartPart

KEY = "a-key-that-no-line-may-hold"


def test_a_whole_export_writes_no_line_that_is_not_ours(
    start: StartPart, start_app: StartApp
) -> None:
    arm_url = str(start("arm", "--port", "0", "--time-scale", "2000")["arm"])
    app = start_app(
        arm_url=arm_url,
        AZURE_FUNCTIONS_ENVIRONMENT="Production",
        LOCALCLOUD_FUNCTIONS_KEY=KEY,
    )
    exported = asyncio.run(
        export_image(
            arm_url=arm_url,
            image="heard",
            version=None,
            region="northeurope",
            size_gb=30,
            data_disks=1,
            os_state="Generalized",
        )
    )
    headers = {"x-functions-key": KEY, "Content-Type": "application/json"}
    by_hand = f"{app.url}/admin/functions/sweep"
    master = {**headers, "x-functions-key": Keys.of(KEY).master}
    assert http_call(by_hand, method="POST", body=b"{}", headers=master).status == 202

    def finished() -> dict[str, Any] | None:
        one = app.replication_of(exported.id, headers=headers)
        return one if one and one["phase"] == "succeeded" else None

    eventually(finished)
    assert http_call(f"{app.url}/api/v1/health?code={KEY}&x=1").status == 200
    lines = app.log.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if ".User: " in line or "Worker: " in line] == []
    assert any('"event"' in line for line in lines)
    assert [line for line in lines if KEY in line or "http://" in line] == []


def test_every_log_level_names_a_category_that_the_host_has() -> None:
    document = json.loads((PROJECT / "host.json").read_text(encoding="utf-8"))
    levels = document["logging"]["logLevel"]
    assert levels["Azure.Core"] == "Warning"
    own = ("default", "Azure.Core", "Function", "Host", "Microsoft", "Worker")
    assert [key for key in levels if not key.startswith(own)] == []
