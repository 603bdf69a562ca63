"""The app's instances: started, killed and started again on ports that stay the same."""

import asyncio
import json
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.chaos.processes import READY_WITHIN_S, Child, PartError, start_child

_LOOK_S = 0.5
_PAUSE_S = 1.0
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(slots=True, kw_only=True)
class Slot:
    """A place for an instance; `pid` is None while nobody is in it."""

    number: int
    port: int
    settings: Mapping[str, str]
    pid: int | None = None
    starts: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(slots=True, kw_only=True)
class Instances:
    """All slots, filled by one nursery; `fell` says who ended without being killed."""

    nursery: Child
    slots: tuple[Slot, ...]
    folder: Path
    fell: list[str] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def prepare(cls, slots: tuple[Slot, ...], folder: Path) -> "Instances":
        """Start the nursery, with all slots empty."""
        nursery = await start_child("nursery", "tools.chaos.nursery", log=folder / "nursery.log")
        return cls(nursery=nursery, slots=slots, folder=folder)

    async def start(self, slot: Slot) -> None:
        """Start an instance and wait until it serves; raises PartError.

        One that finds no storage ends with exit code 0, and is started anew, as the platform does.
        """
        began = time.monotonic()
        while (pid := await self._start_once(slot, began)) is None:  # noqa: ASYNC110 - a pause, no wait
            await asyncio.sleep(_PAUSE_S)
        slot.pid = pid
        self.start_s.append(time.monotonic() - began)

    async def _start_once(self, slot: Slot, began: float) -> int | None:
        slot.starts += 1
        ready = self.folder / f"instance-{slot.number}-{slot.starts}.ready"
        log = self.folder / f"instance-{slot.number}.log"
        answer = await self._ask(
            do="start",
            arguments=[
                *("functions", "--port", str(slot.port), "--app-dir", str(PROJECT)),
                *("--state", str(self.folder / "functions"), "--timer-lease-s", "15"),
            ],
            settings=dict(slot.settings),
            ready=str(ready),
            log=str(log),
        )
        pid, looked_at = int(answer["pid"]), time.monotonic()
        while not _is_ready(ready):
            now = time.monotonic()
            if now - began > READY_WITHIN_S:
                raise PartError(f"instance {slot.number} was not ready; see {log}")
            if now - looked_at > _LOOK_S:
                ended = (await self._ask(do="look", pid=pid))["ended"]
                if ended == 0:
                    return None
                if ended is not None:
                    raise PartError(f"instance {slot.number} ended with {ended}; see {log}")
                looked_at = now
            await asyncio.sleep(0.02)
        return pid

    async def kill(self, slot: Slot) -> bool:
        """Kill -9 what runs in a slot; False if nothing did."""
        pid, slot.pid = slot.pid, None
        if pid is None:
            return False
        code = int((await self._ask(do="kill", pid=pid))["ended"])
        # With 0 it ended because its storage failed it, as the real host does.
        if code not in (0, -signal.SIGKILL):
            self.fell.append(f"instance {slot.number} ended by itself with code {code}")
        return True

    async def stop(self) -> None:
        """End all instances with the nursery."""
        if self.nursery.process.stdin is not None:
            self.nursery.process.stdin.close()
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await self.nursery.process.wait()
        except TimeoutError:
            await self.nursery.stop()

    async def _ask(self, **command: Any) -> dict[str, Any]:
        process = self.nursery.process
        if process.stdin is None or process.stdout is None:
            raise PartError("the nursery has no pipes")
        async with self._turn:
            process.stdin.write(json.dumps(command).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        if not line:
            raise PartError(f"the nursery ended; see {self.folder / 'nursery.log'}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _is_ready(path: Path) -> bool:
    return path.is_file() and path.read_bytes().endswith(b"\n")
