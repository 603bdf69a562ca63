"""Who a process is, as the token says that Entra gave it."""

import base64
import json
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from replication.azure.identity import who

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
