"""Queue triggers, each bound as binary.

Of a text the host reads the metadata out of the body, and what is no UTF-8 fails before the
function is called.
"""

from collections.abc import Callable
from typing import Any

import azure.functions as func


def on_queue(blueprint: func.Blueprint, name: str, queue: str) -> Callable[[Any], Any]:
    """Make a function the one that takes a queue's messages, under this name."""

    def bind(function: Any) -> Any:
        triggered = blueprint.queue_trigger(
            arg_name="message",
            queue_name=queue,
            connection="AzureWebJobsStorage",
            data_type=func.DataType.BINARY,
        )(function)
        return blueprint.function_name(name)(triggered)

    return bind
