"""Jobs of many kinds, and listings that took note of them."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from replication.domain.errors import (
    RecordChangedError,
    TransientError,
)
from replication.domain.job import Phase, Replica, ReplicaState, ReplicationJob, Schedule
from replication.domain.regions import Region
from replication.listing.jobs import Listing
from tests.support.builders import NOON, version_id
from tests.support.listing import MemoryListing

GALLERIES = ("labgallery", "Lab.Gallery_2", "math")
IMAGES = ("maths", "biology-101", "labs")
GEOGRAPHIES = ("United States", "Europe")
REGIONS = ("eastus2", "westus", "westus3")


def once() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type((RecordChangedError, TransientError)),
        stop=stop_after_attempt(3),
        reraise=True,
    )


def new_listing() -> Listing:
    return Listing(store=MemoryListing(), retries=once)


def store_of(listing: Listing) -> MemoryListing:
    assert isinstance(listing.store, MemoryListing)
    return listing.store


def job(
    number: int = 0,
    *,
    phase: Phase = Phase.TRACKING,
    revision: int = 1,
    minute: int = 0,
    gallery: str = "labgallery",
    image: str = "maths",
    geography: str | None = "United States",
    stuck: bool = False,
    completed: int = 0,
    reason: str = "a reason",
) -> ReplicationJob:
    replicas = []
    for place, name in enumerate(REGIONS):
        done = place < completed
        replicas.append(
            Replica(
                region=Region(name),
                reason="",
                managed=True,
                state=ReplicaState.COMPLETED if done else ReplicaState.REPLICATING,
                planned_at=NOON,
                completed_at=NOON + timedelta(minutes=10 * (place + 1)) if done else None,
                stuck_since=NOON + timedelta(minutes=minute) if stuck and not done else None,
            )
        )
    return ReplicationJob(
        image_version_id=version_id(gallery=gallery, image=image, version=f"1.0.{number}"),
        phase=phase,
        reason=reason,
        trigger="a test",
        correlation_id="c",
        home_region=Region("eastus"),
        geography=geography,
        replicas=tuple(replicas),
        policy_fingerprint="p",
        catalog_source="a test",
        revision=revision,
        started_at=NOON,
        updated_at=NOON + timedelta(minutes=minute),
        schedule=Schedule(deadline_at=NOON + timedelta(days=1)),
    )


JOBS = st.builds(
    job,
    st.integers(0, 4),
    phase=st.sampled_from(Phase),
    minute=st.integers(0, 600),
    gallery=st.sampled_from(GALLERIES),
    image=st.sampled_from(IMAGES),
    geography=st.sampled_from((*GEOGRAPHIES, None)),
    stuck=st.booleans(),
    completed=st.integers(0, 3),
)
HISTORIES = st.lists(JOBS, max_size=25).map(
    lambda jobs: [replace(one, revision=number) for number, one in enumerate(jobs, start=1)]
)


def listed(listing: Listing, jobs: list[ReplicationJob]) -> dict[str, ReplicationJob]:
    newest: dict[str, ReplicationJob] = {}
    for one in jobs:
        listing.note(one)
        newest[one.key] = one
    return newest
