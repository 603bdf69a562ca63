"""Timers of the running host."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from localcloud.functions.timers.store import BlobTimerStore
from tests.support.localcloud.hosts import Host, eventually, running_host
from tests.support.storage.wire import running_storage


@pytest.fixture(scope="module")
def settings(storage: str) -> dict[str, str]:
    return {"YEARLY": "0 0 0 1 1 *", "AzureWebJobsStorage": storage}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Host]:
    with running_host("timers", tmp_path_factory.mktemp("timers"), **settings) as host:
        yield host


def run_by_hand(
    host: Host, name: str, body: bytes = b'{"input": ""}', kind: str = "application/json"
) -> int:
    headers = {"Content-Type": kind}
    path = f"/admin/functions/{name}"
    return host.call(path, method="POST", body=body, headers=headers).status


def test_a_timer_that_runs_on_startup_has_run_once(host: Host) -> None:
    (record,) = eventually(lambda: host.records("at_start"))
    assert record["past_due"] is False


def test_a_timer_runs_by_hand(host: Host) -> None:
    assert host.records("by_hand") == []
    assert run_by_hand(host, "by_hand") == 202
    eventually(lambda: host.records("by_hand"))
    assert run_by_hand(host, "BY_HAND", b"{}") == 202
    eventually(lambda: len(host.records("by_hand")) == 2)


def test_scheduled_runs_never_overlap_and_one_by_hand_waits_for_nothing(host: Host) -> None:
    eventually(lambda: len(host.records("slow")) >= 6)
    steps = [record["step"] for record in host.records("slow")][:6]
    assert steps == ["begins", "ends"] * 3
    known = len(host.records("slow"))
    assert run_by_hand(host, "slow") == 202
    eventually(
        lambda: (
            [record["step"] for record in host.records("slow")[known - 1 :]].count("begins") >= 2
        )
    )


def test_one_host_of_two_runs_the_timers_and_keeps_their_status_in_the_storage(
    host: Host, tmp_path: Path, settings: dict[str, str]
) -> None:
    eventually(lambda: host.records("at_start"))
    with running_host("timers", tmp_path, **settings) as other:
        eventually(lambda: len(host.records("slow")) >= 8)
        assert other.records("slow") == other.records("at_start") == []
    connection = settings["AzureWebJobsStorage"]
    with ContainerClient.from_connection_string(connection, "azure-webjobs-hosts") as kept:
        names = sorted(kept.list_blob_names())
        assert [name.rpartition("/")[2] for name in names if "at_start" in name] == [
            "Host.Functions.at_start.Listener",
            "status",
        ]
        status = json.loads(kept.download_blob(names[-2]).readall())
    assert status["Next"] == "2027-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [("x", b"{}", 404), ("slow", b"[", 400), ("slow", b"null", 400), ("slow", b"", 415)],
)
def test_a_wrong_call_by_hand_is_refused(host: Host, name: str, body: bytes, status: int) -> None:
    assert run_by_hand(host, name, body) == status
    assert run_by_hand(host, name, body, kind="text/plain") == 415


def test_the_log_level_of_host_json_holds(host: Host) -> None:
    eventually(lambda: host.records("slow"))
    assert "succeeded" not in host.stderr()


def test_a_lease_is_given_up_soon_where_the_storage_is_gone() -> None:
    async def give_up() -> None:
        with running_storage() as connection:
            store = BlobTimerStore.connect(connection, host_id="h")
            assert await store.acquire("slow", 60)
        # As `localcloud up` stops: the storage is gone, and the lease lapses by itself.
        async with asyncio.timeout(10):
            await store.release("slow")
        await store.close()

    asyncio.run(give_up())
