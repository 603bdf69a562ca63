"""What the API, the CLI and the pages show of a record."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from costs.pricing.estimate import (
    LAB_SERVICES_FORMULA,
    SNAPSHOT_FORMULA,
    Amount,
    CostEstimate,
    RegionalReplicas,
    Unpriced,
)
from costs.pricing.estimator import Estimates
from replication.domain.copy_progress import percent_per_min
from replication.domain.errors import FailureCode
from replication.domain.failures import FAILURES
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.domain.job import HistoryEntry, Replica, ReplicaState, ReplicationJob
from replication.domain.plan import ReplicationPlan
from replication.guards.pauses import QueuePause
from replication.operations.journal import ActionPage
from replication.ports import DeadLetter, ListedLetter, QueueDepth


def replication_view(job: ReplicationJob, estimates: Estimates | None = None) -> dict[str, Any]:
    """Return a replication in the shape of the API; without `estimates` at the shipped prices."""
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
            | advice_view(job.failure.code.value)
            if job.failure
            else None
        ),
        "stuck": any(one.stuck_since is not None for one in job.replicas),
        "dead_letter_id": job.letter_id if job.failure else None,
        "cost": cost_view(job_cost(job, estimates or Estimates())),
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


def plan_view(planned: ReplicationPlan, cost: CostEstimate, *, held: str | None) -> dict[str, Any]:
    """Return a plan in the shape of the CLI's JSON; `held` says why a budget would hold it."""
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
        "held": held,
    }


def letter_view(letter: ListedLetter) -> dict[str, Any]:
    """Return a dead letter in the shape of the API's list."""
    return {
        "id": letter.id,
        "at": stamp(letter.at),
        "source": letter.source,
        "code": letter.code,
        "cause": letter.cause,
        "attempts": letter.attempts,
        "correlation_id": letter.correlation_id,
        "image_version_id": letter.image_version_id,
        "key": _key(letter.image_version_id),
        "regions": list(letter.regions),
        "state": letter.state.value,
        "state_at": stamp(letter.state_at),
        "state_reason": letter.state_reason,
        **advice_view(letter.code),
    }


def letter_detail_view(letter: DeadLetter) -> dict[str, Any]:
    """Return a dead letter whole: with its timeline and the raw message."""
    return {**letter_view(letter), "timeline": timeline_view(letter.timeline), "raw": letter.raw}


def action_page_view(page: ActionPage) -> dict[str, Any]:
    """Return a page of what operators did in the shape of the API."""
    items = [{**asdict(one), "at": stamp(one.at)} for one in page.records]
    return {"items": items, "next": page.next_cursor}


def advice_view(code: str) -> dict[str, Any]:
    """Return what a failure code means, and where the runbook speaks of it."""
    try:
        kind = FAILURES[FailureCode(code)]
    except ValueError:  # of a newer release
        return {"advice": None, "transient": None, "runbook": None}
    return {"advice": kind.sentence, "transient": kind.transient, "runbook": kind.runbook}


def _key(image_version_id: str | None) -> str | None:
    if image_version_id is None:
        return None
    try:
        return ImageVersionId.parse(image_version_id).key
    except MalformedImageVersionIdError:
        return None


def queue_view(depth: QueueDepth, pause: QueuePause | None) -> dict[str, Any]:
    """Return a queue in the shape of the API; `pause` says by whom it is paused, and why."""
    told = None
    if pause is not None:
        told = {"since": stamp(pause.since), "by": pause.by, "reason": pause.reason}
    return {**asdict(depth), "paused": pause is not None, "pause": told}


def cost_view(cost: CostEstimate) -> dict[str, Any]:
    """Return an estimate in the shape of the API.

    `monthly` and `egress_once` are numbers, as they always were; the money beside them is text.
    """
    return {
        "monthly": None if cost.monthly is None else float(cost.monthly),
        "egress_once": None if cost.egress_once is None else float(cost.egress_once),
        "currency": cost.currency,
        "basis": cost.basis,
        "confidence": cost.confidence,
        "monthly_range": _range_view(cost.monthly_range),
        "egress_range": _range_view(cost.egress_range),
        "priced_monthly": _money(cost.priced_monthly),
        "unpriced": _unpriced_view(cost.unpriced),
        "unpriced_transfer": _unpriced_view(cost.unpriced_transfer),
        "formulas": [
            {"formula": SNAPSHOT_FORMULA, "monthly": _money(cost.monthly)},
            {"formula": LAB_SERVICES_FORMULA, "monthly": _money(cost.lab_services_monthly)},
        ],
    }


def _range_view(amount: Amount | None) -> dict[str, str] | None:
    if amount is None:
        return None
    return {"low": f"{amount.low:f}", "high": f"{amount.high:f}"}


def _unpriced_view(unpriced: Iterable[Unpriced]) -> list[dict[str, str]]:
    return [{"region": one.region, "reason": one.reason} for one in unpriced]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def job_cost(job: ReplicationJob, estimates: Estimates) -> CostEstimate:
    """Estimate what the regions cost that this app added or is going to add."""
    ours = [one for one in job.replicas if one.managed or one.state is ReplicaState.PLANNED]
    return estimates.of(
        job.image_version_id,
        [
            RegionalReplicas(
                region=one.region.name,
                replica_count=one.replica_count or 1,
                storage_account_type=one.storage_account_type or "Standard_LRS",
            )
            for one in ours
            if one.state is not ReplicaState.REMOVED
        ],
        home_region=job.home_region.name,
        provisioned_gb=job.size_gb,
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
        "failure_code": replica.code.value if replica.code else None,
        "copying_since": stamp(replica.copying_since),
        "progressed_at": stamp(replica.progressed_at),
        "stuck": _stuck_view(replica),
    }


def _stuck_view(replica: Replica) -> dict[str, Any] | None:
    """Return since when a copy has not moved, and how fast it did before."""
    if replica.stuck_since is None:
        return None
    speed = percent_per_min(replica)
    return {
        "since": stamp(replica.stuck_since),
        "expected_percent_per_min": None if speed is None else round(speed, 2),
    }
