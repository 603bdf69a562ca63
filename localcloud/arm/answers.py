"""Requests and answers without a web framework, and JSON as ARM writes it."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.errors import ArmError

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRequest:
    """One request; the names in `query` are in lower case, `base_url` is how the caller says us.

    What is put into `notes` stands in the request log.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    base_url: str
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    lose_write: bool = False
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status with JSON, or with nothing; lists are written compact."""

    status: int = 200
    body: object = None
    compact: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return the body as recorded: single resources indented with CRLF, lists compact."""
        if self.body is None:
            return ""
        if self.compact:
            return json.dumps(self.body, separators=(",", ":"))
        return json.dumps(self.body, indent=2).replace("\n", "\r\n")


def error_answer(error: ArmError) -> Answer:
    """Return a refusal as an answer."""
    return Answer(status=error.status, body=error.body(), compact=True, headers=error.headers)


def base_url(scheme: str, host: str, fallback: str) -> str:
    """Return the address that the caller used, or `fallback` if the Host header makes no sense."""
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else fallback


def page(value: list[Any], next_link: str | None) -> Answer:
    """Return one page of a list."""
    body: dict[str, Any] = {"value": value}
    if next_link is not None:
        body["nextLink"] = next_link
    return Answer(body=body, compact=True)
