"""Scenarios on a fake clock: an operator cancels a replication."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bootstrap.app import build_app
from replication.domain.errors import ConflictError, FailureCode, PermanentError, TransientError
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.job import Phase
from replication.domain.limits import Limits
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import RegionCatalog
from replication.operations.cancel import Cancelled
from replication.ports import LetterState, QueueName
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import US_NEIGHBOURS, written_event
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID, export, states

SLOW = "westus3"


@dataclass
class WatchedGallery(MemoryGallery):
    """Lets something happen in the middle of a call."""

    during_read: list[Callable[[], object]] = field(default_factory=list)
    during_write: list[Callable[[], object]] = field(default_factory=list)

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        seen = super().read(version_id, catalog)
        if self.during_read:
            self.during_read.pop(0)()
        return seen

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        super().set_target_regions(version_id, entries)
        if self.during_write:
            self.during_write.pop(0)()


def watched(limits: Limits | None = None) -> tuple[World, WatchedGallery]:
    world = build_world(limits=limits)
    gallery = WatchedGallery(world.clock, slowness={SLOW: 20.0})
    ports = replace(world.app.ports, gallery=gallery)
    app = build_app(world.app.settings, ReplicationPolicy(), ports)
    return replace(world, app=app, gallery=gallery), gallery


def cancel(world: World, *, remove: bool = False) -> Cancelled:
    outcome = world.app.operations.canceller.cancel(ID.key, remove=remove, by="Casey")
    assert outcome is not None
    return outcome


def run_for(world: World, seconds: float) -> None:
    world.run(until=world.clock() + timedelta(seconds=seconds))


def in_flight(**body: Any) -> tuple[World, WatchedGallery]:
    """Export, and let everything be Completed but the slow region."""
    world, gallery = watched()
    export(world, **body)
    run_for(world, 7000)
    assert set(states(world).values()) == {"completed", "replicating"}
    return world, gallery


def test_a_job_that_nobody_knows_cannot_be_cancelled() -> None:
    world, _ = watched()
    assert world.app.operations.canceller.cancel("nobody's", remove=False, by="Casey") is None


def test_a_cancelled_job_is_left_alone_and_azures_list_stays() -> None:
    world, gallery = in_flight()
    reads = gallery.reads
    assert cancel(world) == Cancelled(
        done=True, stands=True, reason="cancelled by Casey; Azure's list stays as it is"
    )
    world.run()
    assert world.job(ID).phase is Phase.CANCELLED
    assert (gallery.reads, len(gallery.writes)) == (reads, 1)
    assert SLOW in gallery.names(ID)
    assert world.history.read(ID.key)[-1].event == "cancel"


def test_a_job_can_be_cancelled_before_its_first_look() -> None:
    world, gallery = watched()
    export(world)
    reads = gallery.reads
    cancel(world)
    world.run()
    assert (gallery.reads, gallery.writes) == (reads, [])
    assert world.job(ID).phase is Phase.CANCELLED


@pytest.mark.parametrize("remove", [False, True])
def test_a_worker_in_the_middle_of_a_look_loses_its_claim_and_writes_nothing(
    *, remove: bool
) -> None:
    world, gallery = watched()
    export(world, may_remove=True)
    gallery.during_read.append(lambda: cancel(world, remove=remove))
    message = world.queues.take()
    assert message is not None
    done = world.app.reconciler.reconcile(message)
    assert done.outcome == "lease_lost"
    assert gallery.writes == []
    world.run()
    job = world.job(ID)
    assert (job.phase, job.withdrawing) == (Phase.CANCELLED, False)
    assert gallery.writes == []
    assert "apply" not in [one.event for one in world.history.read(ID.key)]


def test_a_worker_that_follows_copies_records_nothing_either() -> None:
    world, gallery = in_flight()
    gallery.during_read.append(lambda: cancel(world))
    message = world.queues.take()
    assert message is not None
    assert world.app.reconciler.reconcile(message).outcome == "lease_lost"
    assert world.history.read(ID.key)[-1].event == "cancel"
    assert world.queues.waiting == []
    assert world.job(ID).phase is Phase.CANCELLED


def test_a_write_that_was_sent_already_is_not_recorded_and_not_sent_again() -> None:
    world, gallery = watched()
    export(world)
    gallery.during_write.append(lambda: cancel(world))
    world.run()
    assert len(gallery.writes) == 1
    assert world.job(ID).phase is Phase.CANCELLED
    assert [one.event for one in world.history.read(ID.key)] == ["planned", "cancel"]


def test_a_worker_that_fails_while_it_is_cancelled_leaves_nothing_for_a_person() -> None:
    world, gallery = watched()
    export(world)

    def cancel_and_fail() -> None:
        cancel(world)
        raise PermanentError("no right", code=FailureCode.NOT_AUTHORISED)

    gallery.during_read.append(cancel_and_fail)
    world.run()
    assert world.job(ID).phase is Phase.CANCELLED
    assert [one for one in world.letters.letters.values() if one.state is LetterState.OPEN] == []


def test_what_was_added_and_is_not_completed_is_removed_while_the_version_is_updating() -> None:
    world, gallery = in_flight(may_remove=True)
    foreign = {"name": "Sweden Central", "regionalReplicaCount": 2}
    body = gallery.bodies[str(ID).lower()]
    body["properties"]["publishingProfile"]["targetRegions"].append(foreign)
    assert cancel(world, remove=True).done
    world.run()
    job = world.job(ID)
    assert (job.phase, job.withdrawing) == (Phase.CANCELLED, False)
    assert job.schedule.next_attempt_at is None
    kept = {*US_NEIGHBOURS, "eastus", "swedencentral"} - {SLOW}
    assert set(gallery.names(ID)) == kept
    assert foreign in gallery.writes[-1]
    assert len(gallery.writes) == 2
    assert states(world)[SLOW] == "removed"
    removed = job.replica(next(one.region for one in job.replicas if one.region.name == SLOW))
    assert removed is not None
    assert removed.code is None
    assert "removed by someone" not in removed.reason


def test_the_removal_waits_while_a_queue_is_paused() -> None:
    world, gallery = in_flight(may_remove=True)
    world.app.pauses.pause(QueueName.JOBS, by="operator", reason="an incident")
    assert cancel(world, remove=True).done
    world.run(until=world.clock() + timedelta(minutes=10))
    assert (len(gallery.writes), world.job(ID).withdrawing) == (1, True)
    world.app.pauses.resume(QueueName.JOBS, by="operator")
    world.run()
    assert (len(gallery.writes), world.job(ID).withdrawing) == (2, False)
    assert states(world)[SLOW] == "removed"


def test_a_region_that_was_there_before_is_never_removed() -> None:
    world, gallery = watched()
    export(world, may_remove=True, regions=[{"name": "East US"}, {"name": "westus2"}])
    gallery.slowness = {"westus2": 50.0, SLOW: 50.0}
    gallery._started[str(ID).lower(), "westus2"] = world.clock()
    run_for(world, 1500)
    cancel(world, remove=True)
    world.run()
    assert "westus2" in gallery.names(ID)
    assert SLOW not in gallery.names(ID)


def test_a_copy_that_is_completed_by_the_time_of_the_removal_stays() -> None:
    world, gallery = in_flight(may_remove=True)
    cancel(world, remove=True)
    world.clock.advance(20 * 420)
    world.run()
    assert SLOW in gallery.names(ID)
    assert len(gallery.writes) == 1
    assert world.job(ID).reason == "cancelled; nothing that was added is left unfinished"


def test_a_conflict_with_another_writer_is_waited_out() -> None:
    world, gallery = in_flight(may_remove=True)
    gallery.write_failures = [ConflictError("Updating", code="Conflict") for _ in range(3)]
    cancel(world, remove=True)
    run_for(world, 5)
    assert SLOW in gallery.names(ID)
    assert (world.job(ID).phase, world.job(ID).withdrawing) == (Phase.CANCELLED, True)
    world.run()
    assert SLOW not in gallery.names(ID)


def test_a_lost_removal_is_seen_and_made_again() -> None:
    world, gallery = in_flight(may_remove=True)
    gallery.lose_next_write = True
    cancel(world, remove=True)
    world.run()
    assert SLOW not in gallery.names(ID)
    assert len(gallery.writes) == 3


def test_a_version_whose_safety_profile_forbids_it_keeps_its_regions_and_says_so() -> None:
    world, gallery = in_flight(may_remove=False)
    cancel(world, remove=True)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.CANCELLED
    assert job.reason == (
        "cancelled; the version's safety profile keeps westus3 from being removed"
    )
    assert SLOW in gallery.names(ID)
    assert len(gallery.writes) == 1


def test_a_removal_that_is_refused_ends_with_the_reason_and_without_a_letter() -> None:
    world, gallery = in_flight(may_remove=True)
    gallery.write_failures = [PermanentError("a lock is there", code=FailureCode.LOCKED)]
    cancel(world, remove=True)
    world.run()
    job = world.job(ID)
    assert (job.phase, job.failure, job.withdrawing) == (Phase.CANCELLED, None, False)
    assert "a lock is there" in job.reason
    assert world.letters.letters == {}


def test_a_removal_whose_message_was_lost_is_found_by_the_sweep() -> None:
    world, gallery = in_flight(may_remove=True)
    world.queues.failures = [TransientError("storage blip")]
    with pytest.raises(TransientError):
        cancel(world, remove=True)
    world.clock.advance(600)
    world.app.sweep.run()
    world.run()
    assert SLOW not in gallery.names(ID)


def test_cancelling_again_makes_good_what_a_crash_left_undone() -> None:
    world, gallery = in_flight(may_remove=True)
    world.queues.failures = [TransientError("storage blip")]
    with pytest.raises(TransientError):
        cancel(world, remove=True)
    again = cancel(world, remove=True)
    assert (again.done, again.reason) == (False, "it is cancelled already")
    world.run()
    assert SLOW not in gallery.names(ID)


@pytest.mark.parametrize("remove", [False, True])
def test_events_and_the_sweep_do_not_bring_a_cancelled_job_back(*, remove: bool) -> None:
    world, gallery = in_flight(may_remove=True)
    cancel(world, remove=remove)
    world.run()
    writes, reads = len(gallery.writes), gallery.reads
    for _ in range(3):
        world.clock.advance(7200)
        taken = world.app.intake.receive(written_event(ID, at=world.clock()), {})
        assert taken.action == "ignored"
        assert "was cancelled" in taken.reason
        world.app.sweep.run()
        world.run()
    assert (len(gallery.writes), gallery.reads) == (writes, reads)
    assert world.job(ID).phase is Phase.CANCELLED


@pytest.mark.parametrize("remove", [False, True])
def test_an_operator_can_bring_a_cancelled_job_back(*, remove: bool) -> None:
    world, gallery = in_flight(may_remove=True)
    cancel(world, remove=remove)
    world.run()
    world.clock.advance(7200)
    gallery.slowness = {}
    taken = world.app.intake.request(ID, trigger="operator", correlation_id="c")
    assert taken.action == "queued"
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")


def test_a_job_that_succeeded_cannot_be_cancelled() -> None:
    world, gallery = watched()
    export(world, may_remove=True)
    world.run()
    outcome = cancel(world, remove=True)
    assert outcome == Cancelled(done=False, reason="it has ended already: succeeded")
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(gallery.writes) == 1


def test_the_letter_of_a_failed_job_that_is_cancelled_needs_nobody_any_more() -> None:
    world, gallery = watched()
    export(world)
    gallery.read_failures = [PermanentError("no right", code=FailureCode.NOT_AUTHORISED)]
    world.run()
    assert world.job(ID).phase is Phase.FAILED
    cancel(world)
    (letter,) = world.letters.letters.values()
    assert letter.state is LetterState.RESOLVED
    assert letter.state_reason == "cancelled by Casey; Azure's list stays as it is"
    assert world.job(ID).failure is None


@pytest.mark.parametrize("remove", [False, True])
def test_a_cancelled_job_is_not_counted_as_stuck(*, remove: bool) -> None:
    world, gallery = watched()
    gallery.slowness = {SLOW: 10_000.0}
    export(world)
    run_for(world, 3 * 3600)
    assert any(one.stuck_since for one in world.job(ID).replicas)
    cancel(world, remove=remove)
    # What the version's safety profile keeps stands still on; nobody looks at it any more.
    world.run()
    assert world.job(ID).phase is Phase.CANCELLED
    assert not any(one.stuck_since for one in world.job(ID).replicas)
    world.clock.advance(86_400)
    assert world.app.sweep.run().stuck == 0
