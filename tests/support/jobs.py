"""Jobs on record for the contract suites."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from replication.domain.image_version import ImageVersionId
from replication.domain.job import Replica, ReplicationJob, Schedule
from replication.domain.regions import Region
from tests.support.builders import NOON, version_id


def job(of: ImageVersionId | None = None, **changes: Any) -> ReplicationJob:
    plain = ReplicationJob(
        image_version_id=of or version_id(),
        reason="8 regions to add",
        trigger="a test",
        correlation_id="corr-1",
        home_region=Region("eastus"),
        geography="United States",
        policy_fingerprint="0123456789abcdef",
        catalog_source="a test",
        started_at=NOON,
        updated_at=NOON,
        schedule=Schedule(deadline_at=NOON + timedelta(days=1), sequence=1),
    )
    return altered(plain, **changes)


def altered(of: ReplicationJob, **changes: Any) -> ReplicationJob:
    """Return a job with fields replaced, and with those of its tries and its schedule."""
    for part in ("tries", "schedule"):
        value = changes.pop(part, getattr(of, part))
        own = {one.name: changes.pop(one.name) for one in fields(value) if one.name in changes}
        of = replace(of, **{part: replace(value, **own)})
    return replace(of, **changes)


def large_job() -> ReplicationJob:
    """Return a job of 60 regions whose reasons are long and of every alphabet."""
    reason = "Azure said: " + "größe \U0001f300 " * 250
    replicas = tuple(
        Replica(region=Region(f"region{number:02d}"), reason=reason, planned_at=NOON)
        for number in range(60)
    )
    return job(replicas=replicas)
