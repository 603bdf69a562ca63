"""The counts of replicas by state: those of a recount, whatever happened before."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.domain.errors import TransientError
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.listing.counts import SHARDS, shard_of
from replication.listing.job_rows import (
    STUCK,
    encode_standing,
    replicas_key,
)
from replication.listing.jobs import MAX_COUNTED, Listing
from replication.listing.repair import ListingMender
from replication.listing.store import ListingChange, ListingRow
from tests.support.fakes import build_world
from tests.support.listing import MemoryListing
from tests.support.listings import HISTORIES, job, listed, new_listing, once, store_of
from tests.support.scenarios.steps import ID, export
from tests.support.speed import examples

STATES = st.lists(st.sampled_from(ReplicaState), min_size=3, max_size=3)


def in_states(one: ReplicationJob, states: Sequence[ReplicaState]) -> ReplicationJob:
    """Return the job with its replicas in these states, or with fewer of them."""
    pairs = zip(one.replicas, states, strict=False)
    return replace(one, replicas=tuple(replace(copy, state=state) for copy, state in pairs))


@st.composite
def histories(draw: st.DrawFn) -> list[ReplicationJob]:
    """Draw records as they are written one after another, with replicas in every state."""
    return [in_states(one, draw(STATES)) for one in draw(HISTORIES)]


def recount(jobs: Iterable[ReplicationJob]) -> dict[ReplicaState, int]:
    found = Counter(copy.state for one in jobs for copy in one.replicas)
    return {state: found[state] for state in ReplicaState}


def mend(listing: Listing, jobs: Iterable[ReplicationJob]) -> None:
    mender = ListingMender(listing)
    for one in sorted(jobs, key=lambda one: one.key):
        mender.mend(one)
    mender.finish()


def as_an_older_release_left_it(listing: Listing) -> None:
    """Take away what releases before this one did not write."""
    rows = store_of(listing).rows
    for standing in tuple(listing.standings()):
        key = f"job|{standing.listed.key}"
        document = encode_standing(standing) | {"v": 1}
        del document["replicas"]
        rows[key] = ListingRow(key=key, document=document, etag=rows[key].etag)
    for shard in range(100):
        rows.pop(replicas_key(shard), None)


@given(histories())
@settings(max_examples=examples(100))
def test_the_counts_are_those_of_the_records(jobs: list[ReplicationJob]) -> None:
    listing = new_listing()
    newest = listed(listing, jobs)
    assert listing.totals().replicas == recount(newest.values())
    assert listing.counts().keys() == {phase.value for phase in Phase} | {STUCK}


@given(histories(), histories(), st.integers(0, 25))
@settings(max_examples=examples(100))
def test_what_an_older_release_did_not_count_is_counted_once(
    before: list[ReplicationJob], after: list[ReplicationJob], mended_at: int
) -> None:
    listing = new_listing()
    newest = listed(listing, before)
    phases = listing.counts()
    as_an_older_release_left_it(listing)
    assert listing.counts() == phases
    later = [replace(one, revision=one.revision + len(before)) for one in after]
    newest |= listed(listing, later[:mended_at])
    for _ in range(2):
        mend(listing, newest.values())
        assert listing.totals().replicas == recount(newest.values())
    newest |= listed(listing, later[mended_at:])
    assert listing.totals().replicas == recount(newest.values())


def test_a_listing_at_rest_is_mended_once_and_then_left_alone() -> None:
    listing = new_listing()
    jobs = [job(number, completed=number % 4) for number in range(30)]
    listed(listing, jobs)
    as_an_older_release_left_it(listing)
    mend(listing, jobs)
    calls = store_of(listing).calls
    mend(listing, jobs)
    assert store_of(listing).calls == calls + 1


def test_what_an_older_release_listed_is_counted_many_jobs_at_a_time() -> None:
    listing = new_listing()
    jobs = [job(number, completed=number % 4) for number in range(1_500)]
    listed(listing, jobs)
    as_an_older_release_left_it(listing)
    calls = store_of(listing).calls
    mend(listing, jobs)
    # Two ranges; and for each hundred jobs of a shard, the row of its counts and a transaction.
    assert store_of(listing).calls - calls <= 2 + 2 * (1_500 // MAX_COUNTED + SHARDS)
    assert listing.totals().replicas == recount(jobs)


def test_a_sweep_counts_what_an_older_release_did_not() -> None:
    world = build_world()
    export(world)
    world.run()
    jobs = [world.job(ID)]
    as_an_older_release_left_it(world.app.listing)
    assert set(world.app.listing.totals().replicas.values()) == {0}
    for _ in range(2):
        assert world.app.sweep.run().errors == []
        assert world.app.listing.totals().replicas == recount(jobs)


def test_a_job_that_moves_on_while_it_waits_to_be_counted_is_counted_once() -> None:
    listing = new_listing()
    jobs = sorted((job(number) for number in range(40)), key=lambda one: one.key)
    listed(listing, jobs)
    as_an_older_release_left_it(listing)
    mender = ListingMender(listing)
    for one in jobs:
        mender.mend(one)
    number = int(jobs[7].image_version_id.version.rpartition(".")[2])
    jobs[7] = replace(job(number, completed=3), revision=2)
    listing.note(jobs[7])
    mender.finish()
    assert listing.totals().replicas == recount(jobs)
    mend(listing, jobs)
    assert listing.totals().replicas == recount(jobs)


def test_counts_that_cannot_be_written_are_told_and_counted_by_the_next_sweep() -> None:
    listing = new_listing()
    jobs = [job(number, completed=number % 4) for number in range(30)]
    listed(listing, jobs)
    as_an_older_release_left_it(listing)
    mender = ListingMender(listing)
    for one in sorted(jobs, key=lambda one: one.key):
        mender.mend(one)
    store_of(listing).failures = [TransientError("storage: away")]
    with pytest.raises(TransientError):
        mender.finish()
    mend(listing, jobs)
    assert listing.totals().replicas == recount(jobs)


def test_a_replica_that_moves_on_costs_two_calls_where_nothing_else_changed() -> None:
    listing = new_listing()
    before = in_states(job(), [ReplicaState.REQUESTED] * 3)
    after = replace(in_states(before, [ReplicaState.REPLICATING] * 2), revision=2)
    after = after.with_replicas(before.replicas[2])
    listing.note(before)
    calls = store_of(listing).calls
    listing.follow(before, after)
    assert store_of(listing).calls == calls + 2
    counted = listing.totals().replicas
    assert (counted[ReplicaState.REPLICATING], counted[ReplicaState.REQUESTED]) == (2, 1)


def test_two_writers_of_one_job_count_its_replicas_once() -> None:
    listing = new_listing()
    rival = [job(completed=1, revision=2)]

    class Busy(MemoryListing):
        def commit(self, changes: Sequence[ListingChange]) -> None:
            if rival:
                listing.note(rival.pop())
            super().commit(changes)

    other = Listing(store=Busy(rows=store_of(listing).rows), retries=once)
    other.note(job(completed=1, revision=2))
    assert listing.totals().replicas == recount([job(completed=1)])


@pytest.mark.parametrize("states", [None, [], {"completed": "many"}, {"completed": True}, {"x": 5}])
def test_a_row_of_counts_that_is_none_counts_nothing(states: object) -> None:
    listing = new_listing()
    one = job(completed=2)
    key = replicas_key(shard_of(one.key))
    store_of(listing).rows[key] = ListingRow(key=key, document={"states": states}, etag="1")
    assert set(listing.totals().replicas.values()) == {0}
    listing.note(one)
    assert listing.totals().replicas == recount([one])
