"""The parts of the local cloud as child processes, and the ports they take."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud.process import PARENT_PIPE, EndedEarlyError, StartError

READY_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0
_TAIL_LINES = 20
_FREE_PORT_TRIES = 200


@dataclass(slots=True, kw_only=True)
class Part:
    """A running child; `tail` holds the last lines that it wrote to standard error."""

    name: str
    process: asyncio.subprocess.Process
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))
    ready: Mapping[str, Any] = field(default_factory=dict)
    stop_timeout_s: float = STOP_TIMEOUT_S
    pumps: list[asyncio.Task[None]] = field(default_factory=list)

    async def ended(self) -> int:
        """Wait until the child has ended and all it wrote was read; return its exit code."""
        code = await self.process.wait()
        await asyncio.gather(*self.pumps)
        return code

    async def stop(self) -> None:
        """Ask the child to stop, insist after a while, and wait for its end."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(self.stop_timeout_s):
                    await self.process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
        await self.ended()

    def obituary(self, code: int) -> str:
        """Say how the child ended, with its last lines."""
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        lines = "\n".join(f"  {line}" for line in self.tail) or "  (it wrote nothing)"
        return f"{self.name} ended with {how}; its last lines:\n{lines}"


async def spawn(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stop_timeout_s: float = STOP_TIMEOUT_S,
) -> Part:
    """Start a child in a session of its own that ends when this process does."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment, PARENT_PIPE: "1"},
        start_new_session=True,
    )
    return Part(name=name, process=process, stop_timeout_s=stop_timeout_s)


async def start_python_part(
    name: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> Part:
    """Start `python -m localcloud …` and wait for its ready line; raise StartError if it dies."""
    part = await spawn(name, [sys.executable, "-m", "localcloud", *arguments], environment)
    stdout, stderr = part.process.stdout, part.process.stderr
    if stdout is None or stderr is None:
        raise StartError(f"{name}: its output was not piped")
    part.pumps.append(asyncio.create_task(pump(stderr, part, echo=True)))
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            line = await stdout.readline()
    except TimeoutError:
        await part.stop()
        raise StartError(f"{name} was not ready within {READY_TIMEOUT_S:.0f} s") from None
    except asyncio.CancelledError:
        await part.stop()
        raise
    if not line:
        code = await part.ended()
        raise (StartError if code else EndedEarlyError)(part.obituary(code))
    part.ready = json.loads(line)
    part.pumps.append(asyncio.create_task(pump(stdout, part, echo=True)))
    return part


async def pump(stream: asyncio.StreamReader, part: Part, *, echo: bool) -> None:
    """Keep the last lines of a child and, with `echo`, pass all on to standard error.

    Lines that are JSON go on untouched, others with the part's name before them.
    """
    rest = b""
    while chunk := await stream.read(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            _take(line, part, echo=echo)
    if rest:
        _take(rest, part, echo=echo)


def _take(line: bytes, part: Part, *, echo: bool) -> None:
    text = line.decode("utf-8", errors="replace")
    part.tail.append(text)
    if echo:
        prefix = "" if text.startswith("{") else f"{part.name} | "
        sys.stderr.write(f"{prefix}{text}\n")
        sys.stderr.flush()


def require_free(ports: Iterable[int], *, hint: str) -> None:
    """Raise StartError naming a port on which something listens already."""
    for port in ports:
        if not _is_free(port):
            raise StartError(f"port {port} is in use; stop what listens there or {hint}")


def free_port_block(count: int, rng: random.Random | None = None) -> int:
    """Return the first of `count` neighbouring free ports, below the range of outgoing ones."""
    rng = rng or random.Random(os.getpid())  # noqa: S311 - spreads ports, guards nothing
    for _ in range(_FREE_PORT_TRIES):
        base = rng.randrange(20000, 32000)
        if all(_is_free(base + offset) for offset in range(count)):
            return base
    raise StartError(f"found no {count} neighbouring free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that a port of a connection that just ended counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
