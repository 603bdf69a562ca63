"""The host: one app, its HTTP side, its queue listeners and its timers, until told to stop."""

import asyncio
import hashlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from localcloud.functions.app_settings import is_development, prepare_environment
from localcloud.functions.catalog import (
    Catalog,
    QueueTrigger,
    ServedFunction,
    TimerTrigger,
    build_catalog,
)
from localcloud.functions.config import QueueOptions, load_host_config
from localcloud.functions.errors import (
    HostEndedError,
    HostStartError,
    NoFunctionsError,
    RefusedFunctionError,
)
from localcloud.functions.http_server import HttpServer
from localcloud.functions.invoker import Invoker
from localcloud.functions.keys import open_keys
from localcloud.functions.logs import configure_logging
from localcloud.functions.payloads import QueueMessage, queue_payload
from localcloud.functions.queue_listener import LOCK_S, QueueListener
from localcloud.functions.queue_ports import QueueService, QueueServiceError
from localcloud.functions.storage_queues import Account, StorageQueues
from localcloud.functions.timers.listener import LEASE_S, Timer
from localcloud.functions.timers.store import BlobTimerStore
from localcloud.functions.worker import IndexedFunction, Worker

_log = logging.getLogger("localcloud.functions")
_MOST_LINE_BYTES = 256 * 1024

STOP_GRACE_S = 10.0
_SHUTTING_DOWN = "An unhandled exception has occurred. Host is shutting down."
_STORAGE = "AzureWebJobsStorage"
# Calls may take three times as long to end as queue and timer functions.
_CALLS_GRACE = 3.0


@dataclass(slots=True, kw_only=True)
class RunningHost:
    """A host that serves; `url` is where its HTTP side listens.

    `broken` is set when a listener ended by itself, as on a storage fault that does not pass: the
    real host then stops as a whole. `problem` says why an app could not be loaded: as the real
    host does, this one runs on without any function.
    """

    url: str
    problem: str
    broken: asyncio.Event
    stop_grace_s: float
    _worker: Worker
    _invoker: Invoker
    _runner: web.AppRunner
    _loops: list[asyncio.Task[None]]
    _listeners: list[QueueListener]
    _services: list[StorageQueues | BlobTimerStore]
    _background: set[asyncio.Task[object]] = field(default_factory=set)

    async def stop(self) -> bool:
        """Stop in the real host's two steps; False if something runs on that cannot be ended.

        The port is shut at once, and calls may end while messages are still taken. Then nothing
        is taken any more, and queue and timer functions may end.
        """
        await self._runner.cleanup()
        loops = [*self._loops, *self._background]
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        # The listeners' messages must be settled, not only their functions ended.
        settled = asyncio.gather(
            self._invoker.drain(), *(listener.drain() for listener in self._listeners)
        )
        try:
            async with asyncio.timeout(self.stop_grace_s):
                await settled
        except TimeoutError:
            _log.warning("the host did not shut down within its %.0f s", self.stop_grace_s)
        for service in self._services:
            await service.close()
        left = self._invoker.left_running()
        if left:
            _log.error("left running: %s", ", ".join(left))
            return False
        await self._worker.stop()
        return True


