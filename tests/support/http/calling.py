"""Call the functions of the HTTP API as the runtime does, past their decorators."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func
import pytest

from handlers.http.access import AUTH_ENABLED
from tests.support.http.documented import assert_documented, is_documented

ROOT = "http://127.0.0.1:7071"
OBJECT_ID = "0f0e0d0c-1111-2222-3333-444455556666"
TENANT = "7e7e7e7e-1111-2222-3333-444455556666"
AUDIENCE = "api://a0a0a0a0-1111-2222-3333-444455556666"
# What the platform and the settings say where callers sign in.
SIGNED_IN: Mapping[str, str] = {
    AUTH_ENABLED: "True",
    "WEBSITE_SITE_NAME": "replicator",
    "SIGN_IN_TENANTS": TENANT,
    "SIGN_IN_AUDIENCES": AUDIENCE,
}
# Claims of a token that is from there.
TOKEN_CLAIMS = (
    {"typ": "aud", "val": AUDIENCE},
    {"typ": "http://schemas.microsoft.com/identity/claims/tenantid", "val": TENANT},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call answered."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def detail(self) -> str:
        """What the problem details say; fails for an answer that is no problem."""
        assert self.media_type == "application/problem+json"
        return str(self.json["detail"])


def call(
    function: Any,
    *,
    body: object = None,
    route: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    url: str = f"{ROOT}/api",
    method: str | None = None,
) -> Answer:
    """Call a function; `body` is sent as JSON, bytes and text as they are.

    What the API answers has to be as its document says.
    """
    built = function.build()
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    request = func.HttpRequest(
        method=method or built.get_trigger().methods[0].value,
        url=url,
        headers=headers or {},
        params=params or {},
        route_params=route or {},
        body=sent,
    )
    response = built.get_user_function()(request)
    answer = Answer(
        status=response.status_code,
        media_type=response.mimetype,
        headers=dict(response.headers),
        text=response.get_body().decode(),
    )
    named = str(built.get_trigger().route)
    if is_documented(named):
        document = answer.json if answer.media_type.endswith("json") else None
        assert_documented(
            request.method,
            named,
            status=answer.status,
            media_type=answer.media_type.partition(";")[0],
            body=document,
        )
    return answer


def sign_in(patch: pytest.MonkeyPatch) -> None:
    """Let the API see a deployed app whose platform signs callers in."""
    for name, value in SIGNED_IN.items():
        patch.setenv(name, value)


def principal(*roles: str, object_id: str = OBJECT_ID, **changes: Any) -> str:
    """Return the header that the platform sets for someone with these app roles."""
    claims = [
        *TOKEN_CLAIMS,
        {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": object_id},
        {"typ": "name", "val": "Ann Example"},
        *({"typ": "roles", "val": role} for role in roles),
    ]
    document = {"auth_typ": "aad", "claims": claims, "name_typ": "name", "role_typ": "roles"}
    return base64.b64encode(json.dumps(document | changes).encode()).decode()
