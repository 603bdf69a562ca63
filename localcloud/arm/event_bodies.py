"""The events that Azure publishes about writes and deletes, in both schemas."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

TENANT_ID = "6b9a3a4e-7b1f-4a52-9d0e-5f0c4d1a2b30"
_IDENTITY = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MICROSOFT = "http://schemas.microsoft.com"
_OBJECT_ID = "d1f0a5c2-30b7-4c58-8a4e-2b6f7c9e0d11"
_ADDRESS = "203.0.113.7"
# A person who does not exist, so that it shows where an app keeps personal data.
CLAIMS = {
    "aud": "https://management.core.windows.net/",
    "iss": f"https://sts.windows.net/{TENANT_ID}/",
    "iat": "1795478400",
    "nbf": "1795478400",
    "exp": "1795482300",
    "_claim_names": '{"groups":"src1"}',
    "_claim_sources": '{"src1":{"endpoint":"https://graph.example/users/groups"}}',
    f"{_MICROSOFT}/claims/authnclassreference": "1",
    "aio": "made-up-token",
    f"{_MICROSOFT}/claims/authnmethodsreferences": "rsa,mfa",
    "appid": "7f59a773-2eaf-429c-a059-50fc5bb28b44",
    "appidacr": "2",
    f"{_MICROSOFT}/2012/01/devicecontext/claims/identifier": "b1d4c6aa-5d6e-4a7f-8f55-0a1b2c3d4e5f",
    "e_exp": "262800",
    f"{_IDENTITY}/surname": "Teacher",
    f"{_IDENTITY}/givenname": "Casey",
    "ipaddr": _ADDRESS,
    "name": "Casey Teacher",
    f"{_MICROSOFT}/identity/claims/objectidentifier": _OBJECT_ID,
    "onprem_sid": "S-1-5-21-1004336348-1177238915-682003330-512",
    "puid": "10032001A2B3C4D5",
    f"{_MICROSOFT}/identity/claims/scope": "user_impersonation",
    f"{_IDENTITY}/nameidentifier": "Zk3d9Xr1T0m5",
    f"{_MICROSOFT}/identity/claims/tenantid": TENANT_ID,
    f"{_IDENTITY}/name": "casey.teacher@school.example",
    f"{_IDENTITY}/upn": "casey.teacher@school.example",
    "uti": "h2Zx0aPq5k",
    "ver": "1.0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A write or a delete that succeeded."""

    resource_id: str
    method: str
    is_new: bool
    api_version: str
    correlation_id: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_delete(self) -> bool:
        """Tell a delete from a write."""
        return self.method == "DELETE"

    @property
    def operation_name(self) -> str:
        """Return the name of the operation, such as Microsoft.Compute/galleries/write."""
        kinds = self.resource_id.split("/")[7::2]
        verb = "delete" if self.is_delete else "write"
        return "/".join(["Microsoft.Compute", *kinds, verb])


def event_body(change: Change, schema: str) -> dict[str, Any]:
    """Return the event in `schema`, eventgrid or cloudevents."""
    subscription = change.resource_id.split("/")[2]
    name = "ResourceDeleteSuccess" if change.is_delete else "ResourceWriteSuccess"
    uri = change.resource_id
    if not change.is_delete:
        # Recorded write events spell this segment in lower case, delete events do not.
        uri = uri.replace("/resourceGroups/", "/resourcegroups/", 1)
    at = change.at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
    topic = f"/subscriptions/{subscription}"
    data = _data(change, uri, subscription)
    if schema == "cloudevents":
        return {
            "id": str(uuid.uuid4()),
            "source": topic,
            "subject": uri,
            "type": f"Microsoft.Resources.{name}",
            "time": at,
            "data": data,
            "specversion": "1.0",
        }
    return {
        "subject": uri,
        "eventType": f"Microsoft.Resources.{name}",
        "eventTime": at,
        "id": str(uuid.uuid4()),
        "data": data,
        "dataVersion": "2",
        "metadataVersion": "1",
        "topic": topic,
    }


def _data(change: Change, uri: str, subscription: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "authorization": {
            "scope": uri,
            "action": change.operation_name,
            "evidence": {
                "role": "Contributor",
                "roleAssignmentScope": f"/subscriptions/{subscription}",
                "roleAssignmentId": "0f6a1d2c3b4e5f60718293a4b5c6d7e8",
                "roleDefinitionId": "b24988ac618042a0ab8820f7382dd24c",
                "principalId": _OBJECT_ID.replace("-", ""),
                "principalType": "User",
            },
        },
        "claims": dict(CLAIMS),
        "correlationId": change.correlation_id,
    }
    if change.is_delete or not change.is_new:
        data["httpRequest"] = {
            "clientRequestId": str(uuid.uuid4()),
            "clientIpAddress": _ADDRESS,
            "method": change.method,
            "url": f"https://management.azure.com{uri}?api-version={change.api_version}",
        }
    return data | {
        "resourceProvider": "Microsoft.Compute",
        "resourceUri": uri,
        "operationName": change.operation_name,
        "status": "Succeeded",
        "subscriptionId": subscription,
        "tenantId": TENANT_ID,
    }