async def start_host(
    app_dir: Path,
    *,
    port: int,
    state_dir: Path,
    lock_s: float = LOCK_S,
    lease_s: float = LEASE_S,
    stop_grace_s: float = STOP_GRACE_S,
) -> RunningHost:
    """Index the app in `app_dir` and serve it; raise HostStartError when that cannot be.

    Raises HostEndedError where the storage does not answer, or refuses: as in Azure, the port is
    never opened then.
    """
    prepare_environment(app_dir, os.environ)
    settings = os.environ
    config = load_host_config(app_dir, development=is_development(settings))
    worker = Worker()
    invoker = Invoker(worker, config.function_timeout_s)
    configure_logging(config, invoker.function_of)
    indexed, problem = await _index(worker, app_dir)
    found = build_catalog(indexed, settings, route_prefix=config.route_prefix)
    catalog, accounts = _with_storage(found, settings)
    functions = catalog.started
    for function in functions:
        _log.info("function %s: %s", function.name, type(function.trigger).__name__)
    for name, reason in catalog.refused.items():
        _log.error("function %s is not served: %s", name, reason)
    timer_store = _timer_store(functions, settings, app_dir)
    timers = {
        function.name: Timer(
            function=function,
            trigger=function.trigger,
            invoke=invoker.invoke,
            store=timer_store,
            lease_s=lease_s,
        )
        for function in functions
        if isinstance(function.trigger, TimerTrigger) and timer_store is not None
    }
    background: set[asyncio.Task[object]] = set()
    server = HttpServer(
        catalog,
        timers,
        invoke=invoker.invoke,
        run_in_background=_background_runner(background),
        keys=open_keys(settings, state_dir),
    )
    services = {setting: StorageQueues(account) for setting, account in accounts.items()}
    closing: list[StorageQueues | BlobTimerStore] = list(services.values())
    closing += [timer_store] if timer_store else []
    listeners = _listeners(functions, services, config.queues, invoker, lock_s)
    await _look_at_storage(listeners, services.values())
    runner, bound_port = await _listen(server.application(), port, stop_grace_s)
    loops = [asyncio.create_task(listener.run()) for listener in listeners]
    loops += [asyncio.create_task(timer.run()) for timer in timers.values()]
    broken = asyncio.Event()
    for loop in loops:
        loop.add_done_callback(_reporter(broken))
    return RunningHost(
        url=f"http://127.0.0.1:{bound_port}",
        problem=problem,
        broken=broken,
        stop_grace_s=stop_grace_s,
        _worker=worker,
        _invoker=invoker,
        _runner=runner,
        _loops=loops,
        _listeners=listeners,
        _services=closing,
        _background=background,
    )


async def _index(worker: Worker, app_dir: Path) -> tuple[list[IndexedFunction], str]:
    try:
        return await worker.index(app_dir), ""
    except NoFunctionsError as error:
        _log.critical("NO FUNCTION IS SERVED, every call is 404: %s", error)
        return [], str(error)


def _with_storage(
    catalog: Catalog, settings: Mapping[str, str]
) -> tuple[Catalog, dict[str, Account]]:
    """Refuse queue and timer functions without a storage; return the accounts of the queues."""
    accounts: dict[str, Account] = {}
    refused = dict(catalog.refused)
    for function in catalog.started:
        try:
            if isinstance(function.trigger, QueueTrigger):
                setting = function.trigger.connection
                accounts[setting] = _account(setting, settings)
            elif isinstance(function.trigger, TimerTrigger):
                _account(_STORAGE, settings)
        except RefusedFunctionError as error:
            refused[function.name] = f"function {function.name}: {error}"
    kept = [function for function in catalog.functions if function.name not in refused]
    return Catalog(functions=kept, refused=refused), accounts


def _timer_store(
    functions: list[ServedFunction], settings: Mapping[str, str], app_dir: Path
) -> BlobTimerStore | None:
    """Return where timers keep their status; hosts of one app share it, None without timers."""
    if not any(isinstance(function.trigger, TimerTrigger) for function in functions):
        return None
    host_id = hashlib.sha256(str(app_dir.resolve()).encode()).hexdigest()[:32]
    return BlobTimerStore.connect(settings[_STORAGE], host_id=host_id)


def _account(setting: str, settings: Mapping[str, str]) -> Account:
    if settings.get(setting):
        return Account.parse(settings[setting], setting=setting)
    by_identity = sorted(name for name in settings if name.startswith(f"{setting}__"))
    if by_identity:
        raise HostStartError(
            f"the setting {by_identity[0]} names a storage that an identity opens, for which this "
            f"machine has no issuer of tokens: set {setting} to a connection string instead "
            "(docs/local-cloud.md)"
        )
    raise RefusedFunctionError(f"the setting {setting} is missing: a storage connection string")


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


async def _look_at_storage(
    listeners: Iterable[QueueListener], services: Iterable[StorageQueues]
) -> None:
    try:
        for listener in listeners:
            await listener.look()
    except QueueServiceError as error:
        for service in services:
            await service.close()
        _log.critical(_SHUTTING_DOWN, exc_info=error)
        raise HostEndedError(str(error)) from None


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
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # the vendor's host hands bodies over as they came
        shutdown_timeout=stop_grace_s * _CALLS_GRACE,
        # What is longer than the real host takes is refused in its way, and not in aiohttp's.
        max_line_size=_MOST_LINE_BYTES,
        max_field_size=_MOST_LINE_BYTES,
    )
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
                _SHUTTING_DOWN,
                exc_info=task.exception(),
            )
            broken.set()

    return report


def leave_at_once(code: int) -> None:
    """End the process without joining threads that may never end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
