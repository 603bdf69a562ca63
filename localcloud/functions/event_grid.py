"""The Event Grid webhook of the Functions host: handshakes and deliveries of both schemas.

As recorded of the vendor's extension. What it cannot read is answered with 500, so that Event Grid
sends it again.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from localcloud.functions.catalog import EventGridTrigger, ServedFunction
from localcloud.functions.payloads import event_payload
from localcloud.functions.webhook_json import read_json
from localcloud.functions.worker import Payload, Returned

EXTENSION = "eventgrid"
METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS")

_FUNCTION = "functionname"
_ORIGIN = "eventgrid.azure.net"

Invoke = Callable[[ServedFunction, Payload], Awaitable[Returned]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A call of the webhook; the names of its headers are in small letters."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """What the webhook says to a call."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class EventGridWebhook:
    """Answers Event Grid for every function with an Event Grid trigger."""

    def __init__(self, functions: Iterable[ServedFunction], invoke: Invoke) -> None:
        self._functions = {
            function.name: function
            for function in functions
            if isinstance(function.trigger, EventGridTrigger)
        }
        self._invoke = invoke

    async def handle(self, delivery: Delivery) -> WebhookAnswer:
        """Answer one call, after the functions have run."""
        query = parse_qsl(delivery.query, keep_blank_values=True)
        name = ",".join(value for key, value in query if key.lower() == _FUNCTION)
        function = self._functions.get(name)
        if function is None:
            return WebhookAnswer(status=404, text=f"cannot find function: '{name}'")
        if delivery.method == "OPTIONS":
            return WebhookAnswer(status=200, headers={"Webhook-Allowed-Origin": _ORIGIN})
        kind = delivery.headers.get("aeg-event-type", "").lower()
        if kind not in ("subscriptionvalidation", "notification"):
            return WebhookAnswer(status=202 if kind == "unsubscribe" else 400)
        return await self._receive(function, delivery, kind)

    async def _receive(
        self, function: ServedFunction, delivery: Delivery, kind: str
    ) -> WebhookAnswer:
        try:
            document = read_json(delivery.body, delivery.headers.get("content-type", ""))
            if kind == "subscriptionvalidation":
                return _handshake(document)
        except (ValueError, LookupError, TypeError):
            return WebhookAnswer(status=500)
        return await self._deliver(function, document)

    async def _deliver(self, function: ServedFunction, document: Any) -> WebhookAnswer:
        """Call the function for each event at once; what is no event ends the batch there."""
        if not isinstance(document, dict | list):
            return WebhookAnswer(status=500)
        among = document if isinstance(document, list) else [document]
        broken = next((at for at, one in enumerate(among) if not isinstance(one, dict)), None)
        results = await asyncio.gather(
            *(
                self._invoke(function, event_payload(function.parameter, event))
                for event in among[:broken]
            )
        )
        if broken is not None:
            return WebhookAnswer(status=500)
        if not all(result.ok for result in results):
            text = f"Exception while executing function: Functions.{function.name}"
            return WebhookAnswer(status=500, text=text)
        return WebhookAnswer(status=202)


def _handshake(document: Any) -> WebhookAnswer:
    data = document[0]["data"] if isinstance(document, list) else document["data"]
    if isinstance(data, str):
        # Only a single object may carry its data as JSON text.
        data = None if isinstance(document, list) else json.loads(data)
    code = data["validationCode"]
    shown = code if isinstance(code, str) else "" if code is None else json.dumps(code, indent=2)
    text = json.dumps({"validationResponse": shown}, separators=(",", ":"))
    return WebhookAnswer(status=200, text=text)
