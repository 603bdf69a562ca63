"""A job as a JSON document, and back."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from replication.domain.errors import FailureCode, MalformedError, NewerFormatError
from replication.domain.image_version import ImageVersionId
from replication.domain.job import (
    Failure,
    HistoryEntry,
    HomeReplicas,
    Lease,
    Phase,
    Place,
    Replica,
    ReplicaState,
    ReplicationJob,
)
from replication.domain.plan import LeftOutRegion
from replication.domain.regions import Region
from replication.domain.trace_context import TraceParent

FORMAT_VERSION = 1
_MAX_NAME = 256
_MAX_COUNT = 2**53
_MAX_LEVELS = 50


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
        "home": (
            {
                "replica_count": job.home.replica_count,
                "storage_account_type": job.home.storage_account_type,
            }
            if job.home
            else None
        ),
        "owner_tags": job.owner_tags,
        "budget_cleared": sorted(region.name for region in job.budget_cleared),
        "sequence": job.sequence,
        "revision": job.revision,
        "claims": job.claims,
        "attempts": job.attempts,
        "writes": job.writes,
        "polls": job.polls,
        "failures_in_a_row": job.failures_in_a_row,
        "unknown_in_a_row": job.unknown_in_a_row,
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
        "withdrawing": job.withdrawing,
        "place": ({"scope": job.place.scope, "number": job.place.number} if job.place else None),
        "letter_id": job.letter_id,
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
        "traceparent": str(job.traceparent) if job.traceparent else None,
    }
    return json.dumps(document, separators=(",", ":"))


def decode_job(text: str) -> ReplicationJob:
    """Read a job's JSON; raises MalformedError, or NewerFormatError for a newer release's.

    Strict: what is of another type is refused, not converted, for it would be written back so.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"the record is not JSON: {_clip(str(error))}") from error
    if not isinstance(document, dict):
        raise MalformedError("the record is not a JSON object")
    version = document.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise MalformedError("the record has no format version 'v'")
    if version > FORMAT_VERSION:
        raise NewerFormatError(
            f"the record has format {str(version)[:20]}, this release reads {FORMAT_VERSION}"
        )
    try:
        return _decode(document)
    except KeyError as error:
        raise MalformedError(f"the record cannot be read: it has no {error}") from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MalformedError(f"the record cannot be read: {_clip(str(error))}") from error


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
    details = document.get("details")
    return HistoryEntry(
        id=_text(document, "id"),
        at=_time(document, "at"),
        event=_text(document, "event"),
        reason=_text(document, "reason"),
        details=_shallow("details", _object("details", {} if details is None else details)),
    )


def _encode_replica(replica: Replica) -> dict[str, object]:
    return {
        "region": replica.region.name,
        "state": replica.state.value,
        "reason": replica.reason,
        "progress": replica.progress,
        "code": replica.code.value if replica.code else None,
        "intended": replica.intended,
        "managed": replica.managed,
        "attempts": replica.attempts,
        "lost_updates": replica.lost_updates,
        "rebuilding": replica.rebuilding,
        "replica_count": replica.replica_count,
        "storage_account_type": replica.storage_account_type,
        "planned_at": _stamp(replica.planned_at),
        "listed_at": _stamp(replica.listed_at),
        "removed_at": _stamp(replica.removed_at),
        "requested_at": _stamp(replica.requested_at),
        "copying_since": _stamp(replica.copying_since),
        "progressed_at": _stamp(replica.progressed_at),
        "stuck_since": _stamp(replica.stuck_since),
        "completed_at": _stamp(replica.completed_at),
        "failed_at": _stamp(replica.failed_at),
    }


def _decode_replica(document: Mapping[str, Any]) -> Replica:
    return Replica(
        region=Region.parse(document["region"]),
        state=ReplicaState(document["state"]),
        reason=_text(document, "reason"),
        progress=_or_none(_count, document, "progress"),
        code=FailureCode(document["code"]) if document.get("code") is not None else None,
        intended=_flag(document, "intended"),
        managed=_flag(document, "managed"),
        attempts=_or_none(_count, document, "attempts") or 0,
        lost_updates=_or_none(_count, document, "lost_updates") or 0,
        rebuilding=_flag(document, "rebuilding"),
        replica_count=_or_none(_count, document, "replica_count"),
        storage_account_type=_or_none(_name, document, "storage_account_type"),
        planned_at=_time(document, "planned_at"),
        listed_at=_or_none(_time, document, "listed_at"),
        removed_at=_or_none(_time, document, "removed_at"),
        requested_at=_or_none(_time, document, "requested_at"),
        copying_since=_or_none(_time, document, "copying_since"),
        progressed_at=_or_none(_time, document, "progressed_at"),
        stuck_since=_or_none(_time, document, "stuck_since"),
        completed_at=_or_none(_time, document, "completed_at"),
        failed_at=_or_none(_time, document, "failed_at"),
    )


