"""Outcome events: a replica is usable, a replication came to an end; others may subscribe."""

from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.ports import OutcomeEvent

REPLICA_COMPLETED = "GalleryReplicator.ReplicaCompleted"
REPLICATION_COMPLETED = "GalleryReplicator.ReplicationCompleted"
REPLICATION_FAILED = "GalleryReplicator.ReplicationFailed"


def outcome_events(before: ReplicationJob, after: ReplicationJob) -> tuple[OutcomeEvent, ...]:
    """Return what became news between two records of a job."""
    events = []
    for replica in after.replicas:
        old = before.replica(replica.region)
        was_completed = old is not None and old.state is ReplicaState.COMPLETED
        if replica.state is ReplicaState.COMPLETED and not was_completed:
            data = {"region": replica.region.name, "managed": replica.managed}
            events.append(_event(after, REPLICA_COMPLETED, replica.region.name, data))
    if after.phase is not before.phase:
        data = {
            "phase": after.phase.value,
            "reason": after.reason,
            "completed_regions": [
                one.region.name for one in after.replicas if one.state is ReplicaState.COMPLETED
            ],
        }
        if after.phase is Phase.SUCCEEDED:
            events.append(_event(after, REPLICATION_COMPLETED, "job", data))
        if after.phase in (Phase.PARTIAL, Phase.FAILED) and after.failure is not None:
            data["code"] = after.failure.code.value
            events.append(_event(after, REPLICATION_FAILED, "job", data))
    return tuple(events)


def _event(
    job: ReplicationJob, event_type: str, part: str, data: dict[str, object]
) -> OutcomeEvent:
    return OutcomeEvent(
        id=f"{job.key}-{job.revision}-{part}",
        type=event_type,
        subject=str(job.image_version_id),
        at=job.updated_at,
        data={
            "imageVersionId": str(job.image_version_id),
            "geography": job.geography,
            "homeRegion": job.home_region.name,
            "correlationId": job.correlation_id,
            **data,
        },
    )
