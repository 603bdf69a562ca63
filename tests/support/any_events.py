"""One event of each type that the app takes, in both schemas."""

from typing import Any

from replication.intake.events import (
    NOTIFIED_DELETED,
    NOTIFIED_WRITTEN,
    RESOURCE_DELETED,
    RESOURCE_WRITTEN,
    TEMPLATE_EXPORTED,
)
from tests.support.builders import SUBSCRIPTION, version_id

ID = str(version_id(image="broken"))
OPERATION = "Microsoft.Compute/galleries/images/versions/write"
VERSION_TYPE = "Microsoft.Compute/galleries/images/versions"
AT = "2026-11-23T12:00:00.1234567Z"
ACTIVITY = {
    "resourceUri": ID,
    "operationName": OPERATION,
    "correlationId": "corr-1",
    "claims": {"name": "Casey Teacher"},
}
NOTICE = {"resourceInfo": {"id": ID, "type": VERSION_TYPE, "location": "eastus"}}
EXPORT = {"imageVersionId": ID, "location": "eastus"}
DATA = {
    RESOURCE_WRITTEN: ACTIVITY,
    RESOURCE_DELETED: ACTIVITY,
    NOTIFIED_WRITTEN: NOTICE,
    NOTIFIED_DELETED: NOTICE,
    TEMPLATE_EXPORTED: EXPORT,
}


def grid(kind: str) -> dict[str, Any]:
    return {
        "id": "event-1",
        "topic": f"/subscriptions/{SUBSCRIPTION}",
        "subject": ID,
        "eventType": kind,
        "eventTime": AT,
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": DATA[kind],
    }


def cloud(kind: str) -> dict[str, Any]:
    return {
        "id": "event-1",
        "source": f"/subscriptions/{SUBSCRIPTION}",
        "subject": ID,
        "type": kind,
        "time": AT,
        "specversion": "1.0",
        "data": DATA[kind],
    }


EVENTS = [schema(kind) for kind in DATA for schema in (grid, cloud)]
