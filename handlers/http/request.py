"""Requests: the keys and the small JSON body of a call, and how one is refused."""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import azure.functions as func

from replication.domain.errors import GalleryReplicatorError

MAX_BODY_BYTES = 64 * 1024
_FORM = "application/x-www-form-urlencoded"
_OF_A_BODY = ("content-type", "transfer-encoding")
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)


class ProblemError(GalleryReplicatorError):
    """The call cannot be answered as asked; the text says why, for the caller to read."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def read_key(text: str) -> str:
    """Return the key of a replication; raises ProblemError."""
    return _read_hex(text, "the key of a replication")


def read_letter_id(text: str) -> str:
    """Return the id of a dead letter; raises ProblemError."""
    return _read_hex(text, "the id of a dead letter")


def read_body(request: func.HttpRequest, known: Iterable[str]) -> dict[str, Any]:
    """Return the JSON object of a call, empty for no body; raises ProblemError.

    The host hands over no body that comes without a Content-Length. Such a call is refused, so that
    what it asks for is not taken for nothing.
    """
    raw = request.get_body()
    if not raw:
        announced = _announced(request.headers)
        if announced is not None:
            raise ProblemError(
                HTTPStatus.LENGTH_REQUIRED,
                f"the call has the header {announced}, and no body arrived: send it with a "
                "Content-Length, not in chunks, and an empty one as {}",
            )
        return {}
    if len(raw) > MAX_BODY_BYTES:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than {MAX_BODY_BYTES} bytes"
        )
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
    if not isinstance(document, dict):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
    names = tuple(known)
    unknown = sorted(set(document) - set(names))
    if unknown:
        fields = f"known: {', '.join(names)}" if names else "this call takes none"
        sentence = f"the body has an unknown field {unknown[0][:40]!r}; {fields}"
        raise ProblemError(HTTPStatus.BAD_REQUEST, sentence)
    return document


def _announced(headers: Mapping[str, str]) -> str | None:
    """Return the header that speaks of a body, None where there is none."""
    is_form = headers.get("content-type", "").lower().startswith(_FORM)
    if is_form and headers.get("content-length", "").strip() == "0":
        return None  # many programs call nothing a form, unasked
    return next((name for name in _OF_A_BODY if name in headers), None)


def read_flag(body: Mapping[str, Any], name: str) -> bool:
    """Return a yes or no of a body, no where it is missing; raises ProblemError."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name} is true or false")
    return value


def cookie_named(name: str, header: str) -> str:
    """Return the value of a cookie, empty where there is none.

    Other programs of the same host have cookies too, of any form; they must not hide this one.
    Two headers reach a function as one, with a comma between them. Since another's cookie may hold
    one as well, what stands after a semicolon comes first.
    """
    parts = [part.split(",") for part in header.split(";")]
    leading = [pieces[0] for pieces in parts]
    joined = [piece for pieces in parts for piece in pieces[1:]]
    for part in (*leading, *joined):
        found, is_pair, value = part.strip().partition("=")
        if is_pair and found == name:
            return value.strip()
    return ""


def _read_hex(text: str, what: str) -> str:
    if not _KEY.fullmatch(text.lower()):
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is none such: {what} is 32 hex digits")
    return text.lower()
