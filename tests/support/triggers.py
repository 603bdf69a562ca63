"""Call the functions of the queues as the worker library does, past their decorators."""

import json
from inspect import signature
from types import SimpleNamespace
from typing import Any

from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter

from tests.support.fakes import World


def call_trigger(function: Any, message: Any) -> None:
    """Call what a decorator made of a function as the worker library does."""
    call_function(function.build(), message)


def call_function(function: Any, message: Any) -> None:
    """Call a function of the app, with a context if it wants one."""
    called = function.get_user_function()
    context = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=""))
    called(message, *([context] if "context" in signature(called).parameters else []))


def trigger(function: Any, body: str | bytes, *, count: int = 1) -> None:
    """Call a queue function as the worker library does, past its decorators."""
    data = Datum(body if isinstance(body, bytes) else body.encode(), "bytes")
    metadata = {"DequeueCount": Datum(json.dumps(str(count)), "json")}
    message = QueueMessageInConverter.decode(data, trigger_metadata=metadata)
    call_trigger(function, message)


def bodies_waiting(world: World) -> list[str]:
    """Return the messages that wait in the queues, due or not."""
    return [body for _, _, _, body in world.queues.waiting]
