"""The app's queue functions as the host serves them: its index, its payload, its library."""

import json
from collections.abc import Mapping
from typing import Any

from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter

from localcloud.functions.catalog import QueueTrigger, ServedFunction, build_catalog
from localcloud.functions.payloads import QueueMessage, queue_payload
from localcloud.functions.worker import IndexedFunction
from tests.support.http.served import functions
from tests.support.triggers import call_function

_CALLED = {str(one.get_function_name()): one for one in functions()}


def queue_functions() -> list[tuple[ServedFunction, QueueTrigger]]:
    """Return the functions that a queue triggers, and what triggers them."""
    indexed = [
        IndexedFunction(
            name=str(one.get_function_name()),
            function_id="",
            bindings=json.loads(one.get_function_json())["bindings"],
        )
        for one in functions()
        if "queue" in str(one.get_trigger().type)
    ]
    catalog = build_catalog(indexed, {"AzureWebJobsStorage": "x"}, route_prefix="")
    return [
        (one, one.trigger) for one in catalog.functions if isinstance(one.trigger, QueueTrigger)
    ]


def succeeds(
    one: ServedFunction, trigger: QueueTrigger, message: QueueMessage, body: bytes
) -> bool:
    """Call a function with a message; tell whether the host sees it succeed."""
    payload = queue_payload(one.parameter, message, body, binary=trigger.binary)
    try:
        call_function(_CALLED[one.name], _converted(payload.value, payload.metadata))
    except Exception:  # noqa: BLE001 - as the host sees it
        return False
    return True


def _converted(value: tuple[str, Any], metadata: Mapping[str, tuple[str, Any]]) -> Any:
    """Make of a payload what the vendor's library makes of it."""
    return QueueMessageInConverter.decode(
        Datum(value[1], value[0]),
        trigger_metadata={name: Datum(text, kind) for name, (kind, text) in metadata.items()},
    )
