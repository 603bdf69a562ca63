"""The listing: views and counts agree with the records, and a page reads what it shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.domain.errors import (
    MalformedError,
    TransientError,
)
from replication.domain.job import Phase, Replica, ReplicaState, ReplicationJob
from replication.domain.regions import Region
from replication.listing.counts import shard_of
from replication.listing.job_rows import (
    STUCK,
    TIME_CLASSES_S,
    view_keys,
)
from replication.listing.jobs import Listing
from replication.listing.query import ListOrder, ListQuery, read_page
from replication.listing.repair import ListingMender
from replication.listing.store import MAX_CHANGES, ListingChange
from tests.support.builders import NOON, version_id
from tests.support.listing import MemoryListing
from tests.support.listings import (
    GALLERIES,
    GEOGRAPHIES,
    HISTORIES,
    job,
    listed,
    new_listing,
    once,
    store_of,
)
from tests.support.speed import examples


def pages(listing: Listing, query: ListQuery) -> list[str]:
    keys: list[str] = []
    while True:
        page = read_page(listing.store, query)
        assert page.rows_read <= query.limit + 1
        assert page.calls <= max(2, len(query.phases or ()))
        keys += [one.key for one in page.jobs]
        if page.next_cursor is None:
            return keys
        query = replace(query, cursor=page.next_cursor)


@given(HISTORIES)
@settings(max_examples=examples(60))
def test_counts_are_those_of_the_records(jobs: list[ReplicationJob]) -> None:
    listing = new_listing()
    newest = listed(listing, jobs)
    phases = Counter(one.phase.value for one in newest.values())
    stuck = sum(any(r.stuck_since for r in one.replicas) for one in newest.values())
    expected = {phase.value: phases[phase.value] for phase in Phase} | {STUCK: stuck}
    assert listing.counts() == expected


@given(HISTORIES)
@settings(max_examples=examples(60))
def test_every_job_stands_once_in_each_of_its_views_and_nowhere_else(
    jobs: list[ReplicationJob],
) -> None:
    listing = new_listing()
    newest = listed(listing, jobs)
    standings = {one.listed.key: one for one in listing.standings()}
    assert standings.keys() == newest.keys()
    keys = [key for one in standings.values() for key in view_keys(one.listed)]
    assert len(keys) == len(set(keys))
    rows = store_of(listing).rows
    assert {k for k in rows if k.startswith(("new|", "old|", "name|", "image|"))} == set(keys)


QUERIES = st.builds(
    ListQuery,
    phases=st.none() | st.frozensets(st.sampled_from(Phase), min_size=1, max_size=3),
    gallery=st.none() | st.sampled_from(GALLERIES),
    geography=st.none() | st.sampled_from(GEOGRAPHIES),
    search=st.none() | st.sampled_from(("lab", "LAB", "m", "biology-101", "x")),
    stuck=st.booleans(),
    order=st.sampled_from(ListOrder),
    limit=st.integers(1, 7),
)


def means(one: ReplicationJob, query: ListQuery) -> bool:
    names = (one.image_version_id.gallery.lower(), one.image_version_id.image.lower())
    found = query.search is None or any(n.startswith(query.search.lower()) for n in names)
    stuck = any(replica.stuck_since for replica in one.replicas)
    return (
        found
        and (query.phases is None or one.phase in query.phases)
        and (query.gallery is None or names[0] == query.gallery.lower())
        and (query.geography is None or one.geography == query.geography)
        and (stuck or not query.stuck)
    )


@given(HISTORIES, QUERIES)
@settings(max_examples=examples(400))
def test_the_pages_of_a_query_show_every_job_that_it_means_once(
    jobs: list[ReplicationJob], query: ListQuery
) -> None:
    listing = new_listing()
    newest = listed(listing, jobs)
    keys = pages(listing, query)
    assert sorted(keys) == sorted(key for key, one in newest.items() if means(one, query))


def test_a_search_takes_names_with_slashes_and_whole_ids() -> None:
    listing = new_listing()
    jobs = [
        replace(job(), image_version_id=one)
        for one in (
            version_id(gallery="labs", image="maths", version="1.0.0"),
            version_id(gallery="labs", image="maths", version="2.0.0"),
            version_id(gallery="labs", image="physics", version="1.0.0"),
            version_id(gallery="labs2", image="maths", version="1.0.0"),
            replace(version_id(gallery="labs"), resource_group="others"),
        )
    ]
    listed(listing, jobs)

    def found(search: str) -> list[str]:
        rows = listing.page(ListQuery(search=search)).jobs
        return [f"{one.gallery}/{one.image}/{one.version}" for one in rows]

    assert found("LABS/ma") == ["labs/maths/1.0.0", "labs/maths/1.0.0", "labs/maths/2.0.0"]
    assert found("labs/maths/2") == ["labs/maths/2.0.0"]
    assert found("labs/") == [*found("labs/ma"), "labs/physics/1.0.0"]
    assert len(found("maths")) == 4
    (row,) = listing.page(ListQuery(search=f" {str(jobs[0].image_version_id).upper()} ")).jobs
    assert row.key == jobs[0].key
    assert found("a/b/c/d") == []


@given(HISTORIES)
@settings(max_examples=examples(60))
def test_jobs_come_by_the_time_of_their_last_change_of_phase(jobs: list[ReplicationJob]) -> None:
    listing = new_listing()
    listed(listing, jobs)
    since = {one.listed.key: one.listed.since for one in listing.standings()}
    newest = [since[key] for key in pages(listing, ListQuery(limit=3))]
    assert newest == sorted(newest, reverse=True)
    oldest = [since[key] for key in pages(listing, ListQuery(limit=3, order=ListOrder.OLDEST))]
    assert oldest == sorted(oldest)


def test_a_job_keeps_the_time_of_its_phase_while_it_stays_in_it() -> None:
    listing = new_listing()
    listing.note(job(minute=1, completed=0))
    listing.note(job(minute=9, completed=1, revision=2))
    (standing,) = listing.standings()
    assert standing.listed.since == NOON + timedelta(minutes=1)
    assert standing.listed.completed == 1
    listing.note(job(minute=10, completed=3, revision=3, phase=Phase.SUCCEEDED))
    (standing,) = listing.standings()
    assert standing.listed.since == NOON + timedelta(minutes=10)


def test_an_older_record_changes_nothing_any_more() -> None:
    listing = new_listing()
    listing.note(job(revision=5, phase=Phase.SUCCEEDED))
    assert not listing.note(job(revision=4, phase=Phase.TRACKING))
    assert listing.counts()["succeeded"] == 1


def test_copies_are_counted_once_in_the_hour_in_which_they_became_usable() -> None:
    listing = new_listing()
    for revision, completed in enumerate((1, 3, 3, 2), start=1):
        listing.note(job(completed=completed, revision=revision, reason=f"r{revision}"))
    (hour,) = listing.hours(since=NOON - timedelta(hours=1))
    assert (hour.hour, hour.copies) == (NOON.replace(minute=0, second=0), 3)
    assert hour.total_s == 600 + 1200 + 1800
    assert [TIME_CLASSES_S[n] for n, count in enumerate(hour.classes) if count] == [600, 1200, 1800]
    assert listing.hours(since=NOON + timedelta(hours=1)) == ()


def test_a_copy_that_is_made_anew_counts_again() -> None:
    listing = new_listing()
    listing.note(job(completed=1))
    again = job(completed=1, revision=2)
    replica = replace(again.replicas[0], completed_at=NOON + timedelta(hours=3))
    listing.note(again.with_replicas(replica))
    assert [one.copies for one in listing.hours(since=NOON)] == [1, 1]


def test_what_shows_nothing_new_costs_no_call() -> None:
    listing = new_listing()
    before, after = job(reason="30 %"), job(reason="40 %", minute=5, revision=2)
    listing.note(before)
    calls = store_of(listing).calls
    listing.follow(before, after)
    assert store_of(listing).calls == calls
    listing.follow(before, replace(after, phase=Phase.WAITING))
    assert store_of(listing).calls > calls


def test_a_storage_in_trouble_never_fails_what_changed_the_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listing = new_listing()
    store_of(listing).failures = [TransientError("storage: away") for _ in range(3)]
    listing.follow(None, job())
    assert list(listing.standings()) == []
    assert "listing.behind" in caplog.text


def test_what_was_missed_is_mended_and_nothing_else_is_touched() -> None:
    listing = new_listing()
    jobs = sorted((job(number) for number in range(6)), key=lambda one: one.key)
    for number, one in enumerate(jobs):
        if number != 3:
            listing.note(one)
    jobs[1] = replace(jobs[1], phase=Phase.FAILED, revision=2)
    mender = ListingMender(listing)
    calls = store_of(listing).calls
    for one in jobs:
        mender.mend(one)
    assert listing.counts()["failed"] == 1
    assert listing.counts()["tracking"] == 5
    # One range for all; a standing, its counts and a transaction for each of the two.
    assert store_of(listing).calls - calls <= 1 + 2 * 3 + 2


def test_a_listing_that_cannot_be_read_is_told_of_once() -> None:
    listing = new_listing()
    store_of(listing).failures = [TransientError("storage: away") for _ in range(3)]
    mender = ListingMender(listing)
    with pytest.raises(TransientError):
        mender.mend(job())
    mender.mend(job(1))
    assert store_of(listing).rows == {}


def test_two_writers_leave_counts_that_agree() -> None:
    listing = new_listing()
    store = store_of(listing)
    commit = MemoryListing.commit
    rival = [job(1, phase=Phase.FAILED)]

    class Busy(MemoryListing):
        def commit(self, changes: Sequence[ListingChange]) -> None:
            if rival:
                listing.note(rival.pop())
            commit(self, changes)

    busy = Busy(rows=store.rows)
    other = Listing(store=busy, retries=once)
    shard = {shard_of(job(number).key) for number in range(2)}
    other.note(job(0, phase=Phase.FAILED))
    assert listing.counts()["failed"] == 2
    assert len(shard) in (1, 2)


def test_a_job_fits_into_one_transaction_even_after_a_long_pause() -> None:
    listing = new_listing()
    regions = [f"region{number}" for number in range(60)]
    replicas = tuple(
        Replica(
            region=Region(name),
            reason="",
            managed=True,
            state=ReplicaState.COMPLETED,
            planned_at=NOON,
            completed_at=NOON + timedelta(hours=number),
            stuck_since=None,
        )
        for number, name in enumerate(regions)
    )
    listing.note(replace(job(), replicas=(), revision=1))
    listing.note(replace(job(phase=Phase.SUCCEEDED), replicas=replicas, revision=2))
    assert sum(one.copies for one in listing.hours(since=NOON - timedelta(hours=1))) == 60
    assert MAX_CHANGES == 100


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "a" * 3000, "bm93aGVyZQ", "é", "\x00"])
def test_a_cursor_of_anothers_making_is_refused(cursor: str) -> None:
    with pytest.raises(MalformedError, match="the cursor is not one that this list gave out"):
        read_page(MemoryListing(), ListQuery(cursor=cursor))


def test_a_cursor_of_another_filter_is_refused() -> None:
    listing = new_listing()
    listed(listing, [job(number) for number in range(3)])
    page = read_page(listing.store, ListQuery(limit=1))
    with pytest.raises(MalformedError):
        read_page(listing.store, ListQuery(gallery="labgallery", cursor=page.next_cursor))
