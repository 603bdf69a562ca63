"""Random ids, versions, records and JSON."""

import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from replication.domain.errors import FailureCode
from replication.domain.image_version import (
    CopyState,
    ImageVersion,
    ImageVersionId,
    ProvisioningState,
    RegionalReplicationStatus,
    ReplicationMode,
)
from replication.domain.job import (
    Failure,
    HistoryEntry,
    HomeReplicas,
    Lease,
    Phase,
    Replica,
    ReplicaState,
    ReplicationJob,
    Schedule,
    Tries,
)
from replication.domain.limits import Limits
from replication.domain.plan import LeftOutRegion
from replication.domain.regions import Region
from replication.domain.target_regions import TargetRegion
from tests.support.builders import US_NEIGHBOURS

NAMES = st.text(string.ascii_letters + string.digits + "_.()-", min_size=1, max_size=40).filter(
    lambda name: name.strip(".") != ""
)
VERSION_PARTS = st.integers(min_value=0, max_value=2**31 - 1)
TEXTS = st.text(max_size=60)
COUNTS = st.integers(min_value=0, max_value=1_000_000)
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)
MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the zone is drawn
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001 - likewise
    timezones=st.just(UTC),
)
US_REGIONS = st.sampled_from([Region(name) for name in [*US_NEIGHBOURS, "eastus"]])
OTHER_REGIONS = st.sampled_from([Region(name) for name in ("swedencentral", "mars", "uksouth")])
REGIONS = US_REGIONS | OTHER_REGIONS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def image_version_ids() -> st.SearchStrategy[ImageVersionId]:
    return st.builds(
        ImageVersionId,
        subscription_id=NAMES,
        resource_group=NAMES,
        gallery=NAMES,
        image=NAMES,
        version=st.tuples(VERSION_PARTS, VERSION_PARTS, VERSION_PARTS).map(
            lambda parts: ".".join(str(part) for part in parts)
        ),
    )


@st.composite
def spellings(draw: st.DrawFn, region: Region) -> str:
    """Write a region's name in one of the ways in which people and Azure write it."""
    letters = [
        draw(st.sampled_from([letter, letter.upper(), f" {letter}"])) for letter in region.name
    ]
    return "".join(letters) + draw(st.sampled_from(["", " "]))


@st.composite
def target_regions(draw: st.DrawFn) -> tuple[TargetRegion, ...]:
    """Draw a list of entries as ARM gives it: any spelling, any further fields."""
    regions = draw(st.lists(REGIONS, unique=True, max_size=8))
    targets = []
    for region in regions:
        extra = draw(st.dictionaries(TEXTS.filter(lambda key: key != "name"), JSON, max_size=2))
        targets.append(
            TargetRegion(region=region, entry={"name": draw(spellings(region)), **extra})
        )
    return tuple(targets)


STATUSES = st.builds(
    RegionalReplicationStatus,
    state=st.sampled_from(CopyState),
    progress=st.none() | st.integers(min_value=0, max_value=100),
    details=TEXTS,
)


def image_versions(version_id: ImageVersionId) -> st.SearchStrategy[ImageVersion]:
    return st.builds(
        ImageVersion,
        id=st.just(version_id),
        home_region=st.just(Region("eastus")),
        provisioning_state=st.sampled_from(ProvisioningState),
        target_regions=target_regions(),
        replication=st.dictionaries(REGIONS, STATUSES, max_size=9),
        replication_mode=st.sampled_from(ReplicationMode),
        size_gb=st.none() | COUNTS,
        may_remove_regions=st.booleans(),
    )


LIMITS = st.builds(
    Limits,
    tracking_min_s=st.floats(min_value=0, max_value=60),
    tracking_max_s=st.floats(min_value=60, max_value=86400),
    retry_base_s=st.floats(min_value=0, max_value=10),
    retry_max_s=st.floats(min_value=10, max_value=3600),
    deadline_s=st.floats(min_value=60, max_value=7 * 86400),
    retry_max_attempts=st.integers(min_value=1, max_value=5),
    region_max_attempts=st.integers(min_value=1, max_value=4),
    write_max_attempts=st.integers(min_value=1, max_value=6),
)

