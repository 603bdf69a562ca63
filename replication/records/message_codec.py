"""Message codec: a job's message as the JSON text on a queue, and back."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from replication.codec import MAX_NAME, TRACE, Codec, Form, check_version, parse_json, read_text
from replication.domain.errors import MalformedError
from replication.domain.message import JobMessage
from replication.domain.trace_context import TraceParent

FORMAT_VERSION = 1
MAX_BYTES = 8 * 1024
# What a queue can hold: a newer release may write longer messages than this one.
_MAX_READ_BYTES = 64 * 1024
_MAX_SEQUENCE = 10**15
_WHAT = "the message"


def encode_message(message: JobMessage) -> str:
    """Return the JSON text for the queue.

    All fields stand under `job`: the host lets a top-level `id` or `dequeueCount` of a body
    overwrite the queue's own metadata.
    """
    job = {
        "image_version_id": str(message.image_version_id),
        "sequence": message.sequence,
        "correlation_id": message.correlation_id,
    }
    if message.traceparent is not None:
        job["traceparent"] = str(message.traceparent)
    if message.due_at is not None:
        job["due_at"] = message.due_at.isoformat(timespec="seconds")
    return json.dumps({"v": FORMAT_VERSION, "job": job}, separators=(",", ":"))


def decode_message(body: str | bytes) -> JobMessage:
    """Read a queue message; raises MalformedError or NewerFormatError."""
    length = len(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)
    if length > _MAX_READ_BYTES:
        raise MalformedError(f"the message is longer than {MAX_BYTES} bytes")
    document = check_version(parse_json(body, what=_WHAT), what=_WHAT, reads=FORMAT_VERSION)
    if length > MAX_BYTES:
        raise MalformedError(f"the message is longer than {MAX_BYTES} bytes")
    message = _BODIES.decode(document).job
    return replace(message, trace_fault=_fault(document["job"].get("traceparent")))


def _fault(traceparent: Any) -> str:
    """Say what is wrong with a trace, which costs the trace and never the look."""
    try:
        if traceparent is not None:
            TraceParent.parse(traceparent)
    except MalformedError as error:
        return f"job.traceparent: {error}"
    return ""


def _read_sequence(value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= _MAX_SEQUENCE:
        raise ValueError(f"is not a whole number from 0 to {_MAX_SEQUENCE}")
    return int(value)


def _read_id(value: Any) -> str:
    text = read_text(value)
    if len(text) > MAX_NAME:
        raise ValueError(f"is not a text of at most {MAX_NAME}")
    return text


def _read_moment(value: Any) -> datetime | None:
    """Read a moment; what is none costs nothing but the figure it is for."""
    if isinstance(value, str) and len(value) <= MAX_NAME:
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo is not None else None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    job: JobMessage


_BODIES = Codec(
    shape=_Body,
    what=_WHAT,
    version=FORMAT_VERSION,
    forms={
        JobMessage: {
            "sequence": Form(_read_sequence),
            "correlation_id": Form(_read_id),
            "traceparent": TRACE,
            "trace_fault": Form(lambda _: ""),
            "due_at": Form(_read_moment),
        }
    },
)
