"""The demo, as `make demo` runs it, with its output in a pipe."""

import re
import subprocess
import sys

import pytest


@pytest.mark.timeout(240)
def test_the_demo_ends_with_every_replica_completed_and_all_stopped() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "localcloud.demo"],
        capture_output=True,
        text=True,
        check=False,
        timeout=230,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "\x1b" not in ran.stdout
    rows = re.findall(r"biology-101 (1\.0\.[01]) │ United States │ (\w+) +│ completed", ran.stdout)
    assert len(set(rows)) == len(rows) == 16
    assert "USD" in ran.stdout
    assert "Every planned replica is Completed" in ran.stdout
