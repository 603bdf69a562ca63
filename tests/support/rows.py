"""A row with something in every field, and rows that nobody can read."""

import json
from datetime import timedelta

from replication.domain.errors import FailureCode
from replication.domain.job import (
    Failure,
    HistoryEntry,
    Lease,
    Phase,
    Place,
    Replica,
    ReplicaState,
    ReplicationJob,
)
from replication.domain.plan import LeftOutRegion
from replication.domain.regions import Region
from replication.records.job_codec import FORMAT_VERSION, encode_job
from tests.support.builders import NOON, version_id
from tests.support.horrors import DOCUMENTS
from tests.support.jobs import job

BROKEN = version_id(image="broken")
HEALTHY = version_id()


def full_job() -> ReplicationJob:
    """Return a job with something in every field."""
    replica = Replica(
        region=Region("westus2"),
        state=ReplicaState.REPLICATING,
        reason="listed, not ready",
        progress=40,
        managed=True,
        code=FailureCode.COPY_FAILED,
        attempts=1,
        replica_count=1,
        storage_account_type="Standard_LRS",
        planned_at=NOON,
        requested_at=NOON,
        copying_since=NOON,
        progressed_at=NOON,
        stuck_since=NOON,
        completed_at=NOON,
        failed_at=NOON,
    )
    return job(
        BROKEN,
        phase=Phase.TRACKING,
        replicas=(replica,),
        left_out=(LeftOutRegion(region=Region("westus3"), reason="denied by the policy"),),
        size_gb=127,
        observed_at=NOON,
        next_attempt_at=NOON + timedelta(hours=1),
        finished_at=NOON,
        lease=Lease(owner="worker-1", expires_at=NOON),
        place=Place(scope="subscription", number=7),
        letter_id="0" * 32,
        failure=Failure(code=FailureCode.COPY_FAILED, message="no"),
        withheld={Region("westus3"): (NOON, "refused")},
        entries=(HistoryEntry(id="1", at=NOON, event="track", reason="r", details={"a": [1]}),),
    )


DOCUMENT = json.loads(encode_job(full_job()))
NEWER = json.dumps({"v": FORMAT_VERSION + 1, "job": {"of": "another shape"}})
UNREADABLE = [
    *DOCUMENTS,
    NEWER,
    json.dumps({**DOCUMENT, "phase": "dreaming"}),
    json.dumps(DOCUMENT)[:-1],
]
