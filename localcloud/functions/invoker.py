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
        self._running: dict[str, str] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def function_of(self, invocation_id: str) -> str | None:
        """Name the function of an invocation that runs."""
        return self._running.get(invocation_id)

    async def invoke(self, function: ServedFunction, payload: Payload) -> Returned:
        """Run a function to its end and log how it went."""
        invocation_id = str(uuid.uuid4())
        label = f"{function.name} {invocation_id}"
        started = time.perf_counter()
        self._running[invocation_id] = function.name
        self._idle.clear()
        try:
            returned = await self._worker.invoke(
                function.indexed, payload, invocation_id=invocation_id
            )
        finally:
            del self._running[invocation_id]
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
            return sorted(f"{name} {which}" for which, name in self._running.items())
        return []
