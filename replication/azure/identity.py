"""Who this process is to Microsoft Entra, as the token that it gets for itself says."""

import base64
import json
import re
from contextlib import suppress
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from replication.domain.actions import Actor

_STORAGE = "https://storage.azure.com/.default"
_OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PARTS = 3


def own_credential(client_id: str | None = None, identity_id: str | None = None) -> TokenCredential:
    """Return the identity of this process: the one that is named, else the library's choice."""
    if identity_id is not None:
        return ManagedIdentityCredential(identity_config={"resource_id": identity_id})
    # Named as None, it would be the system's identity whatever AZURE_CLIENT_ID says.
    named = {} if client_id is None else {"managed_identity_client_id": client_id}
    return DefaultAzureCredential(exclude_interactive_browser_credential=True, **named)


def who(credential: TokenCredential) -> str | None:
    """Return "operator" or "app" with an object id, None where there is no telling.

    The token is Entra's answer to this very process, so that nobody needs to check its signature.
    """
    claims: Any = None
    with suppress(AzureError, ValueError, IndexError):
        token = credential.get_token(_STORAGE).token
        payload = token.split(".")[1] if token.count(".") == _PARTS - 1 else ""
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(claims, dict):
        return None
    object_id = str(claims.get("oid", "")).lower()
    if not _OBJECT_ID.fullmatch(object_id):
        return None
    return Actor.signed_in(object_id, is_app=claims.get("idtyp") == "app")
