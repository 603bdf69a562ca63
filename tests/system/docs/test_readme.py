"""Every command in README works, in its order."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.documents import PROJECT, blocks
from tests.support.localcloud.hosts import clean_environment, ready_line, start_localcloud

COMMANDS = [
    line.removeprefix("$ ")
    for block in blocks(PROJECT / "README.md", "console")
    for line in block.text.splitlines()
    if line.startswith("$ ")
]
UP = "make up"
# These run this very test, or take longer than all the others; tests of their own run them.
WHOLE_PROJECT = ("make demo", "make test")
TROUBLE = "make trouble"
AFTER_UP = [one for one in COMMANDS[COMMANDS.index(UP) + 1 :] if one != TROUBLE]
STOP_DEADLINE_S = 60


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """Run what `make up` runs, on free ports, and stop it if the test has not."""
    log = tmp_path / "up.log"
    options = ("--port-base", "0", "--state", str(tmp_path / "state"), "--time-scale", "600")
    with (
        log.open("w", encoding="utf-8") as errors,
        start_localcloud("up", *options, settings={}, stderr=errors) as process,
    ):
        try:
            yield ready_line(process), process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_DEADLINE_S)


def test_readme_shows_the_commands_that_a_newcomer_needs() -> None:
    assert COMMANDS[:3] == ["make demo", "make test", UP]
    shown = " ".join(AFTER_UP)
    for words in ("localcloud export --image", *("plan", "status", "queues", "regions")):
        assert words in shown
    assert "gallery-replicator policy check" in shown


@pytest.mark.parametrize("command", [*WHOLE_PROJECT, UP, TROUBLE])
def test_the_target_of_a_make_command_exists(command: str) -> None:
    make = shlex.split(command)
    assert command in COMMANDS
    ran = _run([make[0], "-n", *make[1:]], cwd=PROJECT, env=_environment())
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("command", [UP, TROUBLE])
def test_a_make_command_is_one_of_the_local_cloud(command: str) -> None:
    make, target = shlex.split(command)
    ran = _run([make, "-n", target], cwd=PROJECT, env=_environment())
    assert re.search(rf"python -m localcloud {target}$", ran.stdout, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_commands_after_make_up_work_in_their_order(
    cloud: tuple[dict[str, Any], subprocess.Popen[str]], tmp_path: Path
) -> None:
    ready, process = cloud
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(PROJECT / "local.settings.sample.json", folder)
    settings = {
        **_environment(),
        # The ports of this run; all other settings come from the file that README makes.
        "AzureWebJobsStorage": ready["storage"],
        "AZURE_RESOURCE_MANAGER_URL": ready["arm"],
        "RETAIL_PRICES_URL": f"{ready['arm']}/api/retail/prices",
    }
    script = "\n".join(
        f"echo '# {number}'\n{_adapted(command, ready)}" for number, command in enumerate(AFTER_UP)
    )
    ran = _run(["sh", "-eu", "-c", script], cwd=folder, env=settings)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = _by_command(ran.stdout)
    for command, part in {
        "plan": "United States",
        "queues": "replication-tracking",
        "regions": "westus3",
        "policy check": "valid",
        "replicate": "gallery-replicator status",
        "sweep": "1 image versions seen",
    }.items():
        (answer,) = [text for line, text in said.items() if f"gallery-replicator {command}" in line]
        assert part in answer, command
    process.send_signal(signal.SIGINT)
    assert process.wait(STOP_DEADLINE_S) == 0


def _adapted(command: str, ready: dict[str, Any]) -> str:
    return command.replace("localcloud export", f"localcloud export --arm {ready['arm']}")


def _by_command(output: str) -> dict[str, str]:
    parts = re.split(r"^# (\d+)\n", output, flags=re.MULTILINE)[1:]
    return {
        AFTER_UP[int(number)]: text for number, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _environment() -> dict[str, str]:
    """Return an environment in which `uv run` takes this project as it is installed."""
    path = [str(PROJECT / ".tools/uv/bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    own = {"PATH": os.pathsep.join(path), "UV_PROJECT": str(PROJECT), "UV_NO_SYNC": "1"}
    inherited = {
        name: value
        for name, value in clean_environment().items()
        # Those of the make that runs the tests would steer this one.
        if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VIRTUAL_ENV")
    }
    return {**inherited, **own}


def _run(command: list[str], *, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the commands stand in README
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=200
    )
