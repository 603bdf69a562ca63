"""What goes into Azure: exactly that, and an app made of nothing else serves."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from replication.telemetry.release import RELEASE, read_commit
from tests.support.documents import PROJECT
from tests.support.localcloud.hosts import DEADLINE_S, clean_environment, http_call, ready_line
from tools.package import commit_of, packed_files, write_package

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROOMS = ("api", "bootstrap", "costs", "dashboard", "handlers", "replication")
FILES = ("docs/runbook.md", "function_app.py", "host.json", "replication-policy.yaml")
STRANGERS = (
    ".env",
    ".git/config",
    ".localcloud/functions.key",
    ".venv/lib/x.py",
    "api/.DS_Store",
    "api/__pycache__/acts.cpython-313.pyc",
    "cli/main.py",
    "docs/access.md",
    "docs/adr/0001.md",
    "functions.key",
    "local.settings.json",
    "local.settings.sample.json",
    "localcloud/up.py",
    "node_modules/x.js",
    "pyproject.toml",
    "requirements.txt.old",
    "tests/conftest.py",
    "tools/package.py",
    "uv.lock",
)


def test_the_files_of_the_app_go_in_and_nothing_else() -> None:
    rooms = [path for room in ROOMS for path in (PROJECT / room).rglob("*") if path.is_file()]
    expected = [
        path.relative_to(PROJECT).as_posix()
        for path in rooms
        if "__pycache__" not in path.parts and not path.name.startswith(".")
    ]
    assert packed_files(PROJECT) == sorted([*expected, *FILES, "requirements.txt"])


def test_tests_keys_settings_and_history_stay_out(tmp_path: Path) -> None:
    wanted = (*FILES, "api/acts.py", "costs/data/prices.json")
    for name in (*wanted, *STRANGERS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    shutil.copy(PROJECT / ".funcignore", tmp_path)
    assert packed_files(tmp_path) == sorted(wanted)


def core_tools_take(path: str) -> bool:
    """Read `.funcignore` as Core Tools do: by prefix, and any `!` that fits wins."""
    lines = (PROJECT / ".funcignore").read_text(encoding="utf-8").split("\n")
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def fits(patterns: list[str]) -> bool:
        escaped = [
            re.escape(one.removeprefix("/"))
            .replace(re.escape("**"), "(.+)")
            .replace(re.escape("*"), "([^/]+)")
            for one in patterns
        ]
        return any(re.match(rf"({one})\b", path, re.ASCII) for one in escaped)

    is_let_in = fits([rule[1:] for rule in rules if rule.startswith("!")])
    return is_let_in or not fits([rule for rule in rules if not rule.startswith("!")])


def test_core_tools_take_the_same_but_for_what_lies_hidden_in_a_package() -> None:
    assert [name for name in packed_files(PROJECT) if not core_tools_take(name)] == []
    taken = [name for name in STRANGERS if core_tools_take(name)]
    assert taken == ["api/__pycache__/acts.cpython-313.pyc", "requirements.txt.old"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Unpack a package into a folder of its own."""
    write_package(PROJECT, tmp_path / "package.zip", commit=COMMIT)
    with ZipFile(tmp_path / "package.zip") as file:
        file.extractall(tmp_path / "app")
    return tmp_path / "app"


# The local host, and of this project nothing that the package does not hold.
PROGRAM = """
import runpy, sys
project, beside = sys.argv[1:3]
sys.path[:] = [beside, *(path for path in sys.path if path not in ("", project))]
sys.argv[:] = ["localcloud", *sys.argv[3:]]
runpy.run_module("localcloud", run_name="__main__")
"""


@pytest.fixture
def url(package: Path, storage: str, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "localcloud").symlink_to(PROJECT / "localcloud")
    command = [sys.executable, "-P", "-c", PROGRAM, str(PROJECT), str(tmp_path / "beside")]
    options = ["functions", "--port", "0", "--app-dir", str(package)]
    settings = {"AzureWebJobsStorage": storage, "AZURE_RESOURCE_MANAGER_URL": "http://127.0.0.1:9"}
    schedules = {
        "SWEEP_SCHEDULE": "0 0 0 1 1 *",
        "COST_AUDIT_SCHEDULE": "0 0 0 1 1 *",
        "NOTICE_SCHEDULE": "0 0 0 1 1 *",
    }
    with subprocess.Popen(  # noqa: S603 - this project's own command
        [*command, *options, "--state", str(tmp_path / "state")],
        cwd=tmp_path,
        env=clean_environment(**settings, **schedules),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield ready_line(process)["functions"]
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def test_an_app_made_of_the_package_alone_serves_and_knows_what_it_is(url: str) -> None:
    for path in ("/api/v1/health", "/dashboard/runbook", "/dashboard/static/style.css"):
        assert (path, http_call(f"{url}{path}").status) == (path, 200)
    named = f'gallery_replicator_build{{service_version="{RELEASE}+{COMMIT[:12]}"'
    assert named in http_call(f"{url}/metrics").text


def test_the_release_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == RELEASE


def test_a_commit_is_named_where_one_was_written_and_else_none(tmp_path: Path) -> None:
    file = tmp_path / "commit.txt"
    assert read_commit(file) == ""
    for written, commit in (("$Format:%H$", ""), (f"{COMMIT}\n", COMMIT)):
        file.write_text(written, encoding="utf-8")
        assert read_commit(file) == commit


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *who, *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - git
    return ended.stdout.strip()


def test_a_package_names_the_commit_only_if_all_of_it_is_as_committed(tmp_path: Path) -> None:
    assert commit_of(tmp_path, ["a"]) == ""
    git(tmp_path, "init", "--quiet")
    for name in ("a", "b"):
        (tmp_path / name).write_text("1", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    (tmp_path / "b").write_text("2", encoding="utf-8")
    (tmp_path / "new").write_text("", encoding="utf-8")
    assert commit_of(tmp_path, ["a"]) == git(tmp_path, "rev-parse", "HEAD")
    assert commit_of(tmp_path, ["a", "b"]) == commit_of(tmp_path, ["a", "new"]) == ""


def test_the_cloud_build_takes_pinned_and_hashed_packages_and_the_runtime_of_the_tests() -> None:
    text = (PROJECT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []
    runtime = f"azure-functions-runtime=={version('azure-functions-runtime')} "
    assert [line for line in lines if line.startswith(runtime)] != []
