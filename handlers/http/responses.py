"""What every call of the HTTP API answers: JSON or a text, and problem details for errors."""

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import azure.functions as func

from handlers.http.access import Call, Caller, Role, authorise
from handlers.http.headers import secured
from handlers.http.problems import ProblemError, problem
from replication.config.policy_file import PolicyFileError
from replication.config.settings import SettingsError
from replication.domain.errors import MalformedError, NewerFormatError, ReplicationError
from replication.telemetry.log import log_outcome

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A body that is no JSON document of ours, with its media type."""

    content: str
    media_type: str


type Answered = tuple[HTTPStatus, dict[str, Any] | Text]


def answer(
    request: func.HttpRequest, wanted: Role, call: Callable[[Caller], Answered]
) -> func.HttpResponse:
    """Answer what the call returns, if its caller may ask; errors are problem details."""
    try:
        caller = authorise(Call.of(request), wanted, os.environ)
        status, body = call(caller)
    except ProblemError as refused:
        status, body = refused.status, problem(refused.status, str(refused))
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
    headers = secured(_HEADERS, request.url)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return func.HttpResponse(content, status_code=int(status), mimetype=media_type, headers=headers)
