"""Runs functions in the worker and logs one line for each invocation."""

import asyncio
import logging
import time
import uuid

from localcloud.functions.catalog import ServedFunction
from localcloud.functions.worker import Payload, Returned, Worker

_log = logging.getLogger("localcloud.functions")


class Invoker:
    """Counts what is running, so that a stop can wait for it."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._running: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def invoke(self, function: ServedFunction, payload: Payload) -> Returned:
        """Run a function to its end and log how it went."""
        invocation_id = str(uuid.uuid4())
        label = f"{function.name} {invocation_id}"
        started = time.perf_counter()
        self._running.add(label)
        self._idle.clear()
        try:
            returned = await self._worker.invoke(
                function.indexed, payload, invocation_id=invocation_id
            )
        finally:
            self._running.discard(label)
            if not self._running:
                self._idle.set()
        elapsed_ms = (time.perf_counter() - started) * 1000
        if returned.ok:
            _log.info("%s succeeded in %.0f ms", label, elapsed_ms)
        else:
            _log.error("%s failed in %.0f ms: %s", label, elapsed_ms, returned.error)
        return returned

    async def drain(self, timeout_s: float) -> list[str]:
        """Wait until nothing runs; return the invocations that did not end in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return sorted(self._running)
        return []
