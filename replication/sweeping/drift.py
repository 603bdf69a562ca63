"""Drift: why a job on record needs another look, given what Azure lists of its version."""

from collections.abc import Mapping
from datetime import datetime

from replication.domain.image_version import ImageVersion
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import Region, RegionCatalog
from replication.reconcile.observe import withheld_regions

# How often a job that ended badly is looked at again: what was wrong may have been mended.
_RECHECK_S = 3600.0
_DAY_S = 86_400.0


def why_look(
    job: ReplicationJob,
    version: ImageVersion,
    policy: ReplicationPolicy,
    catalog: RegionCatalog,
    refused: Mapping[Region, str],
    *,
    now: datetime,
) -> str | None:
    """Return why a job on record needs another look, None when it does not.

    Jobs in flight look after themselves, or are overdue.
    """
    if job.schedule.next_attempt_at is not None or job.phase is Phase.CANCELLED:
        return None
    age_s = (now - (job.schedule.observed_at or job.started_at)).total_seconds()
    if job.held_by_budget:
        return _why_ask_again(job, policy, age_s)
    if job.phase in (Phase.FAILED, Phase.PARTIAL):
        return f"it ended {job.phase.value}; has that been mended?" if age_s > _RECHECK_S else None
    if not job.phase.is_end:
        return None
    return _why_drifted(job, version, policy, catalog, refused, now=now)


def _why_ask_again(job: ReplicationJob, policy: ReplicationPolicy, age_s: float) -> str | None:
    if job.policy_fingerprint != policy.fingerprint:
        return "it is held by a budget, and the policy has changed"
    return "it is held by a budget; does it fit by now?" if age_s > _DAY_S else None


def _why_drifted(
    job: ReplicationJob,
    version: ImageVersion,
    policy: ReplicationPolicy,
    catalog: RegionCatalog,
    refused: Mapping[Region, str],
    *,
    now: datetime,
) -> str | None:
    """Compare what is listed with what the record says, and with what is planned."""
    withheld = {**refused, **withheld_regions(job, version, policy, now=now)}
    planned = plan(PlanSubject.of(version), policy, catalog, withheld)
    missing = [one.region.name for one in planned.wanted if not one.already_listed]
    gone = [
        one.region.name
        for one in job.replicas
        if one.state is ReplicaState.COMPLETED and one.region not in version.listed
    ]
    if job.phase is Phase.SUPERSEDED and not version.is_going:
        return "it was thought gone and is there"
    if gone:
        return f"removed since it was Completed: {', '.join(gone)}"
    if missing:
        return f"in the plan and not in the list: {', '.join(missing)}"
    return None
