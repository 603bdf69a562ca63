"""Hosts as child processes, and the means to watch what their apps do."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from localcloud.functions.keys import SETTING, Keys

APPS = Path(__file__).parent / "apps"
DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A running host; `records` is the file into which its app writes JSON lines."""

    url: str
    process: subprocess.Popen[str]
    stderr_path: Path
    records_path: Path

    def records(self, function: str | None = None) -> list[dict[str, Any]]:
        if not self.records_path.exists():
            return []
        lines = self.records_path.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        return [line for line in found if function in (None, line.get("function"))]

    def stderr(self) -> str:
        return self.stderr_path.read_text(encoding="utf-8")

    def call(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return http_call(f"{self.url}{path}", method=method, body=body, headers=headers)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


IN_PRODUCTION = os.environ.get("HOST_MODE") == "Production"
KEYS = Keys.of("the-host-key-of-the-tests")


def http_call(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    request = urllib.request.Request(  # noqa: S310 - only to this machine
        url, data=body, method=method, headers={**_key_for(url), **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - likewise
            return Answer(
                status=response.status, headers=dict(response.headers), body=response.read()
            )
    except urllib.error.HTTPError as error:
        with error:
            return Answer(status=error.code, headers=dict(error.headers), body=error.read())


def _key_for(url: str) -> dict[str, str]:
    """Return the key that opens an address in production mode; nothing in development."""
    if not IN_PRODUCTION or "code=" in url:
        return {}
    path = urlsplit(url).path
    doors = {"/runtime/": KEYS.system, "/admin/": KEYS.master}
    key = next((key for door, key in doors.items() if path.startswith(door)), KEYS.host)
    return {"x-functions-key": key}


def clean_environment(**settings: str) -> dict[str, str]:
    """Return the environment without settings of an app that runs on this machine.

    Nor does it say that the machine is a container. `HOST_MODE=Production` has the hosts of the
    tests ask for keys, as `make soak` does.
    """
    if IN_PRODUCTION:
        mode = {"AZURE_FUNCTIONS_ENVIRONMENT": "Production", SETTING: KEYS.host}
        settings = {**mode, **settings}
    foreign = ("AzureWebJobs", "AZURE_", "LOCALCLOUD_", "FUNCTIONS_", "CONTAINER_", "KUBERNETES_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, **settings}


def start_localcloud(
    *arguments: str, settings: Mapping[str, str] | None = None, stderr: IO[str] | None = None
) -> subprocess.Popen[str]:
    """Start a command of the local cloud as a child process."""
    return subprocess.Popen(  # noqa: S603 - this project's own command
        [sys.executable, "-m", "localcloud", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=clean_environment(**(settings or {})),
        text=True,
    )


def run_localcloud(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the local cloud that ends by itself."""
    return subprocess.run(  # noqa: S603 - this project's own command
        [sys.executable, "-m", "localcloud", *arguments],
        capture_output=True,
        env=clean_environment(**settings),
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )


def ready_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the one line on standard output."""
    line = process.stdout.readline() if process.stdout else ""
    assert line, "ended without a ready line"
    ready: dict[str, Any] = json.loads(line)
    return ready


@contextmanager
def running_host(app: str, folder: Path, *arguments: str, **settings: str) -> Iterator[Host]:
    """Start a sample app on a free port and stop it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    records_path, stderr_path = folder / "records.jsonl", folder / "stderr.log"
    state = str(folder / "state")
    command = ("functions", "--port", "0", "--app-dir", str(APPS / app), "--state", state)
    with (
        stderr_path.open("w", encoding="utf-8") as stderr,
        start_localcloud(
            *command,
            *arguments,
            settings={"RECORD": str(records_path), **settings},
            stderr=stderr,
        ) as process,
    ):
        try:
            yield Host(
                url=ready_line(process)["functions"],
                process=process,
                stderr_path=stderr_path,
                records_path=records_path,
            )
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(DEADLINE_S)


def eventually[T](probe: Callable[[], T | None], *, within_s: float = DEADLINE_S) -> T:
    """Poll until the probe returns something true; fail with its last value after the deadline."""
    deadline = time.monotonic() + within_s
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {within_s:.0f} s"
        time.sleep(0.05)
