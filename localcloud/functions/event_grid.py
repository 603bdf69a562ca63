"""The Event Grid webhook of the Functions host: handshakes and deliveries of both schemas."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from localcloud.functions.catalog import EventGridTrigger, ServedFunction
from localcloud.functions.payloads import event_payload
from localcloud.functions.worker import Payload, Returned

PATH = "/runtime/webhooks/eventgrid"
EXTENSION = "eventgrid"

# Origins of the clouds' own Event Grid; the handshake echoes only these.
_ORIGINS = frozenset(
    f"eventgrid.azure.{suffix}" for suffix in ("net", "us", "cn", "eaglex", "scloud")
)
_DEFAULT_ORIGIN = "eventgrid.azure.net"

Invoke = Callable[[ServedFunction, Payload], Awaitable[Returned]]


class EventGridWebhook:
    """Answers Event Grid for every function with an Event Grid trigger."""

    def __init__(self, functions: list[ServedFunction], invoke: Invoke) -> None:
        self._functions = {
            function.name: function
            for function in functions
            if isinstance(function.trigger, EventGridTrigger)
        }
        self._invoke = invoke

    async def handle(self, request: web.Request) -> web.Response:
        name = request.query.get("functionName", "")
        function = self._functions.get(name)
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            origin = request.headers.get("WebHook-Request-Origin", "").lower()
            allowed = origin if origin in _ORIGINS else _DEFAULT_ORIGIN
            return web.Response(headers={"Webhook-Allowed-Origin": allowed})
        return await self._receive(function, request)

    async def _receive(self, function: ServedFunction, request: web.Request) -> web.Response:
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind == "unsubscribe" and request.method == "POST":
            return web.Response(status=202)
        if kind not in ("subscriptionvalidation", "notification") or request.method != "POST":
            return web.Response(status=400, text="aeg-event-type is missing or unknown")
        try:
            document = json.loads(await request.read())
            if kind == "subscriptionvalidation":
                return web.json_response({"validationResponse": _validation_code(document)})
            events = _events(document)
        except (ValueError, LookupError, TypeError) as error:
            return web.Response(status=400, text=f"the body cannot be read: {error}")
        return await self._deliver(function, events)

    async def _deliver(
        self, function: ServedFunction, events: list[Mapping[str, Any]]
    ) -> web.Response:
        results = await asyncio.gather(
            *(self._invoke(function, event_payload(function.parameter, event)) for event in events)
        )
        failures = [result.error for result in results if not result.ok]
        if failures:
            # Event Grid sends the whole batch again.
            return web.Response(status=500, text=failures[0])
        return web.Response(status=202)


def _validation_code(document: Any) -> str:
    data = document[0]["data"] if isinstance(document, list) else document["data"]
    # A single object carries its data as JSON text.
    code = (json.loads(data) if isinstance(data, str) else data)["validationCode"]
    if not isinstance(code, str):
        raise TypeError("validationCode is not a string")
    return code


def _events(document: Any) -> list[Mapping[str, Any]]:
    events = document if isinstance(document, list) else [document]
    if not all(isinstance(event, dict) for event in events):
        raise TypeError("an event must be a JSON object")
    return events
