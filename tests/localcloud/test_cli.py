"""The `localcloud` command as a user sees it."""

import http.client
import signal
import socket
import subprocess
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.storage.queue import QueueClient

from localcloud.parts import free_port_block, require_free
from localcloud.process import StartError
from localcloud.up import Ports, function_settings, policy_path
from tests.support.localcloud.hosts import (
    APPS,
    eventually,
    http_call,
    ready_line,
    run_localcloud,
    start_localcloud,
)


def settings(environment: dict[str, str], time_scale: float = 60.0) -> dict[str, str]:
    return function_settings(
        environment,
        storage="CONNECTION",
        arm_url="http://arm",
        policy=Path("/p.yaml"),
        time_scale=time_scale,
    )


def test_the_app_is_pointed_at_the_local_cloud_with_delays_that_fit_its_clock() -> None:
    assert settings({}) == {
        "AzureWebJobsStorage": "CONNECTION",
        "AZURE_RESOURCE_MANAGER_URL": "http://arm",
        "RETAIL_PRICES_URL": "http://arm/api/retail/prices",
        "REPLICATION_POLICY": "/p.yaml",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "TRACKING_MIN_DELAY_S": "0.5",
        "TRACKING_MAX_DELAY_S": "60",
        "RETRY_BASE_DELAY_S": "0.5",
        "RETRY_MAX_DELAY_S": "5",
        "LEASE_DURATION_S": "30",
    }
    assert settings({}, time_scale=1)["TRACKING_MIN_DELAY_S"] == "15"
    assert settings({}, time_scale=1e6)["TRACKING_MAX_DELAY_S"] == "2"


def test_another_environment_than_development_stays_what_it_is() -> None:
    own = {"AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}
    assert settings(own)["AZURE_FUNCTIONS_ENVIRONMENT"] == "Staging"


def test_delays_and_a_policy_that_the_user_set_stay_and_a_foreign_storage_does_not() -> None:
    own = {"LEASE_DURATION_S": "7", "REPLICATION_POLICY": "/own", "AzureWebJobsStorage": "CLOUD"}
    result = settings(own)
    assert (result["LEASE_DURATION_S"], result["REPLICATION_POLICY"]) == ("7", "/own")
    assert result["AzureWebJobsStorage"] == "CONNECTION"


def test_the_state_directorys_policy_comes_before_the_projects(tmp_path: Path) -> None:
    project, state = tmp_path / "project", tmp_path / "state"
    state.mkdir()
    assert policy_path(project, state) == project / "replication-policy.yaml"
    (state / "replication-policy.yaml").write_text("")
    assert policy_path(project, state) == state / "replication-policy.yaml"


def test_ports_are_the_usual_ones_or_neighbours_from_a_base() -> None:
    assert Ports.choose(None) == Ports(arm=7070, functions=7071, storage=10000)
    assert Ports.choose(20000) == Ports(arm=20000, functions=20001, storage=20002)
    free = Ports.choose(0)
    assert (free.functions, free.storage) == (free.arm + 1, free.arm + 2)


def test_functions_prints_its_ready_line_alone_and_stops_with_exit_code_0() -> None:
    with start_localcloud(*("functions", "--port", "0", "--app-dir", str(APPS / "web"))) as process:
        ready = ready_line(process)
        assert ready == {
            "ready": True,
            "functions": ready["functions"],
            "dashboard": f"{ready['functions']}/dashboard",
        }
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        ([], 2),
        (["nonsense"], 2),
        (["storage", "--port-base", "70000"], 2),
        (["up", "--time-scale", "0"], 2),
        (["export"], 2),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], code: int) -> None:
    ended = run_localcloud(*arguments)
    assert ended.returncode == code
    assert "Usage:" in ended.stdout + ended.stderr


