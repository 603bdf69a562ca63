"""The installed command, as a process."""

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
