"""Access: decided from what the platform vouches for, and denied where it does not.

With App Service authentication on, the platform checks the caller and sets the principal header
itself; it removes one that a caller sends. Without it that header is anybody's, and the host asks
for a function key. On a developer's machine alone there is one fixed operator.
"""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func

from handlers.http.request import ProblemError, cookie_named
from replication.config.settings import SignIn
from replication.domain.actions import Actor
from replication.domain.urls import is_local_http, is_loopback
from replication.telemetry.log import WARNING, log_outcome

# Set by the platform, read-only: learn.microsoft.com, "Environment variables and app settings".
AUTH_ENABLED = "WEBSITE_AUTH_ENABLED"
ENVIRONMENT = "AZURE_FUNCTIONS_ENVIRONMENT"
# What App Service sets, and nobody else; Flex Consumption has no instance's id.
_APP_SERVICE = ("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_HOSTNAME")
# What a platform sets: a machine that has one of them is no developer's.
PLATFORM = (
    *_APP_SERVICE,
    *("WEBSITE_POD_NAME", "CONTAINER_NAME", "LEGION_SERVICE_HOST"),
    *("KUBERNETES_SERVICE_HOST", "CONTAINER_APP_NAME"),
)
# Set by Core Tools, which ask nobody for a key.
CORE_TOOLS = "FUNCTIONS_CORETOOLS_ENVIRONMENT"
# What a front end puts before a request that it hands on.
_FORWARDED = ("disguised-host", "x-forwarded-host")
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
_TENANT_CLAIMS = ("http://schemas.microsoft.com/identity/claims/tenantid", "tid")
_AUDIENCE_CLAIMS = ("aud",)
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


def token_cookie(url: str) -> str:
    """Return the name of the cookie of a page's token.

    Over https it has the prefix with which a browser takes it from this very host alone.
    """
    return TOKEN_COOKIE if is_local_http(url) else f"__Host-{TOKEN_COOKIE}"


def _caller(call: Call, env: Mapping[str, str]) -> Caller:
    if _platform_authenticates(env):
        return _principal(call.headers.get(PRINCIPAL_HEADER, ""), SignIn.from_env(env))
    if _is_development(env):
        if not _is_from_here(call):
            raise DeniedError(
                HTTPStatus.UNAUTHORIZED, "the local operator is known on this machine only"
            )
        return Caller(by=Actor.LOCAL_OPERATOR.value, role=Role.OPERATOR)
    if env.get(CORE_TOOLS):
        raise DeniedError(
            HTTPStatus.UNAUTHORIZED,
            "Core Tools ask for no key, and this is not a developer's machine: set "
            f"{ENVIRONMENT} to Development, where no platform has set its variables",
        )
    # The host let nobody through without a function key.
    return Caller(by=Actor.FUNCTION_KEY.value, role=Role.OPERATOR, has_key=True)


def _platform_authenticates(env: Mapping[str, str]) -> bool:
    # Anybody can set the one; outside App Service nothing takes a caller's own header away.
    is_on = env.get(AUTH_ENABLED, "").strip().lower() == "true"
    return is_on and any(env.get(name) for name in _APP_SERVICE)


def _is_development(env: Mapping[str, str]) -> bool:
    is_named_so = env.get(ENVIRONMENT, "").strip().lower() == "development"
    return is_named_so and not any(env.get(name) for name in PLATFORM)


def _is_from_here(call: Call) -> bool:
    host = call.headers.get("host", "")
    # A page elsewhere could have its own name point here, and be this site to the browser.
    is_here = is_loopback(call.url) and (not host or is_loopback(f"http://{host}"))
    return is_here and not any(name in call.headers for name in _FORWARDED)


def _principal(header: str, sign_in: SignIn) -> Caller:
    if not sign_in.is_set:
        sentence = (
            "nobody can sign in yet: set SIGN_IN_TENANTS and SIGN_IN_AUDIENCES to the tenant and "
            "the audience of the tokens that this app takes"
        )
        _tell_once(sentence)
        raise DeniedError(HTTPStatus.UNAUTHORIZED, sentence)
    if not header:
        raise DeniedError(HTTPStatus.UNAUTHORIZED, "sign in with Microsoft Entra")
    document = _decoded(header)
    claims = _claims(document)
    role_type = document.get("role_typ")
    types = {*_ROLE_CLAIMS, *([role_type] if isinstance(role_type, str) else [])}
    roles = [APP_ROLES[value] for kind, value in claims if kind in types and value in APP_ROLES]
    if document.get("auth_typ") != "aad":
        raise DeniedError(HTTPStatus.UNAUTHORIZED, "sign in with Microsoft Entra")
    for what, setting, kinds, known in (
        ("a tenant", "SIGN_IN_TENANTS", _TENANT_CLAIMS, sign_in.tenants),
        ("an audience", "SIGN_IN_AUDIENCES", _AUDIENCE_CLAIMS, sign_in.audiences),
    ):
        told = {value.lower() for kind, value in claims if kind in kinds}
        if not told or not told <= known:
            raise DeniedError(
                HTTPStatus.UNAUTHORIZED, f"the token is of {what} that {setting} does not name"
            )
    ids = [value for kind, value in claims if kind in _ID_CLAIMS]
    if not ids or not _OBJECT_ID.fullmatch(ids[0]):
        raise DeniedError(HTTPStatus.UNAUTHORIZED, "the principal has no object id")
    if not roles:
        names = " or ".join(APP_ROLES)
        raise DeniedError(HTTPStatus.FORBIDDEN, f"this app needs the app role {names}")
    is_app = any(kind in _APP_CLAIMS and value == "app" for kind, value in claims)
    return Caller(by=Actor.signed_in(ids[0].lower(), is_app=is_app), role=max(roles))


@cache
def _tell_once(reason: str) -> None:
    log_outcome("sign_in.not_set_up", level=WARNING, reason=reason)


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
    kept = cookie_named(token_cookie(call.url), headers.get("cookie", ""))
    if not kept or not hmac.compare_digest(_bytes(sent), _bytes(kept)):
        raise DeniedError(HTTPStatus.FORBIDDEN, "the page is out of date: load it again")


def _bytes(text: str) -> bytes:
    # A header may hold what is no UTF-8.
    return text.encode("utf-8", "surrogatepass")
