"""The vendor's worker library, driven without its wire protocol.

The library keeps the index and the thread pool in module globals, so a process serves one app.
It runs on an event loop in a thread of its own: an app that blocks its loop, or leaves it with
SystemExit, then cannot stop the host from renewing locks.
"""

import asyncio
import ctypes
import json
import logging
import sys
import threading
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native
from azure_functions_runtime.utils.executor import run_sync_func
from azure_functions_runtime.utils.threadpool import get_threadpool_executor

from localcloud.functions.errors import HostStartError, NoFunctionsError

SCRIPT_FILE = "function_app.py"


class _StatusResult(SimpleNamespace):
    Success = "success"
    Failure = "failure"


class _BindingInfo(SimpleNamespace):
    # Directions and data types as the library's decorators number them.
    out, inout = 1, 2
    undefined, string, binary, stream = None, 1, 2, 3


# The library builds its answers with message classes that the caller hands in; plain
# namespaces are enough, because no message goes over a wire here.
_MESSAGES = SimpleNamespace(
    BindingInfo=_BindingInfo,
    FunctionMetadataResponse=SimpleNamespace,
    RpcException=SimpleNamespace,
    RpcFunctionMetadata=SimpleNamespace,
    RpcRetryOptions=SimpleNamespace,
    StatusResult=_StatusResult,
    WorkerInitResponse=SimpleNamespace,
    WorkerMetadata=SimpleNamespace,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFunction:
    """A function as the library indexed it."""

    name: str
    function_id: str
    bindings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What an invocation is given: the trigger's parameter, its value and its metadata.

    A value is a pair of the library's type word (`string`, `json`, `http`, `bytes`) and content.
    """

    parameter: str
    value: tuple[str, Any]
    metadata: Mapping[str, tuple[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How an invocation ended; `value` is the encoded return value, if it had one."""

    ok: bool
    value: tuple[str, Any] | None = None
    error: str = ""


class Worker:
    """Indexes one app and invokes its functions."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="functions-worker", daemon=True)
        self._thread.start()

    async def index(self, app_dir: Path) -> list[IndexedFunction]:
        """Import the app and list its functions; raise NoFunctionsError with its traceback."""
        if not (app_dir / SCRIPT_FILE).is_file():
            raise NoFunctionsError(f"{app_dir} holds no {SCRIPT_FILE}, so there is no app to serve")
        sys.path.insert(0, str(app_dir))
        runtime.start_threadpool_executor()
        results = await self._call(_index(app_dir))
        return [
            IndexedFunction(
                name=result.name,
                function_id=result.function_id,
                bindings=tuple(json.loads(text) for text in result.raw_bindings),
            )
            for result in results
        ]

    async def invoke(
        self, function: IndexedFunction, payload: Payload, *, invocation_id: str | None = None
    ) -> Returned:
        """Run one function to its end; a failure is an answer here, not an exception."""
        return await self._call(
            _invoke(function.function_id, payload, invocation_id or str(uuid.uuid4()))
        )

    def renew(self) -> None:
        """Break off what runs in the pool's threads, as far as that can be, and begin a new pool.

        A thread that waits for something outside of Python goes on until that answers.
        """
        pool = get_threadpool_executor()
        threads = () if pool is None else tuple(pool._threads)  # noqa: SLF001 - it has no other name
        frames = sys._current_frames()  # noqa: SLF001 - likewise
        for thread in threads:
            if thread.ident in frames and _runs_a_function(frames[thread.ident]):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
                )
        runtime.start_threadpool_executor()

    async def stop(self) -> None:
        """Wait for the thread pool and end the worker's loop."""
        await asyncio.to_thread(runtime.stop_threadpool_executor)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)

    async def _call[T](self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()


def _runs_a_function(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is run_sync_func.__code__:
            return True
        frame = frame.f_back
    return False


async def _index(app_dir: Path) -> Sequence[Any]:
    init = SimpleNamespace(
        worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app_dir))
    )
    request = SimpleNamespace(request=init, properties={"host": "127.0.0.1", "protos": _MESSAGES})
    library_log = logging.getLogger("azure.functions")
    level = library_log.level
    # What it logs about a failed import comes back in the answer, with the traceback.
    library_log.setLevel(logging.CRITICAL)
    try:
        response = await runtime.worker_init_request(request)
    except (SystemExit, KeyboardInterrupt) as error:
        raise HostStartError(f"{SCRIPT_FILE} ended the process at import: {error!r}") from error
    finally:
        library_log.setLevel(level)
    if response.result.status != _StatusResult.Success:
        exception = response.result.exception
        raise NoFunctionsError(
            f"cannot index {app_dir / SCRIPT_FILE}: {exception.message}\n{exception.stack_trace}"
        )
    metadata = await runtime.functions_metadata_request(request)
    results = metadata.function_metadata_results
    if not results:
        raise NoFunctionsError(f"{app_dir / SCRIPT_FILE} registers no function")
    return list(results)


async def _invoke(function_id: str, payload: Payload, invocation_id: str) -> Returned:
    try:
        ok, value, outputs, error, _trace = await invocation_request_native(
            invocation_id,
            function_id,
            [(payload.parameter, _datum(payload.value))],
            {name: _datum(pair) for name, pair in payload.metadata.items()},
            # As the host does, every invocation has a trace of its own.
            trace_parent=f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
        )
    except (SystemExit, KeyboardInterrupt) as ending:
        return Returned(ok=False, error=f"the function tried to end the process: {ending!r}")
    if not ok:
        return Returned(ok=False, error=error)
    if outputs:
        names = ", ".join(name for name, _ in outputs)
        return Returned(ok=False, error=f"output {names}: not supported by the local host")
    return Returned(ok=True, value=None if value is None else (value.type, value.value))


def _datum(pair: tuple[str, Any]) -> Any:
    kind, content = pair
    if kind == "http":
        content = {key: _http_part(part) for key, part in content.items()}
    return Datum(content, kind)


def _http_part(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: Datum(text, "string") for name, text in part.items()}
    return Datum(part, "bytes" if isinstance(part, bytes) else "string")
