"""scripts/chromium.sh: a browser that runs, or a clear word that there is none; never silence."""

import shutil
import subprocess
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[3] / "scripts" / "chromium.sh"
_NOBODY = "#!/bin/sh\necho 1000\n"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder that is the whole PATH, of a user who is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("chmod", "dirname"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    add(folder, "id", _NOBODY)
    return folder


def add(tools: Path, name: str, script: str) -> Path:
    path = tools / name
    path.write_text(script)
    path.chmod(0o755)
    return path


def run(tools: Path) -> subprocess.CompletedProcess[str]:
    # Where Playwright keeps and fetches its own is an empty folder, and a port that refuses.
    env = {
        "PATH": f"{tools}",
        "HOME": f"{tools.parent}",
        "PLAYWRIGHT_BROWSERS_PATH": f"{tools.parent / 'browsers'}",
        "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9",
    }
    return subprocess.run(  # noqa: S603 - our own script
        [_SCRIPT], env=env, capture_output=True, text=True, timeout=55, check=False
    )


def test_the_machines_own_browser_is_taken(tools: Path) -> None:
    own = add(tools, "google-chrome", "#!/bin/sh\necho Chrome 1\n")
    done = run(tools)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{own}\n", "")


def test_a_stub_that_does_not_run_is_passed_over(tools: Path) -> None:
    add(tools, "chromium", "#!/bin/sh\nexit 1\n")
    own = add(tools, "chromium-browser", "#!/bin/sh\nexit 0\n")
    assert run(tools).stdout == f"{own}\n"


def test_root_on_debian_gets_one_from_apt_and_apt_is_not_in_the_answer(tools: Path) -> None:
    add(tools, "id", "#!/bin/sh\necho 0\n")
    log, own = tools.parent / "apt.log", tools / "chromium"
    add(
        tools,
        "apt-get",
        f"""#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >>{log}
echo "what apt tells"
case "$*" in *install*) printf '#!/bin/sh\\nexit 0\\n' >{own}; chmod +x {own};; esac
""",
    )
    done = run(tools)
    assert (done.returncode, done.stdout) == (0, f"{own}\n")
    assert done.stderr.count("what apt tells") == 2
    update, install = log.read_text().splitlines()
    assert update.startswith("noninteractive ")
    assert update.endswith(" update")
    assert "install --yes --no-install-recommends chromium" in install


def test_without_any_the_script_fails_and_says_what_to_do(tools: Path) -> None:
    done = run(tools)
    assert (done.returncode, done.stdout) == (1, "")
    assert "downloading Playwright's" in done.stderr
    assert "install Chromium or Chrome by hand" in done.stderr
