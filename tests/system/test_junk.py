"""Junk events of any amount: no call, no record, no memory, and a real one is done among them."""

import asyncio
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from localcloud.lab_export import export_image
from tests.support.localcloud.hosts import eventually, http_call
from tests.support.localcloud.instances import Instance, StartApp, StartPart

JUNK_EVENTS = int(os.environ.get("JUNK_EVENTS", "2000"))
_A_CALL = 250
_AT_ONCE = 4
_MEMORY_BYTES = 8 * 1024 * 1024
_STRANGERS = "2222-3333-4444-555555555555"


def junk(number: int) -> dict[str, Any]:
    """Return an event of a subscription that nobody knows."""
    stranger = f"/subscriptions/{number:08x}-{_STRANGERS}"
    version = (
        f"{stranger}/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/i"
        f"/versions/1.0.{number}"
    )
    return {
        "id": f"junk-{number}",
        "topic": stranger,
        "subject": version,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-11-23T08:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {"resourceUri": version},
    }


def done_s(app: Instance, arm_url: str, image: str) -> float:
    """Export an image, and return how long it takes until all its copies are there."""
    began_s = time.monotonic()
    version = asyncio.run(export_image(arm_url=arm_url, image=image, size_gb=1))

    def done() -> bool:
        job = app.replication_of(version.id)
        return job is not None and job["phase"] == "succeeded"

    eventually(done)
    return time.monotonic() - began_s


def memory_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_junk_costs_nothing_and_holds_up_no_export(start: StartPart, start_app: StartApp) -> None:
    arm_url = str(start("arm", "--port", "0", "--time-scale", "5000")["arm"])
    app = start_app(arm_url=arm_url)
    webhook = json.dumps({"url": app.webhook}).encode()
    assert http_call(f"{arm_url}/_localcloud/events", method="PUT", body=webhook).status == 200
    usual_s = done_s(app, arm_url, "before")
    numbers = count()
    is_done = threading.Event()

    def send(events: int) -> None:
        assert app.post_events([junk(number) for number in islice(numbers, events)]) == 202

    def send_until_done() -> None:
        while not is_done.is_set():
            send(_A_CALL)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        senders = [pool.submit(send_until_done) for _ in range(_AT_ONCE)]
        try:
            among_s = done_s(app, arm_url, "among")
        finally:
            is_done.set()
        for sender in senders:
            sender.result()
        before = memory_bytes(app.process)
        for sent in [pool.submit(send, _A_CALL) for _ in range(0, JUNK_EVENTS, _A_CALL)]:
            sent.result()
    assert memory_bytes(app.process) - before < _MEMORY_BYTES
    assert among_s < 3 * usual_s + 5
    assert len(app.get("/api/v1/replications")["items"]) == 2
    assert app.get("/api/v1/dead-letters")["items"] == []
    requests = json.loads(http_call(f"{arm_url}/_localcloud/requests").body)
    assert not [one for one in requests if _STRANGERS in one["path"]]
