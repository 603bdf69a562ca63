"""Refusals of Azure Resource Manager, as the vendor's library hands them out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from azure.core.exceptions import HttpResponseError


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """As much of a response as the vendor's errors look at."""

    status_code: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = "Reason"
    request: None = None

    def text(self) -> str:
        return self.body


def refused(
    status: int, code: str = "", message: str = "", *, headers: Mapping[str, str] | None = None
) -> HttpResponseError:
    """Return the error of an answer; without a code its body is no JSON."""
    body = json.dumps({"error": {"code": code, "message": message}}) if code else "<html>oops"
    response = Response(status_code=status, body=body, headers=headers or {})
    return HttpResponseError(response=response)
