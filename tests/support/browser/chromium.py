"""One Chromium for pages of the project, found or installed by scripts/chromium.sh."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_ROOT = Path(__file__).parents[3]
_SCRIPT = _ROOT / "scripts" / "chromium.sh"
# A download over a slow line.
_INSTALL_S = 900


@cache
def chromium_path() -> str:
    """Return the path of a Chromium, which is installed by one process while others wait."""
    lock = _ROOT / ".tools" / "chromium.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # freed when the file is closed
        done = subprocess.run(  # noqa: S603 - our own script
            [_SCRIPT], capture_output=True, text=True, timeout=_INSTALL_S, check=False
        )
    if done.returncode:
        raise RuntimeError(f"scripts/chromium.sh found no Chromium:\n{done.stderr}")
    return done.stdout.strip()


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Launch a Chromium without a window."""
    # Chromium refuses to run its sandbox as root, which containers and CI often are.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()
