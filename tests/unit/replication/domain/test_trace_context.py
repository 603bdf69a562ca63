"""A traceparent is read as the W3C writes it, and nothing that comes can do harm."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import MalformedError
from replication.domain.job import ReplicationJob
from replication.domain.message import JobMessage
from replication.domain.trace_context import TraceParent
from replication.records.job_codec import decode_job, encode_job
from replication.records.message_codec import MAX_BYTES, decode_message, encode_message
from tests.support.jobs import job as a_job
from tests.support.strategies import COUNTS, JSON, image_version_ids

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HEX = "0123456789abcdef"


def hex_digits(count: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=count, max_size=count).filter(lambda text: bool(int(text, 16)))


TRACES = st.builds(
    TraceParent, trace_id=hex_digits(32), span_id=hex_digits(16), flags=st.integers(0, 3)
)


@given(trace=TRACES)
def test_a_trace_reads_as_it_was_written(trace: TraceParent) -> None:
    assert TraceParent.parse(str(trace)) == trace
    assert len(str(trace)) == 55


def test_the_example_of_the_w3c_is_read() -> None:
    assert TraceParent.parse(GOOD) == TraceParent(
        "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        GOOD.upper(),
        GOOD[:-1],
        GOOD + "-more",
        GOOD + "\n",
        GOOD.replace("00-", "ff-", 1),
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        GOOD.replace("b7", "٣7"),
        "01" + GOOD[2:] + "-" + "x" * 300,
        None,
        7,
        [GOOD],
    ],
)
def test_what_is_no_traceparent_is_malformed_and_said_in_short(text: object) -> None:
    with pytest.raises(MalformedError, match="is no traceparent of the W3C") as raised:
        TraceParent.parse(text)
    assert len(str(raised.value)) < 100
    assert TraceParent.read(text) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    later = TraceParent.parse("cc" + GOOD[2:-2] + "ff-what-the-future-brings")
    assert str(later) == GOOD[:-2] + "03"


@given(text=st.text() | JSON)
def test_anything_at_all_is_read_or_malformed(text: object) -> None:
    read = TraceParent.read(text)
    assert read is None or TraceParent.parse(str(read)) == read


@given(
    message=st.builds(
        JobMessage,
        image_version_id=image_version_ids(),
        sequence=COUNTS,
        correlation_id=st.text(max_size=256),
        traceparent=TRACES | st.none(),
    )
)
def test_a_message_carries_its_trace(message: JobMessage) -> None:
    body = encode_message(message)
    read = decode_message(body)
    assert (read, read.trace_fault) == (message, "")
    assert len(body.encode()) <= MAX_BYTES


PLAIN = JobMessage.of(a_job())


def test_a_message_of_an_older_release_has_no_trace_and_no_fault() -> None:
    body = encode_message(PLAIN)
    assert "traceparent" not in body
    assert (decode_message(body).traceparent, decode_message(body).trace_fault) == (None, "")


@given(trace=(st.text(max_size=300) | JSON).filter(lambda one: TraceParent.read(one) is None))
def test_a_trace_that_cannot_be_read_costs_the_message_nothing_but_its_trace(
    trace: object,
) -> None:
    document = json.loads(encode_message(PLAIN))
    document["job"]["traceparent"] = trace
    read = decode_message(json.dumps(document))
    assert (read, read.traceparent) == (PLAIN, None)
    assert bool(read.trace_fault) == (trace is not None)


def job(trace: TraceParent | None) -> ReplicationJob:
    return replace(a_job(), traceparent=trace)


@given(trace=TRACES | st.none())
def test_a_record_carries_its_trace(trace: TraceParent | None) -> None:
    assert decode_job(encode_job(job(trace))) == job(trace)


def test_a_record_of_an_older_release_is_read_without_a_trace() -> None:
    document = json.loads(encode_job(job(None)))
    del document["traceparent"]
    assert decode_job(json.dumps(document)) == job(None)


@given(trace=JSON.filter(lambda one: TraceParent.read(one) is None))
def test_a_trace_that_cannot_be_read_never_costs_a_record(trace: object) -> None:
    document = json.loads(encode_job(job(None)))
    document["traceparent"] = trace
    assert decode_job(json.dumps(document)) == job(None)
