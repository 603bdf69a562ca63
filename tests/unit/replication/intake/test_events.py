from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import MalformedError
from replication.domain.message import JobMessage
from replication.intake.events import (
    MAX_BYTES,
    NOTIFIED_DELETED,
    NOTIFIED_WRITTEN,
    RESOURCE_DELETED,
    RESOURCE_WRITTEN,
    TEMPLATE_EXPORTED,
    NotForUs,
    ReceivedEvent,
    VersionDeleted,
    VersionWritten,
    check_size,
    cloud_data,
    parse_time,
    read_event,
)
from replication.records.message_codec import decode_message, encode_message
from tests.support.builders import NOON, version_id
from tests.support.strategies import JSON, anything_at, outcome

ID = str(version_id())
TYPES = (
    RESOURCE_WRITTEN,
    RESOURCE_DELETED,
    NOTIFIED_WRITTEN,
    NOTIFIED_DELETED,
    TEMPLATE_EXPORTED,
)
OPERATION = "Microsoft.Compute/galleries/images/versions/write"
VERSION_TYPE = "Microsoft.Compute/galleries/images/versions"


def event(kind: str, data: Any, *, subject: str = "", event_id: str = "event-1") -> ReceivedEvent:
    return ReceivedEvent(id=event_id, type=kind, subject=subject, at=NOON, data=data)


def written(resource_uri: Any = ID, **data: Any) -> ReceivedEvent:
    return event(
        RESOURCE_WRITTEN, {"resourceUri": resource_uri, "operationName": OPERATION, **data}
    )


def notified(kind: str = NOTIFIED_WRITTEN, **details: Any) -> ReceivedEvent:
    return event(kind, {"resourceInfo": {"id": ID, "type": VERSION_TYPE, **details}})


@given(
    kind=st.sampled_from(TYPES) | st.sampled_from(TYPES).map(str.upper) | st.text(),
    data=JSON
    | anything_at({"resourceUri": ID, "operationName": OPERATION, "correlationId": "c"})
    | anything_at({"resourceInfo": {"id": ID, "type": VERSION_TYPE, "location": "eastus"}})
    | anything_at({"imageVersionId": ID, "location": "eastus"}),
    subject=st.text() | st.just(ID),
    event_id=st.text(),
)
def test_any_event_is_read_refused_as_malformed_or_not_for_us(
    kind: str, data: Any, subject: str, event_id: str
) -> None:
    read = outcome(
        lambda: read_event(event(kind, data, subject=subject, event_id=event_id)), MalformedError
    )
    if isinstance(read, Exception):
        assert str(read)
        return
    if isinstance(read, NotForUs):
        assert read.reason
        return
    message = JobMessage(
        image_version_id=read.image_version_id, sequence=1, correlation_id=read.correlation_id
    )
    assert decode_message(encode_message(message)) == message


def test_a_write_is_read_from_the_activity_event() -> None:
    assert read_event(written(correlationId="corr-1")) == VersionWritten(
        image_version_id=version_id(),
        home_region=None,
        correlation_id="corr-1",
        at=NOON,
        trigger=f"event {RESOURCE_WRITTEN}",
    )


def test_a_write_is_read_from_the_notification_with_its_home_region() -> None:
    read = read_event(notified(location="eastus"))
    assert isinstance(read, VersionWritten)
    assert (read.home_region, read.correlation_id) == ("eastus", "event-1")


def test_an_export_of_a_lab_is_read_with_its_home_region() -> None:
    read = read_event(event(TEMPLATE_EXPORTED, {"imageVersionId": ID, "location": "East US"}))
    assert isinstance(read, VersionWritten)
    assert read.home_region == "East US"


def test_an_export_may_name_its_version_in_the_subject_alone() -> None:
    read = read_event(event(TEMPLATE_EXPORTED, {}, subject=ID))
    assert isinstance(read, VersionWritten)


@pytest.mark.parametrize(
    "deleted", [event(RESOURCE_DELETED, {"resourceUri": ID}), notified(NOTIFIED_DELETED)]
)
def test_a_deletion_is_read(deleted: ReceivedEvent) -> None:
    read = read_event(deleted)
    assert isinstance(read, VersionDeleted)
    assert read.image_version_id == version_id()


def test_ids_and_types_may_be_of_any_letter_case() -> None:
    read = read_event(event(RESOURCE_WRITTEN.upper(), {"resourceUri": ID.upper()}))
    assert isinstance(read, VersionWritten)
    assert read.image_version_id.key == version_id().key


