"""What keeps the host from starting, and how it says so."""

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


def test_an_app_that_cannot_be_imported_is_shown_with_its_traceback() -> None:
    stderr = start_fails_with(APPS / "broken")
    assert "cannot index" in stderr
    assert 'raise RuntimeError("broken on purpose")' in stderr


def test_a_binding_that_this_host_does_not_serve_is_named() -> None:
    stderr = start_fails_with(APPS / "unsupported")
    assert "function produce: the binding out (queue) is not supported" in stderr


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
        ({"host.json": '{"version": "2.0"}'}, "holds no function_app.py"),
        (
            {"host.json": '{"version": "2.0"}', "function_app.py": "raise SystemExit(3)"},
            "ended the process at import",
        ),
        (
            {
                "host.json": '{"version": "2.0"}',
                "function_app.py": "import azure.functions as f\napp = f.FunctionApp()",
            },
            "registers no function",
        ),
        (
            {"host.json": '{"version": "2.0"}', "function_app.py": "import no_such_module"},
            "No module named 'no_such_module'",
        ),
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