@contextmanager
def running_up(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start everything around a sample app; standard error goes to a file."""
    log = tmp_path / "stderr.log"
    command = ("up", "--app-dir", str(APPS / "web"), *arguments)
    with (
        log.open("w", encoding="utf-8") as stderr,
        start_localcloud(*command, stderr=stderr) as process,
    ):
        try:
            yield process, log
        finally:
            if process.poll() is None:
                process.kill()


def all_free(base: int) -> bool:
    try:
        require_free(range(base, base + 5), hint="wait")
    except StartError:
        return False
    return True


def base_of(ready: dict[str, Any]) -> int:
    return urlsplit(ready["arm"]).port or 0


def test_up_runs_every_part_and_an_interrupt_stops_them_all_with_exit_code_0(
    tmp_path: Path,
) -> None:
    with running_up(tmp_path, "--port-base", "0") as (process, log):
        ready = ready_line(process)
        assert list(ready) == ["ready", "arm", "functions", "storage", "dashboard", "policy"]
        assert ready["policy"] == str(APPS / "web" / "replication-policy.yaml")
        assert ready["dashboard"] == f"{ready['functions']}/dashboard"
        assert http_call(f"{ready['functions']}/v2/things/7").text == "things 7"
        assert http_call(f"{ready['functions']}/v2/failing", method="POST", body=b"").status == 500
        with QueueClient.from_connection_string(ready["storage"], "jobs") as queue:
            queue.create_queue()
        assert http_call(f"{ready['arm']}/").status < 500
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert all_free(base_of(ready))
    lines = log.read_text(encoding="utf-8").splitlines()
    # The app's structured lines pass untouched, other lines say whose they are.
    assert '{"event": "app.line", "method": "POST"}' in lines
    assert any(line.startswith("functions | ") for line in lines)


def test_a_part_that_dies_later_stops_the_others_with_exit_code_1_and_its_last_lines(
    tmp_path: Path,
) -> None:
    with running_up(tmp_path, "--port-base", "0") as (process, log):
        ready = ready_line(process)
        with pytest.raises(http.client.RemoteDisconnected):
            http_call(f"{ready['functions']}/v2/crashing", method="POST", body=b"")
        assert process.wait(60) == 1
        assert all_free(base_of(ready))
    text = log.read_text(encoding="utf-8")
    assert "localcloud: functions ended with exit code 4; its last lines:" in text


def test_a_host_that_ends_as_its_storage_makes_it_end_is_followed_by_another(
    tmp_path: Path,
) -> None:
    with running_up(tmp_path, "--port-base", "0") as (process, log):
        functions = ready_line(process)["functions"]
        with pytest.raises(http.client.RemoteDisconnected):
            http_call(f"{functions}/v2/crashing?code=0", method="POST", body=b"")
        eventually(lambda: "the Functions host ended, as it does" in log.read_text("utf-8"))
        eventually(lambda: serves(functions))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def serves(functions: str) -> bool:
    try:
        return http_call(f"{functions}/v2/things/7").text == "things 7"
    except urllib.error.URLError:
        return False


def test_a_part_that_cannot_start_stops_the_others_with_exit_code_1_and_its_last_lines() -> None:
    ended = run_localcloud("up", "--port-base", "0", "--app-dir", str(APPS / "broken"))
    assert (ended.returncode, ended.stdout) == (1, "")
    last_words = ended.stderr.partition("localcloud: the app cannot be loaded: ")[2]
    assert 'raise RuntimeError("broken on purpose")' in last_words


def test_the_parts_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with running_up(tmp_path, "--port-base", "0") as (process, _):
        ready = ready_line(process)
        process.kill()
        process.wait(60)
        eventually(lambda: all_free(base_of(ready)))


def test_a_stop_while_parts_are_starting_stops_them_too(tmp_path: Path) -> None:
    base = free_port_block(5)
    with running_up(tmp_path, "--port-base", str(base)) as (process, _):
        eventually(lambda: not all_free(base))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert all_free(base)


def test_up_names_a_port_that_is_in_use() -> None:
    base = free_port_block(5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 1))
        taken.listen()
        ended = run_localcloud("up", "--port-base", str(base))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"port {base + 1} is in use" in ended.stderr


def test_export_prints_the_id_of_the_image_version_alone() -> None:
    with start_localcloud("arm", "--port", "0", "--time-scale", "1000") as process:
        try:
            arm = ready_line(process)["arm"]
            first = run_localcloud("export", "--image", "template", "--arm", arm)
            second = run_localcloud(
                *("export", "--image", "template", "--arm", arm, "--region", "westeurope")
            )
            bad = run_localcloud("export", "--image", "template", "--arm", arm, "--version", "one")
        finally:
            process.terminate()
    assert process.returncode == 0
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.endswith("/images/template/versions/1.0.0\n")
    assert second.stdout.endswith("/images/template/versions/1.0.1\n")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "localcloud: PUT " in bad.stderr


def test_an_export_to_nobody_says_where_nobody_answers() -> None:
    ended = run_localcloud("export", "--image", "x", "--arm", "http://127.0.0.1:9")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no Resource Manager answers at http://127.0.0.1:9" in ended.stderr
