"""Access: decided from what the platform vouches for, and denied where it does not.

With App Service authentication on, the platform checks the caller and sets the principal header
itself; it removes one that a caller sends. Without it that header is anybody's, and the host asks
for a function key. In development, on this machine alone, there is one fixed operator.
"""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func

from handlers.http.request import ProblemError, cookie_named
from replication.domain.actions import Actor
from replication.domain.urls import is_loopback

# Set by the platform, read-only: learn.microsoft.com, "Environment variables and app settings".
AUTH_ENABLED = "WEBSITE_AUTH_ENABLED"
ENVIRONMENT = "AZURE_FUNCTIONS_ENVIRONMENT"
# Set by the platform on every instance; a development machine has none.
INSTANCE = "WEBSITE_INSTANCE_ID"
PRINCIPAL_HEADER = "x-ms-client-principal"
# A form of another site cannot send it, and its script may not.
ACTION_HEADER = "x-requested-with"
ACTION_VALUE = "gallery-replicator"
TOKEN_HEADER = "x-csrf-token"  # noqa: S105 - a header's name
TOKEN_COOKIE = "gallery-replicator-csrf"  # noqa: S105 - a cookie's name
_MAX_PRINCIPAL = 64 * 1024
_ROLE_CLAIMS = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_ID_CLAIMS = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_APP_CLAIMS = ("idtyp",)
_OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Role(IntEnum):
    """What a caller may do; an operator may all that a reader may."""

    READER = 1
    OPERATOR = 2


# The app roles of the Entra registration.
APP_ROLES = {"Replication.Reader": Role.READER, "Replication.Operator": Role.OPERATOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: `by` names it in records, as `Actor` says.

    `has_key` is whether the host's key let the caller in, which may stand in the address.
    """

    by: str
    role: Role
    has_key: bool = False


class DeniedError(ProblemError):
    """The call is not allowed; the status is 401 or 403, the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What of a request decides whether it is allowed; the names of headers are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, request: func.HttpRequest) -> "Call":
        """Take it from a request."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        return cls(method=request.method.upper(), url=request.url, headers=headers)


def http_auth_level(env: Mapping[str, str]) -> func.AuthLevel:
    """Return who checks a caller first: the platform's authentication, or the host's keys."""
    return func.AuthLevel.ANONYMOUS if _platform_authenticates(env) else func.AuthLevel.FUNCTION


def authorise(call: Call, wanted: Role, env: Mapping[str, str]) -> Caller:
    """Return who calls; raises DeniedError for whoever may not do this."""
    caller = _caller(call, env)
    if caller.role < wanted:
        names = ", ".join(name for name, role in APP_ROLES.items() if role >= wanted)
        raise DeniedError(HTTPStatus.FORBIDDEN, f"this needs the app role {names}")
    if call.method not in ("GET", "HEAD"):
        _refuse_other_sites(call)
    return caller


def _caller(call: Call, env: Mapping[str, str]) -> Caller:
    if _platform_authenticates(env):
        return _principal(call.headers.get(PRINCIPAL_HEADER, ""))
    if _is_development(env):
        host = call.headers.get("host", "")
        # A page elsewhere could have its own name point here, and be this site to the browser.
        if not is_loopback(call.url) or (host and not is_loopback(f"http://{host}")):
            raise DeniedError(
                HTTPStatus.UNAUTHORIZED, "the local operator is known on this machine only"
            )
        return Caller(by=Actor.LOCAL_OPERATOR.value, role=Role.OPERATOR)
    # The host let nobody through without a function key.
    return Caller(by=Actor.FUNCTION_KEY.value, role=Role.OPERATOR, has_key=True)


def _platform_authenticates(env: Mapping[str, str]) -> bool:
    return env.get(AUTH_ENABLED, "").strip().lower() == "true"


def _is_development(env: Mapping[str, str]) -> bool:
    is_named_so = env.get(ENVIRONMENT, "").strip().lower() == "development"
    return is_named_so and not env.get(INSTANCE)


def _principal(header: str) -> Caller:
    if not header:
        raise DeniedError(HTTPStatus.UNAUTHORIZED, "sign in with Microsoft Entra")
    document = _decoded(header)
    claims = _claims(document)
    role_type = document.get("role_typ")
    types = {*_ROLE_CLAIMS, *([role_type] if isinstance(role_type, str) else [])}
    roles = [APP_ROLES[value] for kind, value in claims if kind in types and value in APP_ROLES]
    if document.get("auth_typ") != "aad":
        raise DeniedError(HTTPStatus.UNAUTHORIZED, "sign in with Microsoft Entra")
    ids = [value for kind, value in claims if kind in _ID_CLAIMS]
    if not ids or not _OBJECT_ID.fullmatch(ids[0]):
        raise DeniedError(HTTPStatus.UNAUTHORIZED, "the principal has no object id")
    if not roles:
        names = " or ".join(APP_ROLES)
        raise DeniedError(HTTPStatus.FORBIDDEN, f"this app needs the app role {names}")
    is_app = any(kind in _APP_CLAIMS and value == "app" for kind, value in claims)
    return Caller(by=Actor.signed_in(ids[0].lower(), is_app=is_app), role=max(roles))


def _decoded(header: str) -> dict[str, Any]:
    document = None
    if len(header) <= _MAX_PRINCIPAL:
        with suppress(ValueError, RecursionError):  # of base64, of UTF-8 or of JSON
            document = json.loads(base64.b64decode(header, validate=True))
    if not isinstance(document, dict):
        raise DeniedError(HTTPStatus.UNAUTHORIZED, "the principal cannot be read")
    return document


def _claims(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    claims = document.get("claims")
    if not isinstance(claims, list):
        return []
    pairs = [(one.get("typ"), one.get("val")) for one in claims if isinstance(one, dict)]
    return [(kind, val) for kind, val in pairs if isinstance(kind, str) and isinstance(val, str)]


def _refuse_other_sites(call: Call) -> None:
    """Refuse an act that another site may have made this browser do.

    A browser says where a request comes from; whoever says nothing of the kind is a program, and
    brought its key or its token along.
    """
    headers = call.headers
    if not {"cookie", "origin", "sec-fetch-site", "referer"} & headers.keys():
        return
    host = headers.get("host") or urlsplit(call.url).netloc
    origin = headers.get("origin")
    same_site = headers.get("sec-fetch-site", "same-origin") == "same-origin"
    # What a browser sends is a scheme and a host; the scheme may differ behind a front end.
    same_origin = origin is None or origin.partition("://")[2].lower() == host.lower()
    if not (same_site and same_origin):
        raise DeniedError(HTTPStatus.FORBIDDEN, "this came from another site")
    if headers.get(ACTION_HEADER) != ACTION_VALUE:
        raise DeniedError(
            HTTPStatus.FORBIDDEN, f"the header X-Requested-With: {ACTION_VALUE} lacks"
        )
    sent = headers.get(TOKEN_HEADER, "")
    kept = cookie_named(TOKEN_COOKIE, headers.get("cookie", ""))
    if not kept or not hmac.compare_digest(_bytes(sent), _bytes(kept)):
        raise DeniedError(HTTPStatus.FORBIDDEN, "the page is out of date: load it again")


def _bytes(text: str) -> bytes:
    # A header may hold what is no UTF-8.
    return text.encode("utf-8", "surrogatepass")
