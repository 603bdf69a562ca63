from dataclasses import replace
from decimal import Decimal

import pytest

from costs.estimate import RegionalReplicas, estimate_cost
from replication.errors import FailureCode
from replication.job import Failure, Phase, Replica, ReplicaState
from replication.outcomes import (
    REPLICA_COMPLETED,
    REPLICATION_COMPLETED,
    REPLICATION_FAILED,
    outcome_events,
)
from replication.regions import Region
from tests.builders import NOON, version_id
from tests.contracts.jobs import job


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


def test_an_unknown_size_has_no_price() -> None:
    estimate = estimate_cost(None, [RegionalReplicas()])
    assert (estimate.monthly, estimate.egress_once, estimate.currency) == (None, None, "USD")
    assert "not known before its creation has ended" in estimate.basis


def test_storage_is_priced_by_replica_and_the_transfer_by_region() -> None:
    estimate = estimate_cost(
        127,
        [
            RegionalReplicas(replica_count=2),
            RegionalReplicas(storage_account_type="Premium_LRS"),
            RegionalReplicas(storage_account_type="Standard_ZRS"),
        ],
    )
    # 127 GB times (2 * 0.05 + 0.145 + 0.05), rounded to the cent; 127 GB times 3 * 0.02.
    assert estimate.monthly == Decimal("37.46")
    assert estimate.egress_once == Decimal("7.62")
    assert "127 GB provisioned" in estimate.basis


def test_nothing_added_costs_nothing() -> None:
    estimate = estimate_cost(127, [])
    assert (estimate.monthly, estimate.egress_once) == (Decimal("0.00"), Decimal("0.00"))
