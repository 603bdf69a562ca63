"""Responses: JSON or a text, problem details (RFC 9457) for errors, and the headers of all."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import azure.functions as func

from api.parameters import AskedError
from api.schemas.base import Answer, Problem
from handlers.http.access import Call, Caller, Role, authorise
from handlers.http.request import ProblemError
from replication.domain.errors import GalleryReplicatorError, MalformedError, NewerFormatError
from replication.domain.urls import is_local_http
from replication.telemetry.log import log_outcome

YEAR_S = 365 * 24 * 3600
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


type Answered = tuple[HTTPStatus, Answer | dict[str, Any] | Text]


def answer(
    request: func.HttpRequest, wanted: Role, call: Callable[[Caller], Answered]
) -> func.HttpResponse:
    """Answer what the call returns, if its caller may ask; errors are problem details."""
    try:
        caller = authorise(Call.of(request), wanted, os.environ)
        status, body = call(caller)
    except ProblemError as refused:
        status, body = refused.status, Problem.of(refused.status, str(refused))
    except AskedError as error:
        status, body = HTTPStatus.BAD_REQUEST, Problem.of(HTTPStatus.BAD_REQUEST, str(error))
    except GalleryReplicatorError as error:
        status = status_of(error)
        log_outcome("api.unavailable", level=logging.ERROR, error=error, reason=str(error))
        body = Problem.of(status, str(error))
    if isinstance(body, Text):
        content, media_type = body.content, body.media_type
    else:
        content = json.dumps(body.document() if isinstance(body, Answer) else body)
        is_problem = isinstance(body, Problem)
        media_type = "application/problem+json" if is_problem else "application/json"
    headers = secured(_HEADERS, request.url)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return func.HttpResponse(content, status_code=int(status), mimetype=media_type, headers=headers)


def status_of(error: GalleryReplicatorError) -> HTTPStatus:
    """Return the status of an error that the caller is not to blame for."""
    # What is on record and cannot be read does not pass.
    broken = isinstance(error, MalformedError) and not isinstance(error, NewerFormatError)
    return HTTPStatus.INTERNAL_SERVER_ERROR if broken else HTTPStatus.SERVICE_UNAVAILABLE


def secured(headers: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the headers of an answer, and that the app is to be asked over https alone."""
    if is_local_http(url):
        return dict(headers)
    return {**headers, "Strict-Transport-Security": f"max-age={YEAR_S}"}
