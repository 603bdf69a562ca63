"""scripts/japanese-font.sh: a font that has the letters, or a clear word that there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[3] / "scripts" / "japanese-font.sh"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder that is the whole PATH, of a user who is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    found = shutil.which("chmod")
    assert found is not None
    (folder / "chmod").symlink_to(found)
    add(folder, "id", "echo 1000")
    add(folder, "fc-list", "exit 0")
    return folder


def add(tools: Path, name: str, script: str) -> None:
    path = tools / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(tools: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [_SCRIPT],
        env={"PATH": f"{tools}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_font_of_the_machine_is_enough(tools: Path) -> None:
    add(tools, "fc-list", "echo Noto Sans CJK JP")
    done = run(tools)
    assert (done.returncode, done.stderr) == (0, "")


def test_root_on_debian_gets_one_from_apt(tools: Path) -> None:
    add(tools, "id", "echo 0")
    log = tools.parent / "apt.log"
    font = "#!/bin/sh\\necho Noto\\n"
    add(
        tools,
        "apt-get",
        f"""echo "$DEBIAN_FRONTEND $*" >>{log}
case "$*" in *install*) printf '{font}' >{tools}/fc-list;; esac""",
    )
    assert run(tools).returncode == 0
    update, install = log.read_text().splitlines()
    assert (update.split()[0], update.split()[-1]) == ("noninteractive", "update")
    assert "install --yes --no-install-recommends fontconfig fonts-noto-cjk" in install


def test_without_one_the_script_fails_and_says_what_to_install(tools: Path) -> None:
    done = run(tools)
    assert done.returncode == 1
    assert "apt install fonts-noto-cjk" in done.stderr