REPLICAS = st.builds(
    Replica,
    region=REGIONS,
    state=st.sampled_from(ReplicaState),
    reason=TEXTS,
    progress=st.none() | st.integers(min_value=0, max_value=100),
    intended=st.booleans(),
    managed=st.booleans(),
    attempts=COUNTS,
    lost_updates=COUNTS,
    rebuilding=st.booleans(),
    replica_count=st.none() | COUNTS,
    storage_account_type=st.none() | TEXTS,
    planned_at=MOMENTS,
    listed_at=st.none() | MOMENTS,
    removed_at=st.none() | MOMENTS,
    requested_at=st.none() | MOMENTS,
    copying_since=st.none() | MOMENTS,
    completed_at=st.none() | MOMENTS,
    failed_at=st.none() | MOMENTS,
)

ENTRIES = st.builds(
    HistoryEntry,
    id=TEXTS,
    at=MOMENTS,
    event=TEXTS,
    reason=TEXTS,
    details=st.dictionaries(TEXTS, st.none() | st.integers() | TEXTS, max_size=3),
)


TRIES = st.builds(
    Tries,
    writes=COUNTS,
    polls=COUNTS,
    attempts=COUNTS,
    failures_in_a_row=COUNTS,
    claims=COUNTS,
    arm_calls=COUNTS,
)

SCHEDULES = st.builds(
    Schedule,
    sequence=COUNTS,
    next_attempt_at=st.none() | MOMENTS,
    deadline_at=MOMENTS,
    observed_at=st.none() | MOMENTS,
    lease=st.none() | st.builds(Lease, owner=TEXTS, expires_at=MOMENTS),
    look_again=st.booleans(),
)


def jobs() -> st.SearchStrategy[ReplicationJob]:
    return st.builds(
        ReplicationJob,
        image_version_id=image_version_ids(),
        phase=st.sampled_from(Phase),
        reason=TEXTS,
        trigger=TEXTS,
        correlation_id=TEXTS,
        home_region=REGIONS,
        geography=st.none() | TEXTS,
        replicas=st.lists(REPLICAS, max_size=4).map(tuple),
        left_out=st.lists(st.builds(LeftOutRegion, region=REGIONS, reason=TEXTS), max_size=3).map(
            tuple
        ),
        policy_fingerprint=TEXTS,
        catalog_source=TEXTS,
        size_gb=st.none() | COUNTS,
        home=st.none() | st.builds(HomeReplicas, replica_count=COUNTS, storage_account_type=TEXTS),
        owner_tags=st.dictionaries(TEXTS, TEXTS, max_size=2),
        revision=COUNTS,
        tries=TRIES,
        schedule=SCHEDULES,
        started_at=MOMENTS,
        updated_at=MOMENTS,
        finished_at=st.none() | MOMENTS,
        one_by_one=st.booleans(),
        failure=st.none() | st.builds(Failure, code=st.sampled_from(FailureCode), message=TEXTS),
        withheld=st.dictionaries(REGIONS, st.tuples(MOMENTS, TEXTS), max_size=3),
        entries=st.lists(ENTRIES, max_size=2).map(tuple),
    )


def anything_at(document: Any) -> st.SearchStrategy[Any]:
    """Draw the document with any JSON in the place of one of its values, however deep."""
    if isinstance(document, dict) and document:
        return st.sampled_from(sorted(document)).flatmap(
            lambda key: (JSON | anything_at(document[key])).map(
                lambda value: {**document, key: value}
            )
        )
    if isinstance(document, list) and document:
        return anything_at(document[0]).map(lambda first: [first, *document[1:]])
    return JSON


def outcome[Result](call: Callable[[], Result], *expected: type[Exception]) -> Result | Exception:
    """Return what the call gives, or its error if that is one of those expected."""
    try:
        return call()
    except expected as error:
        return error
