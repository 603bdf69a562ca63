import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.message import JobMessage
from replication.records.message_codec import MAX_BYTES, decode_message, encode_message
from tests.support.builders import NOON, version_id
from tests.support.strategies import COUNTS, JSON, anything_at, image_version_ids, outcome

MESSAGES = st.builds(
    JobMessage,
    image_version_id=image_version_ids(),
    sequence=COUNTS,
    correlation_id=st.text(max_size=256),
    due_at=st.none() | st.just(NOON),
)
PLAIN = JobMessage(image_version_id=version_id(), sequence=3, correlation_id="corr-1")
RESERVED = {"id", "dequeuecount", "popreceipt", "insertiontime", "expirationtime"}


@given(message=MESSAGES)
def test_a_message_reads_as_it_was_written(message: JobMessage) -> None:
    body = encode_message(message)
    assert decode_message(body) == message
    assert decode_message(body.encode()) == message


@given(message=MESSAGES)
def test_a_message_fits_and_has_nothing_at_the_top_that_the_host_would_overwrite(
    message: JobMessage,
) -> None:
    body = encode_message(message)
    assert len(body.encode()) <= MAX_BYTES
    assert not RESERVED & {name.lower() for name in json.loads(body)}


@given(body=st.text() | st.binary() | JSON.map(json.dumps))
def test_garbage_is_malformed_and_nothing_else(body: str | bytes) -> None:
    with pytest.raises(MalformedError):
        decode_message(body)


@given(document=anything_at(json.loads(encode_message(PLAIN))))
def test_a_message_with_one_thing_wrong_is_read_or_malformed(document: Any) -> None:
    read = outcome(lambda: decode_message(json.dumps(document)), MalformedError)
    assert str(read)
    if isinstance(read, JobMessage):
        assert decode_message(encode_message(read)) == read


def changed(**job: Any) -> str:
    document = json.loads(encode_message(PLAIN))
    document["job"].update(job)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "longer than 8192"),
        ("[" * 8000, "not JSON|not a JSON object"),
        (b"\xff\xfe\xfd", "not JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "no format version"),
        ('{"v": true}', "no format version"),
        ('{"v": 0}', "no format version"),
        ('{"v": 1}', "job: Field required"),
        ('{"v": 1, "job": []}', "job: Input should be a dictionary"),
        (changed(image_version_id=None), "job.image_version_id: there is no resource id"),
        (changed(image_version_id="/x"), "job.image_version_id: '/x' is not of the form"),
        (changed(sequence=-1), "job.sequence"),
        (changed(sequence=True), "job.sequence"),
        (changed(sequence=1.0), "job.sequence"),
        (changed(correlation_id=5), "job.correlation_id"),
        (changed(correlation_id="x" * 257), "job.correlation_id"),
    ],
)
def test_what_is_wrong_with_a_message_is_named(body: str | bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said) as raised:
        decode_message(body)
    assert not isinstance(raised.value, NewerFormatError)


def test_a_message_of_a_newer_release_is_told_apart() -> None:
    with pytest.raises(NewerFormatError, match="format 2, this release reads 1"):
        decode_message('{"v": 2, "anything": "else"}')


def test_fields_of_the_future_pass() -> None:
    document = json.loads(encode_message(PLAIN)) | {"later": 1}
    document["job"]["priority"] = "high"
    assert decode_message(json.dumps(document)) == PLAIN


def test_a_message_names_the_key_of_its_record() -> None:
    assert PLAIN.key == version_id().key


def test_a_message_says_when_it_was_to_be_taken_and_is_the_same_message() -> None:
    delayed = replace(PLAIN, due_at=NOON)
    assert decode_message(encode_message(delayed)) == PLAIN
    assert decode_message(encode_message(delayed)).due_at == NOON
    assert decode_message(encode_message(PLAIN)).due_at is None


@pytest.mark.parametrize("value", ["soon", 5, None, "2026-11-23T08:00:00", "2" * 300, []])
def test_a_time_that_is_none_costs_a_message_nothing(value: object) -> None:
    assert decode_message(changed(due_at=value)) == PLAIN
    assert decode_message(changed(due_at=value)).due_at is None
