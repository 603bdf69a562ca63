"""What the API, the CLI and the pages show of a record."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from costs.estimate import CostEstimate, RegionalReplicas, estimate_cost
from replication.job import HistoryEntry, Replica, ReplicaState, ReplicationJob
from replication.planning import ReplicationPlan
from replication.ports import QueueDepth


def replication_view(job: ReplicationJob) -> dict[str, Any]:
    """Return a replication in the shape of the API."""
    return {
        "image_version_id": str(job.image_version_id),
        "key": job.key,
        "job_id": job.job_id,
        "phase": job.phase.value,
        "reason": job.reason,
        "trigger": job.trigger,
        "geography": job.geography,
        "home_region": job.home_region.name,
        "regions": [_region_view(one) for one in job.replicas],
        "left_out": [{"region": one.region.name, "reason": one.reason} for one in job.left_out],
        "catalog": job.catalog_source,
        "policy_fingerprint": job.policy_fingerprint,
        "size_gb": job.size_gb,
        "attempts": job.attempts,
        "polls": job.polls,
        "writes": job.writes,
        "arm_calls": job.arm_calls,
        "started_at": stamp(job.started_at),
        "updated_at": stamp(job.updated_at),
        "finished_at": stamp(job.finished_at),
        "deadline_at": stamp(job.deadline_at),
        "next_attempt_at": stamp(job.next_attempt_at),
        "correlation_id": job.correlation_id,
        "failure": (
            {"code": job.failure.code.value, "message": job.failure.message}
            if job.failure
            else None
        ),
        "cost": cost_view(job_cost(job)),
    }


def timeline_view(entries: Iterable[HistoryEntry]) -> list[dict[str, Any]]:
    """Return a timeline in the shape of the API."""
    return [
        {
            "id": entry.id,
            "at": stamp(entry.at),
            "event": entry.event,
            "reason": entry.reason,
            "details": entry.details,
        }
        for entry in entries
    ]


def plan_view(planned: ReplicationPlan, cost: CostEstimate) -> dict[str, Any]:
    """Return a plan in the shape of the CLI's JSON."""
    return {
        "image_version_id": str(planned.image_version_id),
        "geography": planned.geography,
        "home_region": planned.home_region.name,
        "reason": planned.reason,
        "catalog": planned.catalog_source,
        "regions": [
            {
                "region": one.region.name,
                "state": "already_listed" if one.already_listed else "wanted",
                "reason": one.reason,
            }
            for one in planned.wanted
        ],
        "left_out": [{"region": one.region.name, "reason": one.reason} for one in planned.left_out],
        "cost": cost_view(cost),
    }


def queue_view(depth: QueueDepth) -> dict[str, Any]:
    """Return a queue in the shape of the API; a queue cannot be paused yet."""
    return {**asdict(depth), "paused": False}


def cost_view(cost: CostEstimate) -> dict[str, Any]:
    """Return an estimate in the shape of the API."""
    return {
        "monthly": None if cost.monthly is None else float(cost.monthly),
        "egress_once": None if cost.egress_once is None else float(cost.egress_once),
        "currency": cost.currency,
        "basis": cost.basis,
    }


def job_cost(job: ReplicationJob) -> CostEstimate:
    """Estimate what the regions cost that this app added or is going to add."""
    ours = [one for one in job.replicas if one.managed or one.state is ReplicaState.PLANNED]
    return estimate_cost(
        job.size_gb,
        [
            RegionalReplicas(
                replica_count=one.replica_count or 1,
                storage_account_type=one.storage_account_type or "Standard_LRS",
            )
            for one in ours
            if one.state is not ReplicaState.REMOVED
        ],
    )


def stamp(moment: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC with milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _region_view(replica: Replica) -> dict[str, Any]:
    return {
        "region": replica.region.name,
        "state": replica.state.value,
        "progress": replica.progress,
        "managed": replica.managed,
        "requested_at": stamp(replica.requested_at),
        "completed_at": stamp(replica.completed_at),
        "reason": replica.reason,
        "attempts": replica.attempts,
        "lost_updates": replica.lost_updates,
    }
