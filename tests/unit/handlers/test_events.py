"""Both schemas of Event Grid become one shape."""

from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from handlers.events import decode
from replication.intake.events import RESOURCE_WRITTEN, ReceivedEvent

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DATA: dict[str, Any] = {"resourceUri": "/x", "claims": {}}


def grid_event(**changes: Any) -> func.EventGridEvent:
    fields: dict[str, Any] = {
        "id": "event-1",
        "data": DATA,
        "topic": "/subscriptions/s",
        "subject": "/x",
        "event_type": RESOURCE_WRITTEN,
        "event_time": AT,
        "data_version": "2",
    }
    return func.EventGridEvent(**(fields | changes))


def cloud_event(**changes: Any) -> func.CloudEvent:
    fields: dict[str, Any] = {
        "id": "event-1",
        "source": "/subscriptions/s",
        "type": RESOURCE_WRITTEN,
        "specversion": "1.0",
        "data": DATA,
        "time": AT,
        "subject": "/x",
    }
    return func.CloudEvent(**(fields | changes))


RECEIVED = ReceivedEvent(
    id="event-1",
    type=RESOURCE_WRITTEN,
    subject="/x",
    at=AT,
    data=DATA,
    source="/subscriptions/s",
)
RAW = {
    "id": "event-1",
    "type": RESOURCE_WRITTEN,
    "source": "/subscriptions/s",
    "subject": "/x",
    "time": "2026-11-23T12:00:00+00:00",
    "data": DATA,
}


def test_the_event_grid_schema_is_decoded() -> None:
    assert decode(grid_event()) == (RECEIVED, RAW)


def test_cloud_events_are_decoded_to_the_same() -> None:
    assert decode(cloud_event()) == (RECEIVED, RAW)


def test_what_is_missing_is_empty_and_not_an_error() -> None:
    received, raw = decode(cloud_event(subject=None, time=None, data=None))
    assert received == ReceivedEvent(
        id="event-1",
        type=RESOURCE_WRITTEN,
        subject="",
        at=None,
        data=None,
        source="/subscriptions/s",
    )
    assert (raw["subject"], raw["time"]) == (None, None)


def test_fields_of_another_type_are_empty_and_kept_raw() -> None:
    received, raw = decode(grid_event(id=5, subject=["x"], event_type=None, event_time=None))
    assert (received.id, received.subject, received.type, received.at) == ("", "", "", None)
    assert (raw["id"], raw["subject"]) == (5, ["x"])


def test_a_time_without_a_zone_is_utc() -> None:
    received, _ = decode(grid_event(event_time=AT.replace(tzinfo=None)))
    assert received.at == AT
