"""What the real host hands to a Python function, trigger by trigger, and what it takes back."""

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.functions.worker import Payload

_WHITE_SPACE = dict.fromkeys(map(ord, " \t\r\n"))
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?")
_PLAIN_BELOW = 1e15


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


def decode_body(text: str, *, base64_encoded: bool) -> bytes:
    """Return the bytes inside a queue message; raise UndecodableBodyError if there are none."""
    if not base64_encoded:
        return text.encode()
    try:
        # White space may stand anywhere: lines of base64 are often broken.
        return base64.b64decode(text.translate(_WHITE_SPACE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UndecodableBodyError(f"the body is not base64: {error}") from None


def encode_body(body: bytes, *, base64_encoded: bool) -> str:
    """Return the text of a queue message that holds a decoded body."""
    return base64.b64encode(body).decode() if base64_encoded else body.decode()


def queue_payload(
    parameter: str, message: QueueMessage, body: bytes, *, binary: bool = False
) -> Payload:
    """Build the payload of a queue trigger, with the real host's flaw.

    The host takes top-level properties of a JSON body as metadata too, so that a body with "id"
    or "dequeueCount" overwrites the message's own. An app must not trust such bodies. Where the
    trigger is bound as binary the host hands over any bytes and reads nothing out of them; else
    bytes that are no UTF-8 raise UnicodeDecodeError: the call fails before the function.
    """
    metadata: dict[str, tuple[str, Any]] = {
        "DequeueCount": ("json", json.dumps(message.dequeue_count)),
        "Id": ("string", message.message_id),
        "PopReceipt": ("string", message.pop_receipt),
        "InsertionTime": ("json", json.dumps(_iso(message.inserted_at))),
        "ExpirationTime": ("json", json.dumps(_iso(message.expires_at))),
        "NextVisibleTime": ("json", json.dumps(_iso(message.next_visible_at))),
    }
    if binary:
        with contextlib.suppress(UnicodeDecodeError):
            metadata["QueueTrigger"] = ("string", body.decode())
        return Payload(parameter=parameter, value=("bytes", body), metadata=metadata)
    text = body.decode()
    metadata["QueueTrigger"] = ("string", text)
    names = {name.lower(): name for name in metadata}
    for key, value in _binding_data(text):
        metadata[names.get(key.lower(), key)] = value
    return Payload(parameter=parameter, value=("string", text), metadata=metadata)


def event_payload(parameter: str, event: Mapping[str, Any]) -> Payload:
    """Build the payload of an Event Grid trigger from one event of either schema."""
    text = json.dumps(event)
    return Payload(
        parameter=parameter,
        value=("json", text),
        metadata={"data": ("json", json.dumps(event.get("data")))},
    )


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
    told = str(content["status_code"].value)
    return HttpAnswer(
        # What is no number is not heard of.
        status=int(told) if told.isdecimal() else 200,
        headers={name: part.value for name, part in content["headers"].items()},
        body=content["body"].value,
        cookies=[
            morsel.OutputString()
            for cookie in content["cookies"] or ()
            for morsel in cookie.values()
        ],
    )


def _binding_data(body: str) -> Iterable[tuple[str, tuple[str, str]]]:
    try:
        document = json.loads(body)
    except ValueError:
        return
    if not isinstance(document, dict):
        return
    for key, value in document.items():
        # "sys" is the host's own; an array or a null is left out.
        if key.lower() == "sys" or value is None or isinstance(value, list):
            continue
        if isinstance(value, dict):
            yield key, ("json", json.dumps(value, separators=(",", ":")))
        else:
            yield key, ("string", _invariant(value))


def _invariant(value: object) -> str:
    # The host reads JSON with dates in it, and writes plain values as .NET does.
    if isinstance(value, str):
        if not _DATE.fullmatch(value):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%m/%d/%Y %H:%M:%S")
    if isinstance(value, float) and value.is_integer() and abs(value) < _PLAIN_BELOW:
        return str(int(value))
    return str(value)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
