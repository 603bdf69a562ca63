import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.job import ReplicationJob
from replication.records.job_codec import decode_entry, decode_job, encode_entry, encode_job
from tests.support.jobs import job, large_job
from tests.support.strategies import ENTRIES, JSON, anything_at, jobs, outcome


@given(one=jobs())
def test_a_job_reads_as_it_was_written(one: ReplicationJob) -> None:
    assert decode_job(encode_job(one)) == one


def test_a_large_job_reads_as_it_was_written() -> None:
    assert decode_job(encode_job(large_job())) == large_job()


@given(entry=ENTRIES)
def test_an_entry_reads_as_it_was_written(entry: Any) -> None:
    assert decode_entry(json.loads(json.dumps(encode_entry(entry)))) == entry


@given(text=st.text() | JSON.map(json.dumps))
def test_garbage_is_malformed_and_nothing_else(text: str) -> None:
    with pytest.raises(MalformedError):
        decode_job(text)


@given(one=jobs(), data=st.data())
def test_a_record_with_one_thing_wrong_is_read_or_malformed(
    one: ReplicationJob, data: st.DataObject
) -> None:
    document = data.draw(anything_at(json.loads(encode_job(one))))
    read = outcome(lambda: decode_job(json.dumps(document)), MalformedError)
    assert str(read)


@pytest.mark.parametrize(
    "changes",
    [
        {"size_gb": float("inf")},
        {"started_at": "2026-11-23T12:00:00"},
        {"started_at": "noon"},
        {"replicas": {"a": 1}},
        {"phase": "unheard-of"},
        {"failure": {"code": "unheard-of", "message": ""}},
        {"lease": {"owner": "w"}},
    ],
)
def test_a_record_that_cannot_be_true_is_malformed(changes: dict[str, Any]) -> None:
    document = json.loads(encode_job(job())) | changes
    with pytest.raises(MalformedError, match="the record cannot be read"):
        decode_job(json.dumps(document))


def test_a_record_of_a_newer_release_is_told_apart() -> None:
    with pytest.raises(NewerFormatError, match="format 2, this release reads 1"):
        decode_job('{"v": 2}')


def test_a_record_without_the_latest_fields_still_reads() -> None:
    document = json.loads(encode_job(job()))
    del document["one_by_one"]
    assert decode_job(json.dumps(document)) == job()