def test_the_subject_serves_where_the_data_has_no_id() -> None:
    for kind in (RESOURCE_WRITTEN, NOTIFIED_WRITTEN):
        assert isinstance(read_event(event(kind, {}, subject=ID)), VersionWritten)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (event("Microsoft.Storage.BlobCreated", {}), "'Microsoft.Storage.BlobCreated' are not"),
        (event(RESOURCE_WRITTEN, None, subject="/subscriptions/s"), "'/subscriptions/s' is no"),
        (event(RESOURCE_WRITTEN, None), "an event without id is no image version"),
        (event(RESOURCE_WRITTEN, {"resourceUri": ID.rsplit("/", 2)[0]}), "is no image version"),
        (
            event(RESOURCE_WRITTEN, {"resourceUri": "/a", "operationName": "Microsoft.X/write"}),
            "is no image version",
        ),
        (
            event(NOTIFIED_WRITTEN, {"resourceInfo": {"id": "/a", "type": "Microsoft.X"}}),
            "'/a' is no image version",
        ),
        (event(NOTIFIED_WRITTEN, {"resourceInfo": 5}), "an event without id"),
    ],
)
def test_what_is_about_something_else_is_not_for_us(other: ReceivedEvent, said: str) -> None:
    read = read_event(other)
    assert isinstance(read, NotForUs)
    assert said in read.reason


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (event(RESOURCE_WRITTEN, "text", subject=ID), "data is str, not an object"),
        (event(TEMPLATE_EXPORTED, None), "data is NoneType, not an object"),
        (event(TEMPLATE_EXPORTED, {}), "there is no resource id"),
        (event(TEMPLATE_EXPORTED, {"imageVersionId": 5}), "there is no resource id"),
        (written("/somewhere"), "'/somewhere' is not of the form"),
        (written(f"{ID}.4"), "'1.0.0.4' is not a version number"),
        (notified(id="/somewhere"), "'/somewhere' is not of the form"),
        (written(ID + "x" * 2000), "is not a version number|characters, more than 1024"),
    ],
)
def test_what_is_for_us_and_cannot_be_used_is_malformed(broken: ReceivedEvent, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read_event(broken)


def test_a_correlation_id_that_cannot_be_kept_is_replaced_by_the_events() -> None:
    for unusable in ("", "x" * 257, "a\nb", 5):
        read = read_event(written(correlationId=unusable))
        assert isinstance(read, VersionWritten)
        assert read.correlation_id == "event-1"


def test_an_endless_event_id_does_not_make_a_message_that_nobody_can_read() -> None:
    read = read_event(event(RESOURCE_WRITTEN, {"resourceUri": ID}, event_id="x" * 100_000))
    assert isinstance(read, VersionWritten)
    assert len(read.correlation_id) == 256


def test_an_event_larger_than_event_grid_delivers_is_refused() -> None:
    check_size({"data": "x" * 1000})
    with pytest.raises(MalformedError, match=f"more than {MAX_BYTES}"):
        check_size({"data": "x" * MAX_BYTES})


def test_an_event_that_is_nested_without_end_is_refused() -> None:
    deep: Any = None
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(MalformedError, match="nested too deep"):
        check_size(deep)
    while deep is not None:  # taken apart by hand: freeing it at once is as deep
        (deep,) = deep


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-07-19T18:38:04.6117357Z", datetime(2018, 7, 19, 18, 38, 4, 611735, tzinfo=UTC)),
        ("2018-07-19T18:38:04", datetime(2018, 7, 19, 18, 38, 4, tzinfo=UTC)),
        (NOON, NOON),
        (NOON.replace(tzinfo=None), NOON),
        ("noon", None),
        (5, None),
        (None, None),
    ],
)
def test_times_of_events_are_read_where_they_can_be(text: Any, expected: datetime | None) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    ("data", "data_base64", "expected"),
    [
        ({"a": 1}, "eyJiIjogMn0=", {"a": 1}),
        (None, None, None),
        (None, 7, None),
        (None, "eyJiIjogMn0=", '{"b": 2}'),
        (None, "/w==", "\\xff"),
        (None, "no base64", "no base64"),
    ],
)
def test_data_that_stand_as_bytes_are_read_where_they_can_be(
    data: object, data_base64: object, expected: object
) -> None:
    assert cloud_data(data, data_base64) == expected
