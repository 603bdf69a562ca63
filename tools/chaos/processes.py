"""The parts as child processes: each ends with the harness, whatever ends that."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.process import PARENT_PIPE
from tests.support.localcloud.hosts import clean_environment

READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 20.0


class PartError(Exception):
    """A part did not start, or did not answer."""


@dataclass(slots=True, kw_only=True)
class Child:
    """A running part, with what it said when it was ready."""

    name: str
    process: asyncio.subprocess.Process
    ready: Mapping[str, Any]

    async def stop(self) -> None:
        """Ask it to stop, and insist after a while."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_WITHIN_S):
                    await self.process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()


def bare_environment() -> dict[str, str]:
    """Return the environment without foreign settings, and without coverage, which slows a start.

    A process that is killed would not have written its coverage anyway.
    """
    environment = clean_environment()
    return {
        name: value for name, value in environment.items() if not name.startswith("COVERAGE_")
    } | {PARENT_PIPE: "1"}


async def start_child(name: str, module: str, *arguments: str, log: Path) -> Child:
    """Start `python -m module …` and wait for its first line; raises PartError."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=bare_environment(),
            start_new_session=True,
        )
    child = Child(name=name, process=process, ready={})
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            line = await process.stdout.readline() if process.stdout else b""
        child.ready = json.loads(line)
    except (TimeoutError, ValueError):
        await child.stop()
        raise PartError(f"{name} was not ready; see {log}") from None
    except asyncio.CancelledError:
        await child.stop()
        raise
    return child


async def start_storage(state_dir: Path, port_base: int, log: Path) -> Child:
    """Start the storage emulator with its data; the ports of one that just ended may linger."""
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            return await start_child(
                "storage",
                "localcloud",
                *("storage", "--state", os.fspath(state_dir), "--port-base", str(port_base)),
                log=log,
            )
        except PartError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
