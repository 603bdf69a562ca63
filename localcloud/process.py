"""What a command of the local cloud does as a process: its ready line, and how it is stopped."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

# Set for a child whose standard input is a pipe that its parent holds open for life.
PARENT_PIPE = "LOCALCLOUD_PARENT_PIPE"


class StartError(Exception):
    """A command could not do its work; the text says why and what to do."""


class EndedEarlyError(StartError):
    """A part ended before it was ready, and well: with exit code 0."""


def take_stdout() -> TextIO:
    """Keep standard output for the ready line; whatever else prints goes to standard error."""
    sys.stdout.flush()
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


def announce(out: TextIO, ready: Mapping[str, Any]) -> None:
    """Write the one line that says that everything answers."""
    out.write(json.dumps({"ready": True, **ready}) + "\n")
    out.flush()


def stop_event() -> asyncio.Event:
    """Return an event that SIGINT, SIGTERM or the parent's end sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if os.environ.pop(PARENT_PIPE, None):
        threading.Thread(target=_watch_parent, args=(loop, stop), daemon=True).start()
    return stop


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # Not through sys.stdin: its lock would be held at exit.
    while os.read(0, 4096):
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)
