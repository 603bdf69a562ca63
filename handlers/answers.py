"""What every call of the HTTP API answers: JSON or a text, and problem details for errors."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import azure.functions as func

from replication.errors import MalformedError, NewerFormatError, ReplicationError
from replication.log import log_outcome
from replication.policy_file import PolicyFileError
from replication.settings import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A body that is no JSON document of ours, with its media type."""

    content: str
    media_type: str


def answer(call: Callable[[], tuple[HTTPStatus, dict[str, Any] | Text]]) -> func.HttpResponse:
    """Answer what the call returns; errors are RFC 9457 problem details."""
    try:
        status, body = call()
    except (ReplicationError, SettingsError, PolicyFileError) as error:
        # What is on record and cannot be read is no mistake of the caller's, and does not pass.
        broken = isinstance(error, MalformedError) and not isinstance(error, NewerFormatError)
        status = HTTPStatus.INTERNAL_SERVER_ERROR if broken else HTTPStatus.SERVICE_UNAVAILABLE
        log_outcome("api.unavailable", level=logging.ERROR, error=error, reason=str(error))
        body = problem(status, str(error))
    if isinstance(body, Text):
        content, media_type = body.content, body.media_type
    else:
        is_problem = "title" in body and "detail" in body
        content = json.dumps(body)
        media_type = "application/problem+json" if is_problem else "application/json"
    return func.HttpResponse(
        content,
        status_code=int(status),
        mimetype=media_type,
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def problem(status: HTTPStatus, detail: str) -> dict[str, Any]:
    """Return problem details."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
