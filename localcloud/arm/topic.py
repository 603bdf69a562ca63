"""Custom topic for one machine: takes events as Event Grid does, and tells them the webhook.

It stands for two topics, one of each schema: the content type says which of them is meant. Any key
will do, but none will not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from localcloud.arm.answers import error_answer
from localcloud.arm.api import DEFAULT_SUBSCRIPTION_ID
from localcloud.arm.errors import ArmError
from localcloud.arm.events import EventGrid
from localcloud.arm.json_bodies import parse_json

PATH = "/api/events"
TOPIC_ID = (
    f"/subscriptions/{DEFAULT_SUBSCRIPTION_ID}/resourceGroups/labs-rg"
    "/providers/Microsoft.EventGrid/topics/exports"
)
MAX_BYTES = 1_048_576
_CREDENTIALS = ("aeg-sas-key", "aeg-sas-token", "Authorization")
_CLOUD_EVENT = "application/cloudevents+json"
_CLOUD_EVENTS = "application/cloudevents-batch+json"
_NEEDED = ("id", "subject", "eventType", "eventTime", "dataVersion")
_KNOWN = (*_NEEDED, "topic", "data", "metadataVersion")
_NEEDED_OF_CLOUD = ("id", "source", "specversion", "type")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Topic:
    """The endpoint that publishers send to."""

    events: EventGrid

    async def handle(self, request: web.Request) -> web.Response:
        """Take the events of a request, all or none."""
        try:
            if not any(request.headers.get(name) for name in _CREDENTIALS):
                raise _refusal(
                    "Request must contain one of the following authorization signature: "
                    "aeg-sas-token, aeg-sas-key.",
                    status=401,
                    code="Unauthorized",
                )
            events = read_events(await _body(request), request.content_type)
        except ArmError as error:
            answer = error_answer(error)
            return web.json_response(answer.body, status=answer.status)
        for event in events:
            self.events.deliver(event)
        return web.Response()


def read_events(raw: bytes, content_type: str) -> list[dict[str, Any]]:
    """Return the events as they are delivered; raises ArmError where Event Grid takes none."""
    is_cloud = content_type in (_CLOUD_EVENT, _CLOUD_EVENTS)
    body = parse_json(raw)
    events = [body] if content_type == _CLOUD_EVENT else body
    if not isinstance(events, list):
        raise _refusal("Unexpected token when reading JSON. Expected: StartArray.")
    read = _read_cloud_event if is_cloud else _read_event
    return [read(_object(one)) for one in events]


def _read_event(event: dict[str, Any]) -> dict[str, Any]:
    schema = "EventGridEvent"
    for name in event:
        if name not in _KNOWN:
            raise _refusal(
                f"This resource is configured for '{schema}' schema. Received unexpected property "
                f"'{name[:_SHOWN]}' in JSON which does not conform to the expected schema."
            )
    _check(event, _NEEDED, schema)
    _check_time(event, "eventTime")
    stamped = {"topic": TOPIC_ID, "metadataVersion": "1"}
    for name, value in stamped.items():
        if event.get(name) not in (None, value):
            raise _refusal(f"The property '{name}' is '{value}' here, or not set.")
    return event | stamped


def _read_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    schema = "CloudEventV10"
    _check(event, _NEEDED_OF_CLOUD, schema)
    _check_time(event, "time")
    if event["specversion"] != "1.0":
        raise _refusal(f"The 'specversion' of '{schema}' schema is '1.0'.")
    if "data" in event and "data_base64" in event:
        raise _refusal("An event has 'data' or 'data_base64', not both.")
    return event


def _check(event: Mapping[str, Any], needed: tuple[str, ...], schema: str) -> None:
    for name in needed:
        # An empty version is one.
        if not isinstance(event.get(name), str) or not (event[name] or name == "dataVersion"):
            raise _refusal(
                f"This resource is configured for '{schema}' schema and requires '{name}' "
                "property to be set."
            )


def _check_time(event: Mapping[str, Any], name: str) -> None:
    try:
        datetime.fromisoformat(event.get(name, "2026-01-01"))
    except (TypeError, ValueError):
        raise _refusal(f"The property '{name}' is no time.") from None


def _object(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise _refusal("Unexpected token when reading JSON. Expected: StartObject.")
    return event


async def _body(request: web.Request) -> bytes:
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raw = b" " * (MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise _refusal(
            f"The maximum size ({MAX_BYTES}) of a request is exceeded.",
            status=413,
            code="RequestEntityTooLarge",
        )
    return raw


def _refusal(message: str, *, status: int = 400, code: str = "BadRequest") -> ArmError:
    return ArmError(status, code, message)
