"""A job as a JSON document, and back."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from replication.errors import FailureCode, MalformedError, NewerFormatError
from replication.image_version import ImageVersionId
from replication.job import (
    Failure,
    HistoryEntry,
    Lease,
    Phase,
    Replica,
    ReplicaState,
    ReplicationJob,
)
from replication.planning import LeftOutRegion
from replication.regions import Region

FORMAT_VERSION = 1


def encode_job(job: ReplicationJob) -> str:
    """Return the job as JSON text."""
    document = {
        "v": FORMAT_VERSION,
        "image_version_id": str(job.image_version_id),
        "phase": job.phase.value,
        "reason": job.reason,
        "trigger": job.trigger,
        "correlation_id": job.correlation_id,
        "home_region": job.home_region.name,
        "geography": job.geography,
        "replicas": [_encode_replica(one) for one in job.replicas],
        "left_out": [{"region": one.region.name, "reason": one.reason} for one in job.left_out],
        "policy_fingerprint": job.policy_fingerprint,
        "catalog_source": job.catalog_source,
        "size_gb": job.size_gb,
        "sequence": job.sequence,
        "revision": job.revision,
        "claims": job.claims,
        "attempts": job.attempts,
        "writes": job.writes,
        "polls": job.polls,
        "failures_in_a_row": job.failures_in_a_row,
        "arm_calls": job.arm_calls,
        "started_at": _stamp(job.started_at),
        "updated_at": _stamp(job.updated_at),
        "deadline_at": _stamp(job.deadline_at),
        "observed_at": _stamp(job.observed_at),
        "next_attempt_at": _stamp(job.next_attempt_at),
        "finished_at": _stamp(job.finished_at),
        "lease": (
            {"owner": job.lease.owner, "expires_at": _stamp(job.lease.expires_at)}
            if job.lease
            else None
        ),
        "look_again": job.look_again,
        "one_by_one": job.one_by_one,
        "failure": (
            {"code": job.failure.code.value, "message": job.failure.message}
            if job.failure
            else None
        ),
        "withheld": [
            {"region": region.name, "until": _stamp(until), "reason": reason}
            for region, (until, reason) in job.withheld.items()
        ],
        "entries": [encode_entry(entry) for entry in job.entries],
    }
    return json.dumps(document, separators=(",", ":"))


def decode_job(text: str) -> ReplicationJob:
    """Read a job's JSON; raises MalformedError, or NewerFormatError for a newer release's."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"the record is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise MalformedError("the record is not a JSON object")
    version = document.get("v")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise NewerFormatError(
            f"the record has format {version}, this release reads {FORMAT_VERSION}"
        )
    try:
        return _decode(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MalformedError(f"the record cannot be read: {error!r}") from error


def encode_entry(entry: HistoryEntry) -> dict[str, object]:
    """Return a timeline entry as a JSON object."""
    return {
        "id": entry.id,
        "at": _stamp(entry.at),
        "event": entry.event,
        "reason": entry.reason,
        "details": entry.details,
    }


def decode_entry(document: Mapping[str, Any]) -> HistoryEntry:
    """Read a timeline entry; raises KeyError, TypeError or ValueError."""
    return HistoryEntry(
        id=str(document["id"]),
        at=_time(document["at"]),
        event=str(document["event"]),
        reason=str(document["reason"]),
        details=dict(document.get("details") or {}),
    )


def _encode_replica(replica: Replica) -> dict[str, object]:
    return {
        "region": replica.region.name,
        "state": replica.state.value,
        "reason": replica.reason,
        "progress": replica.progress,
        "intended": replica.intended,
        "managed": replica.managed,
        "attempts": replica.attempts,
        "lost_updates": replica.lost_updates,
        "rebuilding": replica.rebuilding,
        "replica_count": replica.replica_count,
        "storage_account_type": replica.storage_account_type,
        "planned_at": _stamp(replica.planned_at),
        "requested_at": _stamp(replica.requested_at),
        "copying_since": _stamp(replica.copying_since),
        "completed_at": _stamp(replica.completed_at),
        "failed_at": _stamp(replica.failed_at),
    }


def _decode_replica(document: Mapping[str, Any]) -> Replica:
    return Replica(
        region=Region.parse(document["region"]),
        state=ReplicaState(document["state"]),
        reason=str(document["reason"]),
        progress=_optional(document.get("progress"), int),
        intended=bool(document.get("intended")),
        managed=bool(document.get("managed")),
        attempts=int(document.get("attempts") or 0),
        lost_updates=int(document.get("lost_updates") or 0),
        rebuilding=bool(document.get("rebuilding")),
        replica_count=_optional(document.get("replica_count"), int),
        storage_account_type=document.get("storage_account_type"),
        planned_at=_time(document["planned_at"]),
        requested_at=_moment(document.get("requested_at")),
        copying_since=_moment(document.get("copying_since")),
        completed_at=_moment(document.get("completed_at")),
        failed_at=_moment(document.get("failed_at")),
    )


def _decode(document: Mapping[str, Any]) -> ReplicationJob:
    lease = document.get("lease")
    failure = document.get("failure")
    return ReplicationJob(
        image_version_id=ImageVersionId.parse(document["image_version_id"]),
        phase=Phase(document["phase"]),
        reason=str(document["reason"]),
        trigger=str(document["trigger"]),
        correlation_id=str(document["correlation_id"]),
        home_region=Region.parse(document["home_region"]),
        geography=document.get("geography"),
        replicas=tuple(_decode_replica(one) for one in document["replicas"]),
        left_out=tuple(
            LeftOutRegion(region=Region.parse(one["region"]), reason=str(one["reason"]))
            for one in document["left_out"]
        ),
        policy_fingerprint=str(document["policy_fingerprint"]),
        catalog_source=str(document["catalog_source"]),
        size_gb=_optional(document.get("size_gb"), int),
        sequence=int(document["sequence"]),
        revision=int(document["revision"]),
        claims=int(document["claims"]),
        attempts=int(document["attempts"]),
        writes=int(document["writes"]),
        polls=int(document["polls"]),
        failures_in_a_row=int(document["failures_in_a_row"]),
        arm_calls=int(document["arm_calls"]),
        started_at=_time(document["started_at"]),
        updated_at=_time(document["updated_at"]),
        deadline_at=_time(document["deadline_at"]),
        observed_at=_moment(document.get("observed_at")),
        next_attempt_at=_moment(document.get("next_attempt_at")),
        finished_at=_moment(document.get("finished_at")),
        lease=(
            Lease(owner=str(lease["owner"]), expires_at=_time(lease["expires_at"]))
            if lease
            else None
        ),
        look_again=bool(document["look_again"]),
        one_by_one=bool(document.get("one_by_one")),
        failure=(
            Failure(code=FailureCode(failure["code"]), message=str(failure["message"]))
            if failure
            else None
        ),
        withheld={
            Region.parse(one["region"]): (_time(one["until"]), str(one["reason"]))
            for one in document["withheld"]
        },
        entries=tuple(decode_entry(one) for one in document["entries"]),
    )


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _moment(text: str | None) -> datetime | None:
    return _time(text) if text is not None else None


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _optional[Value](value: object, convert: Callable[[Any], Value]) -> Value | None:
    return None if value is None else convert(value)
