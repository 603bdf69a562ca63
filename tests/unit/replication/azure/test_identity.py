"""Who a process is, as the token says that Entra gave it."""

import base64
import json
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from replication.azure.identity import own_credential, who
from tests.support.arm.stub import Canned, StubArm

OBJECT_ID = "0f0e0d0c-1111-2222-3333-444455556666"


class Credential:
    """Gives out one token, or refuses."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        assert scopes == ("https://storage.azure.com/.default",)
        if self.token is None:
            raise ClientAuthenticationError("sign in first")
        return AccessToken(self.token, 0)


def token(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


def test_a_person_and_a_program_are_told_by_their_object_id_and_by_no_name() -> None:
    person = {"oid": OBJECT_ID.upper(), "name": "Ann Example", "upn": "ann@example.org"}
    assert who(Credential(token(person))) == f"operator {OBJECT_ID}"
    assert who(Credential(token({"oid": OBJECT_ID, "idtyp": "app"}))) == f"app {OBJECT_ID}"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "a.b",
        "a.!.c",
        "a.bm8.c",
        token([]),
        token({}),
        token({"oid": 5}),
        token({"oid": "ann@example.org"}),
    ],
)
def test_where_there_is_no_telling_nobody_is_named(given: str | None) -> None:
    assert who(Credential(given)) is None


_NAMING = ("client_id", "mi_res_id", "object_id")
CLIENT = "c1c1c1c1-1111-2222-3333-444455556666"
RESOURCE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/replicator"
)


@pytest.mark.parametrize(
    ("arguments", "surroundings", "asked"),
    [
        ((), {"AZURE_CLIENT_ID": CLIENT}, {"client_id": CLIENT}),
        ((), {}, {}),
        (("other",), {"AZURE_CLIENT_ID": CLIENT}, {"client_id": "other"}),
        ((None, RESOURCE), {"AZURE_CLIENT_ID": CLIENT}, {"mi_res_id": RESOURCE}),
    ],
)
def test_an_identity_that_is_not_named_leaves_the_environments_choice(
    arm: StubArm,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str | None, ...],
    surroundings: dict[str, str],
    asked: dict[str, str],
) -> None:
    # The endpoint that App Service gives an app for tokens.
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{arm.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    granted = {"access_token": "t", "expires_on": "4102444800", "resource": "r"}
    arm.answer("GET", "/msi/token", Canned(body=granted))
    granting = own_credential(*arguments).get_token("https://storage.azure.com/.default")
    assert granting.token == granted["access_token"]
    (request,) = arm.asked
    named = {name: value for name, (value,) in request.query.items() if name in _NAMING}
    assert named == asked
