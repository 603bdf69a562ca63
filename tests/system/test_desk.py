"""From a locked gallery to a dead letter, and from the command line back to Completed."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localcloud.lab_export import export_image
from tests.support.localcloud.hosts import clean_environment, eventually, http_call
from tests.support.localcloud.instances import FAST, Instance, StartApp, StartPart

COMMAND = Path(sys.executable).with_name("gallery-replicator")
LOCKED = {
    "match": {"method": "PATCH"},
    "fault": {
        "status": 409,
        "code": "ScopeLocked",
        "message": "The scope cannot perform write operation because it is locked.",
    },
}


def put(url: str, body: object) -> None:
    answer = http_call(url, method="PUT", body=json.dumps(body).encode())
    assert answer.status == 200, answer.text


def in_phase(app: Instance, version_id: str, phase: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        one = app.replication_of(version_id)
        return one if one and one["phase"] == phase else None

    return eventually(found, within_s=60)


@pytest.mark.timeout(180)
def test_what_was_locked_is_on_the_desk_and_completes_when_sent_again(
    start: StartPart, start_app: StartApp, storage: str, tmp_path: Path
) -> None:
    arm_url = str(start("arm", "--port", "0", "--time-scale", "600")["arm"])
    app = start_app(arm_url=arm_url)
    put(f"{arm_url}/_localcloud/events", {"url": app.webhook})
    put(f"{arm_url}/_localcloud/faults", [LOCKED])

    def command(*args: str) -> Any:
        ran = subprocess.run(  # noqa: S603 - our own command
            [COMMAND, *args, "--json"],
            cwd=tmp_path,
            env={
                **clean_environment(),
                **FAST,
                "PATH": os.environ["PATH"],
                "AzureWebJobsStorage": storage,
                "AZURE_RESOURCE_MANAGER_URL": arm_url,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    exported = asyncio.run(
        export_image(
            arm_url=arm_url, image="chemistry", version="1.0.0", region="japaneast", size_gb=30
        )
    )
    failed = in_phase(app, exported.id, "failed")
    assert failed["failure"]["code"] == "locked"
    assert failed["failure"]["runbook"] == "docs/runbook.md#locked"

    (letter,) = command("dead-letters", "list")["items"]
    assert (letter["code"], letter["regions"]) == ("locked", ["japanwest"])
    assert letter["id"] == failed["dead_letter_id"]
    shown = app.get(f"/api/v1/dead-letters/{letter['id']}")
    assert "it is locked" in shown["cause"]
    assert [one["event"] for one in shown["timeline"]][-1] == "giveup"

    put(f"{arm_url}/_localcloud/faults", [])
    counted = command("dead-letters", "replay", "--code", "locked")
    assert counted["count"] == 1
    sent = command("dead-letters", "replay", "--code", "locked", "--token", counted["token"])
    assert (sent["done"], sent["not_done"]) == (1, 0)

    done = in_phase(app, exported.id, "succeeded")
    assert [one["state"] for one in done["regions"]] == ["completed"]
    assert app.get("/api/v1/dead-letters")["items"] == []

    def resolved() -> bool:
        (kept,) = app.get("/api/v1/dead-letters?state=all")["items"]
        return bool(kept["state"] == "resolved")

    # Right after the record says that it is done.
    eventually(resolved, within_s=30)
    command("dead-letters", "discard", letter["id"])
    assert app.get("/api/v1/dead-letters?state=all")["items"] == []
