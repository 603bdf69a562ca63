"""The rows of the listing come back as they were, or are refused by what is wrong."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import (
    FailureCode,
    MalformedError,
    NewerFormatError,
)
from replication.domain.job import Failure, Phase, ReplicaState, ReplicationJob
from replication.listing.counts import SHARDS, shard_of
from replication.listing.job_rows import (
    Standing,
    decode_listed,
    decode_standing,
    encode_listed,
    encode_standing,
    list_job,
    standing_key,
    time_class,
)
from replication.listing.keys import part
from replication.listing.store import ListingRow
from tests.support.builders import NOON
from tests.support.listings import JOBS, REGIONS, job, new_listing, store_of


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_a_name_as_part_of_a_row_key_holds_nothing_that_a_key_may_not(names: list[str]) -> None:
    parts = [part(name) for name in names]
    assert all(char not in "|/\\#?%'" and char.isprintable() for one in parts for char in one)
    assert all(one.isascii() for one in parts)
    for (name, one), (other, two) in pairwise(zip(names, parts, strict=True)):
        assert (one == two) == (name.lower() == other.lower())


@given(
    JOBS,
    st.dictionaries(st.sampled_from(REGIONS), st.just(NOON)),
    st.none() | st.dictionaries(st.sampled_from([*ReplicaState]), st.integers(0, 60)),
)
def test_rows_come_back_as_they_were(
    one: ReplicationJob, copies: dict[str, datetime], replicas: dict[str, int] | None
) -> None:
    failed = replace(one, failure=Failure(code=FailureCode.LOCKED, message="m"), letter_id="l")
    shown = list_job(failed, None)
    assert decode_listed(encode_listed(shown)) == shown
    standing = Standing(listed=shown, revision=3, copies=copies, replicas=replicas)
    assert decode_standing(encode_standing(standing)) == standing


SHOWN = encode_listed(list_job(job(), None))


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"v": 0},
        {"v": True},
        SHOWN | {"since": "yesterday"},
        SHOWN | {"since": "2026-11-23T08:00:00"},
        SHOWN | {"since": 5},
        SHOWN | {"wanted": -1},
        SHOWN | {"wanted": True},
        SHOWN | {"reason": None},
        SHOWN | {"failed_regions": [5]},
        {name: value for name, value in SHOWN.items() if name != "phase"},
    ],
)
def test_a_row_that_cannot_be_read_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        decode_listed(broken)
    with pytest.raises(MalformedError):
        decode_standing({"v": 1, "revision": 1, "copies": {}, "listed": broken})


@pytest.mark.parametrize(
    "broken",
    [
        {"v": 1},
        {"v": 1, "revision": 1, "copies": [], "listed": SHOWN},
        {"v": 2, "revision": 1, "copies": {}, "listed": SHOWN},
        {"v": 2, "revision": 1, "copies": {}, "listed": SHOWN, "replicas": {"failed": -1}},
        {"v": 2, "revision": 1, "copies": {}, "listed": SHOWN, "replicas": 5},
    ],
)
def test_a_standing_that_cannot_be_read_is_written_anew(broken: dict[str, object]) -> None:
    listing = new_listing()
    key = standing_key(job().key)
    store_of(listing).rows[key] = ListingRow(key=key, document=broken, etag="1")
    assert list(listing.standings()) == []
    assert listing.note(job())
    assert len(list(listing.standings())) == 1


def test_a_standing_of_a_newer_release_is_left_for_it() -> None:
    listing = new_listing()
    key = standing_key(job().key)
    store_of(listing).rows[key] = ListingRow(key=key, document={"v": 3}, etag="1")
    with pytest.raises(NewerFormatError):
        listing.note(job())
    assert store_of(listing).rows[key].document == {"v": 3}


def test_times_fall_into_classes_and_jobs_into_shards() -> None:
    assert [time_class(s) for s in (0, 60, 61, 86_400, 86_401)] == [0, 0, 1, 10, 11]
    assert {shard_of(f"k{number}") for number in range(200)} == set(range(SHARDS))


def test_a_long_reason_is_cut_and_hours_are_utc() -> None:
    shown = list_job(job(phase=Phase.WAITING, reason="x" * 500), None)
    assert len(shown.reason) == 300
    assert NOON.tzinfo is UTC
