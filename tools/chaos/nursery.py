"""A warm parent of app instances: it has imported what they need and forks them.

An instance is a process of its own that runs `localcloud functions` from its first line on. To
fork it takes 0.04 s; a new interpreter needs 2.5 s of processor time for imports alone, which
thirty restarts within a minute on two cores do not leave to the app. The nursery reads one command
a line on standard input, answers each with a line, and ends all its children with itself.
"""

import gc
import importlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

_WARM = (
    "azure.data.tables",
    "azure.identity",
    "azure.mgmt.compute",
    "azure.mgmt.resource.subscriptions",
    "azure.storage.queue",
    "localcloud.functions.host",
    "localcloud.main",
    "bootstrap",
)
_STOP_WITHIN_S = 15.0


@dataclass(slots=True)
class Nursery:
    """The children by process id, each with the end of a pipe that closes with this process."""

    lifelines: dict[int, int] = field(default_factory=dict)

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out `start`, `look`, `kill` or `stop`."""
        match command["do"]:
            case "start":
                return {"pid": self._start(command)}
            case "look":
                return {"ended": self._look(int(command["pid"]))}
            case "kill":
                return {"ended": self._end(int(command["pid"]), signal.SIGKILL, within_s=60)}
            case "stop":
                return {"ended": self._end(int(command["pid"]), signal.SIGTERM, within_s=15)}
            case unknown:
                raise ValueError(f"unknown command {unknown!r}")

    def end_all(self) -> None:
        """Ask all children to stop, and insist."""
        for pid in self.lifelines:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_WITHIN_S
        for pid in tuple(self.lifelines):
            self._wait(pid, max(0.1, deadline - time.monotonic()))

    def _start(self, command: dict[str, Any]) -> int:
        lifeline, held_open = os.pipe()
        pid = os.fork()
        if pid == 0:
            for other in (held_open, *self.lifelines.values()):
                os.close(other)
            _become(command, lifeline)
        os.close(lifeline)
        self.lifelines[pid] = held_open
        return pid

    def _look(self, pid: int) -> int | None:
        """Return how a child ended by itself, None while it lives."""
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return None
        os.close(self.lifelines.pop(pid))
        return os.waitstatus_to_exitcode(status)

    def _end(self, pid: int, how: signal.Signals, *, within_s: float) -> int:
        # Not reaped yet, so the id is still the child's even if it died by itself.
        os.kill(pid, how)
        return self._wait(pid, within_s)

    def _wait(self, pid: int, within_s: float) -> int:
        """Reap a child, killing it if it takes too long; return how it ended."""
        deadline = time.monotonic() + within_s
        ended, status = os.waitpid(pid, os.WNOHANG)
        while not ended:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                ended, status = os.waitpid(pid, 0)
                break
            time.sleep(0.005)
            ended, status = os.waitpid(pid, os.WNOHANG)
        os.close(self.lifelines.pop(pid))
        return os.waitstatus_to_exitcode(status)


def _become(command: dict[str, Any], lifeline: int) -> NoReturn:
    """Be an instance: its own session, files and settings, then the command as from a shell."""
    from localcloud.main import cli  # noqa: PLC0415 - the parent has it already

    os.setsid()
    out = os.open(command["ready"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    log = os.open(command["log"], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for wanted, fd in enumerate((lifeline, out, log)):
        os.dup2(fd, wanted)
    os.environ.update(command["settings"])
    code = 1
    try:
        code = int(cli(args=command["arguments"], standalone_mode=False) or 0)
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Import everything, say so, and obey until standard input closes."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for name in _WARM:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    nursery = Nursery()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    out.write('{"ready": true}\n')
    out.flush()
    try:
        for line in iter(sys.stdin.buffer.readline, b""):
            out.write(json.dumps(nursery.obey(json.loads(line))) + "\n")
            out.flush()
    finally:
        nursery.end_all()


if __name__ == "__main__":
    main()
