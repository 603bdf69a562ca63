from dataclasses import replace

import pytest

from replication.domain.errors import FailureCode
from replication.domain.job import Failure, Phase, Replica, ReplicaState
from replication.domain.regions import Region
from replication.reconcile.outcome_events import (
    REPLICA_COMPLETED,
    REPLICATION_COMPLETED,
    REPLICATION_FAILED,
    outcome_events,
)
from tests.support.builders import NOON, version_id
from tests.support.jobs import job


def replica(name: str, state: ReplicaState) -> Replica:
    return Replica(region=Region(name), state=state, reason="", managed=True, planned_at=NOON)


BEFORE = job(
    phase=Phase.TRACKING,
    revision=4,
    replicas=(
        replica("westus2", ReplicaState.COMPLETED),
        replica("westus3", ReplicaState.REPLICATING),
    ),
)


def test_no_change_is_no_news() -> None:
    assert outcome_events(BEFORE, BEFORE) == ()


def test_a_replica_that_became_completed_is_news_once() -> None:
    done = replica("westus3", ReplicaState.COMPLETED)
    fresh = replica("eastus2", ReplicaState.COMPLETED)
    after = replace(BEFORE.with_replicas(done, fresh), revision=5)
    events = outcome_events(BEFORE, after)
    assert [(event.type, event.data["region"]) for event in events] == [
        (REPLICA_COMPLETED, "eastus2"),
        (REPLICA_COMPLETED, "westus3"),
    ]
    assert events[1].id == f"{BEFORE.key}-5-westus3"
    assert events[1].subject == str(version_id())
    assert outcome_events(after, after) == ()


def test_success_is_news_with_its_regions() -> None:
    (event,) = outcome_events(BEFORE, replace(BEFORE, phase=Phase.SUCCEEDED))
    assert event.type == REPLICATION_COMPLETED
    assert event.data == {
        "imageVersionId": str(version_id()),
        "geography": "United States",
        "homeRegion": "eastus",
        "correlationId": "corr-1",
        "phase": "succeeded",
        "reason": BEFORE.reason,
        "completed_regions": ["westus2"],
    }


@pytest.mark.parametrize("phase", [Phase.PARTIAL, Phase.FAILED])
def test_failure_is_news_with_its_code(phase: Phase) -> None:
    failure = Failure(code=FailureCode.COPY_FAILED, message="m")
    (event,) = outcome_events(BEFORE, replace(BEFORE, phase=phase, failure=failure))
    assert (event.type, event.data["code"]) == (REPLICATION_FAILED, "copy_failed")


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.SKIPPED, Phase.SUPERSEDED, Phase.FAILED])
def test_other_ends_are_no_news(phase: Phase) -> None:
    assert outcome_events(BEFORE, replace(BEFORE, phase=phase)) == ()