def _decode(document: Mapping[str, Any]) -> ReplicationJob:
    lease = _or_none(_part, document, "lease")
    failure = _or_none(_part, document, "failure")
    place = _or_none(_part, document, "place")
    home = _or_none(_part, document, "home")
    tags = _or_none(_part, document, "owner_tags") or {}
    return ReplicationJob(
        image_version_id=ImageVersionId.parse(document["image_version_id"]),
        phase=Phase(document["phase"]),
        reason=_text(document, "reason"),
        trigger=_text(document, "trigger"),
        correlation_id=_text(document, "correlation_id"),
        home_region=Region.parse(document["home_region"]),
        geography=_or_none(_name, document, "geography"),
        replicas=tuple(_decode_replica(one) for one in _parts(document, "replicas")),
        left_out=tuple(
            LeftOutRegion(region=Region.parse(one["region"]), reason=_text(one, "reason"))
            for one in _parts(document, "left_out")
        ),
        policy_fingerprint=_name(document, "policy_fingerprint"),
        catalog_source=_text(document, "catalog_source"),
        size_gb=_or_none(_count, document, "size_gb"),
        home=(
            HomeReplicas(
                replica_count=_count(home, "replica_count"),
                storage_account_type=_name(home, "storage_account_type"),
            )
            if home
            else None
        ),
        budget_cleared=frozenset(
            Region.parse(one) for one in _or_none(_names, document, "budget_cleared") or ()
        ),
        owner_tags={name: _text(tags, name) for name in tags},
        sequence=_count(document, "sequence"),
        revision=_count(document, "revision"),
        claims=_count(document, "claims"),
        attempts=_count(document, "attempts"),
        writes=_count(document, "writes"),
        polls=_count(document, "polls"),
        failures_in_a_row=_count(document, "failures_in_a_row"),
        unknown_in_a_row=_or_none(_count, document, "unknown_in_a_row") or 0,
        arm_calls=_count(document, "arm_calls"),
        started_at=_time(document, "started_at"),
        updated_at=_time(document, "updated_at"),
        deadline_at=_time(document, "deadline_at"),
        observed_at=_or_none(_time, document, "observed_at"),
        next_attempt_at=_or_none(_time, document, "next_attempt_at"),
        finished_at=_or_none(_time, document, "finished_at"),
        lease=(
            Lease(owner=_text(lease, "owner"), expires_at=_time(lease, "expires_at"))
            if lease is not None
            else None
        ),
        look_again=_flag(document, "look_again"),
        one_by_one=_flag(document, "one_by_one"),
        withdrawing=_flag(document, "withdrawing"),
        place=(
            Place(scope=_text(place, "scope"), number=_count(place, "number"))
            if place is not None
            else None
        ),
        letter_id=_or_none(_text, document, "letter_id"),
        failure=(
            Failure(code=FailureCode(failure["code"]), message=_text(failure, "message"))
            if failure is not None
            else None
        ),
        withheld={
            Region.parse(one["region"]): (_time(one, "until"), _text(one, "reason"))
            for one in _parts(document, "withheld")
        },
        entries=tuple(decode_entry(one) for one in _parts(document, "entries")),
        # Whatever stands there: a trace that cannot be read costs the trace and never the job.
        traceparent=TraceParent.read(document.get("traceparent")),
    )


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _or_none[Value](
    read: Callable[[Mapping[str, Any], str], Value], document: Mapping[str, Any], name: str
) -> Value | None:
    """Read what a record may lack, or have as null."""
    return None if document.get(name) is None else read(document, name)


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {type(value).__name__}, not a text")
    return value


def _name(document: Mapping[str, Any], name: str) -> str:
    value = _text(document, name)
    if len(value) > _MAX_NAME:
        raise ValueError(f"{name} has {len(value)} characters, more than {_MAX_NAME}")
    value.encode()  # raises for half characters, which no table holds
    return value


def _count(document: Mapping[str, Any], name: str) -> int:
    value = document[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_COUNT:
        raise ValueError(f"{name} is not a whole number from 0 to {_MAX_COUNT}")
    return value


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {type(value).__name__}, not true or false")
    return value


def _time(document: Mapping[str, Any], name: str) -> datetime:
    moment = datetime.fromisoformat(_text(document, name))
    if moment.tzinfo is None:
        raise ValueError(f"{name} has no time zone")
    return moment.astimezone(UTC)


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _object(name, document[name])


def _parts(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = document[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} is {type(value).__name__}, not a list")
    return [_object(name, one) for one in value]


def _names(document: Mapping[str, Any], name: str) -> list[str]:
    value = document[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} is {type(value).__name__}, not a list")
    if not all(isinstance(one, str) for one in value):
        raise TypeError(f"{name} holds something that is no text")
    return value


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{name} is {type(value).__name__}, not an object")
    return value


def _shallow[Value](name: str, value: Value, levels: int = _MAX_LEVELS) -> Value:
    """Return the value; raises ValueError for what cannot be written as JSON again."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} holds {value}, which is no number of JSON")
    if isinstance(value, dict | list):
        if levels == 0:
            raise ValueError(f"{name} is nested deeper than {_MAX_LEVELS} levels")
        for one in value.values() if isinstance(value, dict) else value:
            _shallow(name, one, levels - 1)
    return value


def _clip(text: str) -> str:
    return text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]}…"
