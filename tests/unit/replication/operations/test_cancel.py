"""What a cancelled job's record looks like, whatever it was before."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import FailureCode
from replication.domain.job import (
    Failure,
    Lease,
    Phase,
    Place,
    Replica,
    ReplicaState,
    ReplicationJob,
)
from replication.domain.limits import Limits
from replication.domain.regions import Region
from replication.operations.cancel import cancelled
from replication.records.job_codec import decode_job, encode_job
from tests.support.builders import NOON
from tests.support.jobs import job
from tests.support.strategies import jobs

LATER = NOON + timedelta(hours=3)
LIMITS = Limits(deadline_s=3600)
DONE = (Phase.SUCCEEDED, Phase.SKIPPED, Phase.SUPERSEDED)


def cancel(of: ReplicationJob, *, remove: bool = False) -> tuple[ReplicationJob | None, str]:
    return cancelled(of, remove=remove, by="Casey", now=LATER, limits=LIMITS)


def busy() -> ReplicationJob:
    stuck = Replica(
        region=Region("westus3"),
        state=ReplicaState.REPLICATING,
        reason="",
        planned_at=NOON,
        stuck_since=NOON,
    )
    return job(
        phase=Phase.TRACKING,
        sequence=7,
        next_attempt_at=NOON,
        claims=9,
        writes=5,
        failures_in_a_row=3,
        look_again=True,
        place=Place(scope="s", number=7),
        lease=Lease(owner="worker-1", expires_at=LATER + timedelta(seconds=60)),
        replicas=(stuck,),
    )


def test_a_cancelled_job_is_claimed_by_nobody_and_no_message_is_for_it() -> None:
    after, reason = cancel(busy())
    assert after is not None
    assert reason == after.reason == "cancelled by Casey; Azure's list stays as it is"
    assert (after.phase, after.finished_at) == (Phase.CANCELLED, LATER)
    schedule = after.schedule
    assert (schedule.sequence, schedule.lease, schedule.next_attempt_at) == (8, None, None)
    assert (schedule.look_again, after.place, after.withdrawing) == (False, None, False)
    assert [one.stuck_since for one in after.replicas] == [None]
    assert after.entries[-1].event == "cancel"
    assert after.entries[-1].details == {"by": "Casey"}


def test_a_removal_has_a_deadline_and_budgets_of_its_own() -> None:
    after, reason = cancel(busy(), remove=True)
    assert after is not None
    assert reason == "cancelled by Casey; what was added and is not Completed is to be removed"
    assert (after.withdrawing, after.schedule.next_attempt_at) == (True, LATER)
    assert after.schedule.deadline_at == LATER + timedelta(seconds=3600)
    assert (after.tries.writes, after.tries.claims, after.tries.failures_in_a_row) == (0, 0, 0)


@pytest.mark.parametrize("phase", DONE)
def test_what_has_ended_well_cannot_be_cancelled(phase: Phase) -> None:
    assert cancel(job(phase=phase)) == (None, f"it has ended already: {phase.value}")


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.PARTIAL])
def test_what_ended_badly_can_be_and_needs_nobody_any_more(phase: Phase) -> None:
    locked = Failure(code=FailureCode.LOCKED, message="a lock")
    after, _ = cancel(job(phase=phase, failure=locked, letter_id="a1", finished_at=NOON))
    assert after is not None
    # The id stays, so that the letter is resolved even after a crash right here.
    assert (after.failure, after.letter_id) == (None, "a1")


def test_a_second_wish_changes_nothing_but_may_ask_for_the_removal() -> None:
    once, _ = cancel(busy())
    assert once is not None
    assert cancel(once) == (None, "it is cancelled already")
    removing, _ = cancel(once, remove=True)
    assert removing is not None
    assert removing.withdrawing
    for remove in (True, False):
        assert cancel(removing, remove=remove) == (None, "it is cancelled already")


@given(of=jobs(), remove=st.booleans())
def test_any_job_can_be_cancelled_unless_it_has_ended_well(
    of: ReplicationJob, *, remove: bool
) -> None:
    after, reason = cancel(of, remove=remove)
    assert reason
    if after is None:
        assert of.phase in (*DONE, Phase.CANCELLED)
        return
    assert (after.phase, after.schedule.lease, after.withdrawing) == (Phase.CANCELLED, None, remove)
    assert after.schedule.sequence > of.schedule.sequence
    assert (after.schedule.next_attempt_at is None) == (not remove)
    assert [one.region for one in after.replicas] == [one.region for one in of.replicas]
    assert decode_job(encode_job(after)) == after
    assert cancel(after, remove=remove)[0] is None
