"""What the real host hands to a Python function, trigger by trigger, and what it takes back."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.functions.worker import Payload


class UndecodableBodyError(ValueError):
    """A queue message whose body is not what host.json says it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage:
    """A message as the queue service returned it; times in UTC."""

    message_id: str
    pop_receipt: str
    dequeue_count: int
    inserted_at: datetime
    expires_at: datetime
    next_visible_at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Iterable[str] = ()


def decode_body(text: str, *, base64_encoded: bool) -> str:
    """Return the text inside a queue message; raise UndecodableBodyError if there is none."""
    if not base64_encoded:
        return text
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise UndecodableBodyError(f"the body is not base64 of UTF-8 text: {error}") from None


def queue_payload(
    parameter: str, message: QueueMessage, body: str, *, binary: bool = False
) -> Payload:
    """Build the payload of a queue trigger, with the real host's flaw.

    The host takes every plain top-level property of a JSON body as metadata too, so that a body
    with "id" or "dequeueCount" overwrites the message's own. An app must not trust such bodies.
    Where the trigger is bound as binary the host hands over bytes and reads nothing out of them.
    """
    metadata: dict[str, tuple[str, Any]] = {
        "QueueTrigger": ("string", body),
        "DequeueCount": ("json", json.dumps(str(message.dequeue_count))),
        "Id": ("string", message.message_id),
        "PopReceipt": ("string", message.pop_receipt),
        "InsertionTime": ("json", json.dumps(_iso(message.inserted_at))),
        "ExpirationTime": ("json", json.dumps(_iso(message.expires_at))),
        "NextVisibleTime": ("json", json.dumps(_iso(message.next_visible_at))),
    }
    if binary:
        return Payload(parameter=parameter, value=("bytes", body.encode()), metadata=metadata)
    names = {name.lower(): name for name in metadata}
    for key, value in _plain_properties(body):
        text = value if isinstance(value, str) else json.dumps(value)
        metadata[names.get(key.lower(), key)] = ("string", text)
    return Payload(parameter=parameter, value=("string", body), metadata=metadata)


def event_payload(parameter: str, event: Mapping[str, Any]) -> Payload:
    """Build the payload of an Event Grid trigger from one event of either schema."""
    text = json.dumps(event)
    return Payload(
        parameter=parameter,
        value=("json", text),
        metadata={"data": ("json", json.dumps(event.get("data")))},
    )


def timer_payload(parameter: str, *, last: datetime | None, following: datetime) -> Payload:
    """Build the payload of a timer trigger; this host never calls a timer past due."""
    last_text = (last or datetime.min.replace(tzinfo=UTC)).isoformat()
    document = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": last_text,
            "LastUpdated": last_text,
            "Next": following.isoformat(),
        },
        "IsPastDue": False,
    }
    return Payload(parameter=parameter, value=("json", json.dumps(document)), metadata={})


def http_payload(
    parameter: str,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    route: Mapping[str, str],
    body: bytes,
) -> Payload:
    """Build the payload of an HTTP trigger; header names go down in lower case."""
    request = {
        "method": method,
        "url": url,
        "headers": dict(headers),
        "query": dict(query),
        "params": dict(route),
        "body": body,
    }
    return Payload(parameter=parameter, value=("http", request), metadata={})


def http_answer(value: tuple[str, Any] | None) -> HttpAnswer:
    """Turn an HTTP function's encoded return value into an answer."""
    if value is None:
        return HttpAnswer(status=204, headers={}, body=b"")
    kind, content = value
    if kind == "string":
        plain = {"content-type": "text/plain; charset=utf-8"}
        return HttpAnswer(status=200, headers=plain, body=content.encode())
    if kind != "http":
        raise TypeError(f"return value of type {kind}: not supported by the local host")
    return HttpAnswer(
        status=int(content["status_code"].value),
        headers={name: part.value for name, part in content["headers"].items()},
        body=content["body"].value,
        cookies=[
            morsel.OutputString()
            for cookie in content["cookies"] or ()
            for morsel in cookie.values()
        ],
    )


def _plain_properties(body: str) -> Iterable[tuple[str, Any]]:
    try:
        document = json.loads(body)
    except ValueError:
        return
    if not isinstance(document, dict):
        return
    for key, value in document.items():
        if value is not None and not isinstance(value, list):
            yield key, value


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
