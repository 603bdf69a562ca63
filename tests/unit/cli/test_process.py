"""The installed command, as a process."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.executable).with_name("gallery-replicator")


def run(
    *args: str, folder: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("Azure", "AZURE", "REPLICATION"))
    }
    return subprocess.run(  # noqa: S603 - our own command
        [COMMAND, *args],
        cwd=folder,
        env=kept | {"NO_COLOR": "1"} | (env or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_help_lists_the_commands(tmp_path: Path) -> None:
    answer = run("--help", folder=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    commands = ("plan", "replicate", "status", "cancel", "queues", "dead-letters", "regions")
    for command in (*commands, "policy", "sweep"):
        assert f" {command} " in answer.stdout


def test_regions_answers_in_json_without_any_setting(tmp_path: Path) -> None:
    answer = run("regions", "West US 2", "--json", folder=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["geography"] == "United States"


def test_policy_check_tells_mistakes_even_in_a_locale_without_the_letters(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("gälleries: {}\n", encoding="utf-8")
    answer = run(
        "policy", "check", "policy.yaml", folder=tmp_path, env={"PYTHONIOENCODING": "ascii"}
    )
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("policy.yaml: line 1: unknown key 'g\\xe4lleries'")


def test_storage_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    account = "DefaultEndpointsProtocol=http;AccountName=lab;AccountKey=bGFi;"
    endpoints = "QueueEndpoint=http://127.0.0.1:9/lab;TableEndpoint=http://127.0.0.1:9/lab;"
    (tmp_path / "policy.yaml").write_text("version: 1\n", encoding="utf-8")
    values = {
        "AzureWebJobsStorage": account + endpoints,
        "REPLICATION_POLICY": str(tmp_path / "policy.yaml"),
    }
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}), encoding="utf-8")
    answer = run("queues", "--json", folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Error: storage: ")
    assert len(answer.stderr.splitlines()) == 1


def test_missing_settings_are_named(tmp_path: Path) -> None:
    answer = run("status", folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Error: AzureWebJobsStorage is missing: ")


def test_the_command_line_loads_without_the_azure_sdk() -> None:
    script = (
        "import sys, cli.main; "
        "print([name for name in sys.modules if name == 'azure' or name.startswith('azure.')])"
    )
    answer = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout == "[]\n"


def test_a_terminal_gets_colour_and_folded_lines(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("regions: {denied: [nowhereland]}\n", encoding="utf-8")
    shown = in_terminal("policy", "check", "policy.yaml", folder=tmp_path, columns=40)
    assert "\x1b[33m" in shown
    assert "\x1b[32m" in shown
    assert max(len(line) for line in shown.splitlines()) < 60


def in_terminal(*args: str, folder: Path, columns: int) -> str:
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    env |= {"TERM": "xterm-256color", "COLUMNS": str(columns)}
    with subprocess.Popen(  # noqa: S603 - our own command
        [COMMAND, *args], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        chunks: list[bytes] = []
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # how Linux tells the end of a terminal
                break
            if not chunk:
                break
            chunks.append(chunk)
        os.close(ours)
    assert process.returncode == 0
    return b"".join(chunks).decode()
