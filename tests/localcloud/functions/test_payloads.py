import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.functions.payloads import (
    QueueMessage,
    UndecodableBodyError,
    decode_body,
    event_payload,
    http_answer,
    queue_payload,
)
from localcloud.functions.schedules.schedule import Schedule
from localcloud.functions.timers.monitor import ScheduleStatus, timer_payload

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def message(text: str = "") -> QueueMessage:
    return QueueMessage(
        message_id="m-1",
        pop_receipt="r-1",
        dequeue_count=2,
        inserted_at=NOON,
        expires_at=NOON,
        next_visible_at=NOON,
        text=text,
    )


def metadata_of(body: str) -> dict[str, tuple[str, Any]]:
    return dict(queue_payload("msg", message(), body.encode()).metadata)


def test_a_queue_message_carries_the_metadata_of_the_real_host() -> None:
    assert metadata_of("hello") == {
        "QueueTrigger": ("string", "hello"),
        "DequeueCount": ("json", "2"),
        "Id": ("string", "m-1"),
        "PopReceipt": ("string", "r-1"),
        "InsertionTime": ("json", '"2026-01-02T12:00:00+00:00"'),
        "ExpirationTime": ("json", '"2026-01-02T12:00:00+00:00"'),
        "NextVisibleTime": ("json", '"2026-01-02T12:00:00+00:00"'),
    }


def test_properties_of_a_json_body_overwrite_metadata_of_the_same_name() -> None:
    body = {"id": "x", "DEQUEUECOUNT": 9, "popReceipt": None, "insertionTime": [], "job": {"a": 1}}
    metadata = metadata_of(json.dumps({**body, "sys": "s"}))
    assert metadata["Id"] == ("string", "x")
    assert metadata["DequeueCount"] == ("string", "9")
    assert metadata["PopReceipt"] == ("string", "r-1")
    assert metadata["InsertionTime"][0] == "json"
    assert metadata["job"] == ("json", '{"a":1}')
    assert "sys" not in metadata


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("true", "True"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("12345678901234567890", "12345678901234567890"),
        ('"2001-01-01T00:00:00Z"', "01/01/2001 00:00:00"),
        ('"2026-11-30T10:00:00+02:00"', "11/30/2026 08:00:00"),
        ('"2026-13-30T10:00:00Z"', "2026-13-30T10:00:00Z"),
    ],
)
def test_values_out_of_a_body_are_written_as_the_host_writes_them(value: str, text: str) -> None:
    assert metadata_of(f'{{"id": 1, "id": {value}}}')["Id"] == ("string", text)


@pytest.mark.parametrize("body", ["[1]", "7", '"id"', "{broken", '\ufeff{"id": "x"}'])
def test_a_body_that_is_no_object_changes_nothing(body: str) -> None:
    assert metadata_of(body)["Id"] == ("string", "m-1")


def test_a_trigger_bound_as_binary_is_given_bytes_and_the_message_s_own_metadata() -> None:
    body = json.dumps({"id": "x", "dequeueCount": 9, "insertionTime": "never"})
    payload = queue_payload("msg", message(), body.encode(), binary=True)
    assert payload.value == ("bytes", body.encode())
    assert payload.metadata == metadata_of("hello") | {"QueueTrigger": ("string", body)}


def test_bytes_that_are_no_text_reach_a_binary_trigger_only() -> None:
    payload = queue_payload("msg", message(), b"h\xff\x00", binary=True)
    assert payload.value == ("bytes", b"h\xff\x00")
    assert "QueueTrigger" not in payload.metadata
    with pytest.raises(UnicodeDecodeError):
        queue_payload("msg", message(), b"h\xff\x00")


def test_bodies_are_decoded_as_host_json_says() -> None:
    text = base64.encodebytes("größe".encode() * 30).decode()
    assert text.count("\n") > 1
    assert decode_body(text, base64_encoded=True) == "größe".encode() * 30
    assert decode_body("/w==", base64_encoded=True) == b"\xff"
    assert decode_body("plain", base64_encoded=False) == b"plain"


@pytest.mark.parametrize("text", ["plain text", "abc", "-_-_", "aGVsbG8=aGVsbG8=", "{}"])
def test_a_body_that_is_not_base64_is_an_error(text: str) -> None:
    with pytest.raises(UndecodableBodyError):
        decode_body(text, base64_encoded=True)


def test_an_event_goes_down_as_json_with_its_data_beside_it() -> None:
    payload = event_payload("event", {"id": "1", "data": {"a": "2026-01-01T00:00:00Z"}})
    assert json.loads(payload.value[1]) == {"id": "1", "data": {"a": "2026-01-01T00:00:00Z"}}
    assert payload.metadata == {"data": ("json", '{"a": "2026-01-01T00:00:00Z"}')}


def test_a_timer_is_told_its_status_or_none() -> None:
    status, hourly = ScheduleStatus(next=NOON), Schedule.parse("0 0 * * * *")
    kind, text = timer_payload("timer", hourly, status, is_past_due=True).value
    assert (kind, json.loads(text)["IsPastDue"]) == ("json", True)
    assert json.loads(text)["ScheduleStatus"] == {
        "Last": "0001-01-01T00:00:00",
        "Next": "2026-01-02T12:00:00+00:00",
        "LastUpdated": "0001-01-01T00:00:00",
    }
    _, text = timer_payload("timer", hourly, None, is_past_due=False).value
    assert json.loads(text)["ScheduleStatus"] is None
    assert json.loads(text)["Schedule"] == {"AdjustForDST": True}
    _, text = timer_payload("timer", Schedule.parse("01:00:00"), None, is_past_due=False).value
    assert json.loads(text)["Schedule"] == {"AdjustForDST": False}


def test_answers_of_every_form_are_turned_into_http() -> None:
    assert http_answer(None).status == 204
    assert http_answer(("string", "größe")).body == "größe".encode()
    with pytest.raises(TypeError, match="return value of type int: not supported"):
        http_answer(("int", 7))
