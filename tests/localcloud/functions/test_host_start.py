"""What keeps the host from starting or from serving a function, and how it says so."""

import json
import socket
from pathlib import Path

import pytest

from tests.support.localcloud.hosts import APPS, run_localcloud, running_host


def start_fails_with(app_dir: Path, *arguments: str, **settings: str) -> str:
    ended = run_localcloud(
        *("functions", "--port", "0", "--app-dir", str(app_dir)), *arguments, **settings
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


VERSION = {"host.json": '{"version": "2.0"}'}
EMPTY = "import azure.functions as f\napp = f.FunctionApp()"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "holds no function_app.py"),
        ({"function_app.py": EMPTY}, "registers no function"),
        ({"function_app.py": "import no_such_module"}, "No module named 'no_such_module'"),
        ({"function_app.py": f"{EMPTY}\nraise RuntimeError('broken')"}, "RuntimeError('broken')"),
    ],
)
def test_an_app_that_cannot_be_loaded_leaves_a_host_that_runs_without_functions(
    tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for name, text in (VERSION | files).items():
        (app / name).write_text(text, encoding="utf-8")
    with running_host(str(app), tmp_path) as host:
        assert [host.call(path).status for path in ("/api/x", "/admin/host/ping")] == [404, 200]
        assert json.loads(host.call("/admin/host/status").body)["state"] == "Running"
        assert "NO FUNCTION IS SERVED" in host.stderr()
        assert sentence in host.stderr()


def test_up_does_not_say_ready_of_an_app_that_cannot_be_loaded() -> None:
    ended = run_localcloud("up", "--port-base", "0", "--app-dir", str(APPS / "broken"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "localcloud: the app cannot be loaded: cannot index" in ended.stderr
    assert 'raise RuntimeError("broken on purpose")' in ended.stderr


def test_a_storage_that_an_identity_opens_is_refused_with_what_to_do_instead() -> None:
    stderr = start_fails_with(
        APPS / "queues", AzureWebJobsStorage__accountName="lab", WORK_QUEUE="work"
    )
    assert "the setting AzureWebJobsStorage__accountName names a storage that an" in stderr
    assert "set AzureWebJobsStorage to a connection string instead (docs/local-cloud.md)" in stderr


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "the setting AzureWebJobsStorage is missing"),
        ("nonsense", "no AccountName in it"),
        ("AccountName=a;AccountKey=%%%", "is not base64"),
    ],
)
def test_a_connection_string_that_cannot_be_used_costs_the_queue_functions_alone(
    tmp_path: Path, value: str, sentence: str
) -> None:
    with running_host("queues", tmp_path, WORK_QUEUE="q", AzureWebJobsStorage=value) as host:
        assert host.call("/api/hold?for_s=0").status == 200
        assert "function work is not served: function work: the " in host.stderr()
        assert sentence in host.stderr()


def test_a_binding_that_this_host_does_not_serve_is_named() -> None:
    stderr = start_fails_with(APPS / "unsupported")
    assert "function produce: the binding out (queue) is not supported" in stderr


def test_a_timer_without_a_storage_is_not_served(tmp_path: Path) -> None:
    with running_host("timers", tmp_path, YEARLY="0 0 0 1 1 *") as host:
        told = host.stderr()
    assert "function slow: the setting AzureWebJobsStorage is missing" in told


def test_a_function_that_lacks_a_setting_or_has_a_wrong_one_is_named_and_not_served(
    tmp_path: Path,
) -> None:
    with running_host("queues", tmp_path / "queues") as host:
        told = host.stderr()
    assert "function work is not served: function work uses %WORK_QUEUE%, but the setting" in told
    with running_host("timers", tmp_path / "timers", YEARLY="every year") as host:
        told = host.stderr()
    assert "function at_start is not served: function at_start: 'every year' is not a" in told


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "host.json is missing"),
        ({"host.json": "{"}, "is not JSON"),
        ({"host.json": '{"version": "1.0"}'}, '"version" must be "2.0"'),
        (VERSION | {"function_app.py": "raise SystemExit(3)"}, "ended the process at import"),
    ],
)
def test_a_folder_that_is_no_app_is_refused(
    tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert sentence in start_fails_with(tmp_path)


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_localcloud(
            *("functions", "--app-dir", str(APPS / "events"), "--port", str(port))
        )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"cannot listen on port {port}" in ended.stderr


def test_a_disabled_function_is_not_served(tmp_path: Path) -> None:
    with running_host("web", tmp_path, AzureWebJobs_things_Disabled="true") as host:
        assert host.call("/v2/things/7").status == 404
        assert host.call("/v2/things/special").status == 200
