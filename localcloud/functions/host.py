"""The host: one app, its HTTP side, its queue listeners and its timers, until told to stop."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from localcloud.functions.app_settings import is_development, prepare_environment
from localcloud.functions.catalog import (
    QueueTrigger,
    ServedFunction,
    TimerTrigger,
    build_catalog,
)
from localcloud.functions.config import QueueOptions, load_host_config
from localcloud.functions.errors import HostStartError
from localcloud.functions.http_server import HttpServer
from localcloud.functions.invoker import Invoker
from localcloud.functions.keys import access_key
from localcloud.functions.logs import configure_logging
from localcloud.functions.payloads import QueueMessage, queue_payload
from localcloud.functions.queue_listener import LOCK_S, QueueListener
from localcloud.functions.queue_ports import QueueService
from localcloud.functions.storage_queues import Account, StorageQueues
from localcloud.functions.timers import Timer
from localcloud.functions.worker import Worker

_log = logging.getLogger("localcloud.functions")

STOP_GRACE_S = 10.0


@dataclass(slots=True, kw_only=True)
class RunningHost:
    """A host that serves; `url` is where its HTTP side listens.

    `broken` is set when a listener ended by itself, as on a storage fault that does not pass: the
    real host then stops as a whole, and the platform starts another.
    """

    url: str
    broken: asyncio.Event
    stop_grace_s: float
    _worker: Worker
    _invoker: Invoker
    _runner: web.AppRunner
    _loops: list[asyncio.Task[None]]
    _listeners: list[QueueListener]
    _services: list[StorageQueues]
    _background: set[asyncio.Task[object]] = field(default_factory=set)

    async def stop(self) -> bool:
        """Stop taking work, wait for what runs, end the worker; False if something hangs."""
        loops = [*self._loops, *self._background]
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        # The listeners' messages must be settled, not only their functions ended.
        settled = asyncio.gather(
            *(listener.drain() for listener in self._listeners),
            asyncio.wait_for(self._runner.cleanup(), self.stop_grace_s),
        )
        try:
            async with asyncio.timeout(self.stop_grace_s):
                await settled
        except TimeoutError:
            _log.warning("not everything was settled within %.0f s", self.stop_grace_s)
        stuck = await self._invoker.drain(self.stop_grace_s / 10)
        for service in self._services:
            await service.close()
        if stuck:
            _log.error("left running: %s", ", ".join(stuck))
            return False
        await self._worker.stop()
        return True


async def start_host(
    app_dir: Path,
    *,
    port: int,
    state_dir: Path,
    lock_s: float = LOCK_S,
    stop_grace_s: float = STOP_GRACE_S,
) -> RunningHost:
    """Index the app in `app_dir` and serve it; raise HostStartError when that cannot be."""
    prepare_environment(app_dir, os.environ)
    settings = os.environ
    config = load_host_config(app_dir, development=is_development(settings))
    worker = Worker()
    invoker = Invoker(worker, config.function_timeout_s)
    configure_logging(config, invoker.function_of)
    catalog = build_catalog(await worker.index(app_dir), settings, route_prefix=config.route_prefix)
    functions = catalog.started
    for function in functions:
        _log.info("function %s: %s", function.name, type(function.trigger).__name__)
    for name, reason in catalog.refused.items():
        _log.error("function %s is not served: %s", name, reason)
    accounts = _accounts(functions, settings)
    timers = {
        function.name: Timer(function=function, trigger=function.trigger, invoke=invoker.invoke)
        for function in functions
        if isinstance(function.trigger, TimerTrigger)
    }
    background: set[asyncio.Task[object]] = set()
    server = HttpServer(
        catalog,
        timers,
        invoke=invoker.invoke,
        run_in_background=_background_runner(background),
        key=access_key(settings, state_dir),
    )
    runner, bound_port = await _listen(server.application(), port, stop_grace_s)
    services = {setting: StorageQueues(account) for setting, account in accounts.items()}
    listeners = _listeners(functions, services, config.queues, invoker, lock_s)
    loops = [asyncio.create_task(listener.run()) for listener in listeners]
    loops += [asyncio.create_task(timer.run()) for timer in timers.values()]
    broken = asyncio.Event()
    for loop in loops:
        loop.add_done_callback(_reporter(broken))
    return RunningHost(
        url=f"http://127.0.0.1:{bound_port}",
        broken=broken,
        stop_grace_s=stop_grace_s,
        _worker=worker,
        _invoker=invoker,
        _runner=runner,
        _loops=loops,
        _listeners=listeners,
        _services=list(services.values()),
        _background=background,
    )


def _accounts(functions: list[ServedFunction], settings: Mapping[str, str]) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    for function in functions:
        if not isinstance(function.trigger, QueueTrigger):
            continue
        setting = function.trigger.connection
        if not settings.get(setting):
            raise HostStartError(
                f"function {function.name} needs the setting {setting} with a storage connection "
                "string (the identity form is not supported by the local host)"
            )
        accounts[setting] = Account.parse(settings[setting], setting=setting)
    return accounts


def _listeners(
    functions: list[ServedFunction],
    services: Mapping[str, QueueService],
    options: QueueOptions,
    invoker: Invoker,
    lock_s: float,
) -> list[QueueListener]:
    triggers = [(f, f.trigger) for f in functions if isinstance(f.trigger, QueueTrigger)]
    wakers = {
        setting: {t.queue: asyncio.Event() for _, t in triggers if t.connection == setting}
        for setting in services
    }
    return [
        QueueListener(
            queue=trigger.queue,
            service=services[trigger.connection],
            options=options,
            invoke=_queue_invoke(function, trigger, invoker),
            lock_s=lock_s,
            wakers=wakers[trigger.connection],
        )
        for function, trigger in triggers
    ]


def _queue_invoke(
    function: ServedFunction, trigger: QueueTrigger, invoker: Invoker
) -> Callable[[QueueMessage, bytes], Awaitable[bool]]:
    async def invoke(message: QueueMessage, body: bytes) -> bool:
        try:
            payload = queue_payload(function.parameter, message, body, binary=trigger.binary)
        except UnicodeDecodeError as error:
            _log.error("%s failed before its call: the body is no text: %s", function.name, error)
            return False
        return (await invoker.invoke(function, payload)).ok

    return invoke


async def _listen(
    app: web.Application, port: int, stop_grace_s: float
) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=stop_grace_s)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    try:
        await site.start()
    except OSError as error:
        raise HostStartError(
            f"cannot listen on port {port}: {error.strerror}; choose another one with --port"
        ) from None
    return runner, int(runner.addresses[0][1])


def _background_runner(
    tasks: set[asyncio.Task[object]],
) -> Callable[[Awaitable[object]], None]:
    def run(work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return run


def _reporter(broken: asyncio.Event) -> Callable[[asyncio.Task[None]], None]:
    def report(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            _log.critical(
                "An unhandled exception has occurred. Host is shutting down.",
                exc_info=task.exception(),
            )
            broken.set()

    return report


def leave_at_once(code: int) -> None:
    """End the process without joining threads that may never end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
