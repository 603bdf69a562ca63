"""Timers of the running host."""

from collections.abc import Iterator

import pytest

from tests.support.localcloud.hosts import Host, eventually, running_host


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host("timers", tmp_path_factory.mktemp("timers"), YEARLY="0 0 0 1 1 *") as host:
        yield host


def run_by_hand(host: Host, name: str, body: bytes = b'{"input": ""}') -> int:
    return host.call(f"/admin/functions/{name}", method="POST", body=body).status


def test_a_timer_that_runs_on_startup_has_run_once(host: Host) -> None:
    (record,) = eventually(lambda: host.records("at_start"))
    assert record["past_due"] is False


def test_a_timer_runs_by_hand(host: Host) -> None:
    assert host.records("by_hand") == []
    assert run_by_hand(host, "by_hand") == 202
    eventually(lambda: host.records("by_hand"))
    assert run_by_hand(host, "by_hand", b"") == 202
    eventually(lambda: len(host.records("by_hand")) == 2)


def test_a_timer_that_is_slower_than_its_schedule_never_overlaps_itself(host: Host) -> None:
    eventually(lambda: host.records("slow"))
    assert run_by_hand(host, "slow") == 202
    eventually(lambda: len(host.records("slow")) >= 6)
    steps = [record["step"] for record in host.records("slow")][:6]
    assert steps == ["begins", "ends"] * 3


@pytest.mark.parametrize(("name", "body", "status"), [("x", b"{}", 404), ("slow", b"[", 400)])
def test_a_wrong_call_by_hand_is_refused(host: Host, name: str, body: bytes, status: int) -> None:
    assert run_by_hand(host, name, body) == status


def test_the_log_level_of_host_json_holds(host: Host) -> None:
    eventually(lambda: host.records("slow"))
    assert "succeeded" not in host.stderr()
