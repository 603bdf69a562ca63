"""Scenarios on a fake clock: nothing is written to a gallery that the policy leaves out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.app import build_app
from replication.domain.image_version import (
    CopyState,
    ImageVersion,
    ProvisioningState,
    RegionalReplicationStatus,
)
from replication.domain.job import Phase, Replica, ReplicationJob
from replication.domain.message import JobMessage
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.reconcile.reconciler import LookOutcome
from tests.support.arm.gallery import MemoryGallery
from tests.support.builders import SUBSCRIPTION, version_body
from tests.support.fakes import World, build_world
from tests.support.jobs import altered
from tests.support.scenarios.steps import ID, export, states
from tests.support.speed import examples
from tests.support.strategies import image_versions, jobs

DETACHED = ReplicationPolicy(galleries=GalleryScope(detach=("lab*",)))


def under(policy: ReplicationPolicy, world: World) -> World:
    """Start the app again with another policy, on what it left."""
    return replace(world, app=build_app(world.app.settings, policy, world.app.ports))


def test_a_withdrawal_ends_without_a_write_where_the_policy_came_to_leave_the_gallery_out() -> None:
    world = build_world()
    world.gallery.copy_s = 20_000
    export(world, may_remove=True)
    world.run(until=world.clock() + timedelta(seconds=300))
    listed = world.gallery.names(ID)
    writes = len(world.gallery.writes)
    outcome = world.app.operations.canceller.cancel(ID.key, remove=True, by="Casey")
    assert outcome is not None
    world = under(DETACHED, world)
    world.run()
    job = world.job(ID)
    assert (job.phase, job.withdrawing) == (Phase.CANCELLED, False)
    assert job.reason == (
        "cancelled; nothing is removed: gallery labgallery is detached by the policy ('lab*')"
    )
    assert len(world.gallery.writes) == writes
    assert world.gallery.names(ID) == listed
    assert "removed" not in states(world).values()


@pytest.mark.parametrize("withdrawing", [True, False])
def test_a_subscription_that_is_not_allowed_is_written_to_as_little(*, withdrawing: bool) -> None:
    world = build_world()
    world.gallery.copy_s = 20_000
    export(world, may_remove=True)
    world.run(until=world.clock() + timedelta(seconds=300))
    writes = len(world.gallery.writes)
    if withdrawing:
        world.app.operations.canceller.cancel(ID.key, remove=True, by="Casey")
    elsewhere = replace(world.app.settings, allowed_subscriptions=frozenset({"other"}))
    world = replace(world, app=build_app(elsewhere, ReplicationPolicy(), world.app.ports))
    world.run()
    assert len(world.gallery.writes) == writes
    assert world.job(ID).phase in (Phase.CANCELLED, Phase.SKIPPED)


class SeenGallery(MemoryGallery):
    """Shows one version as it is told to."""

    shown: ImageVersion

    def read(self, *_: object) -> ImageVersion:
        return self.shown


PATTERNS = st.sampled_from(
    ["*", "lab*", "labgallery", "other*", ID.gallery_id, "/subscriptions/x*"]
)
POLICIES = st.builds(
    ReplicationPolicy,
    galleries=st.builds(
        GalleryScope,
        attach=st.lists(PATTERNS, max_size=2).map(tuple),
        detach=st.lists(PATTERNS, max_size=2).map(tuple),
    ),
)
ALLOWED = st.sampled_from([(), (SUBSCRIPTION,), ("other",)]).map(frozenset)


def under_way(job: ReplicationJob, version: ImageVersion) -> tuple[ReplicationJob, ImageVersion]:
    """Return them with copies that this app asked for and may take out again."""
    at = job.started_at
    replicas = [
        Replica(region=region, reason="", planned_at=at, managed=True, requested_at=at)
        for region in sorted(version.listed - {version.home_region})
    ]
    copying = RegionalReplicationStatus(state=CopyState.REPLICATING, progress=1, details="")
    seen = replace(
        version,
        provisioning_state=ProvisioningState.UPDATING,
        replication=dict.fromkeys(version.listed, copying),
        may_remove_regions=True,
    )
    return replace(job, phase=Phase.CANCELLED, replicas=tuple(replicas)), seen


@given(
    job=jobs(),
    version=image_versions(ID),
    policy=POLICIES,
    allowed=ALLOWED,
    withdrawing=st.booleans(),
    running=st.booleans(),
    late_h=st.integers(min_value=-200, max_value=200),
)
@settings(max_examples=examples(100))
def test_whatever_is_on_record_a_write_means_that_the_policy_wants_the_gallery(
    *,
    job: ReplicationJob,
    version: ImageVersion,
    policy: ReplicationPolicy,
    allowed: frozenset[str],
    withdrawing: bool,
    running: bool,
    late_h: int,
) -> None:
    world = build_world()
    now = world.clock()
    if running:
        job, version = under_way(job, version)
    world.store.insert(
        altered(
            replace(job, image_version_id=ID, withdrawing=withdrawing),
            lease=None,
            claims=0,
            writes=0,
            next_attempt_at=now,
            deadline_at=now + timedelta(hours=late_h),
        )
    )
    gallery = SeenGallery(world.clock)
    gallery.add(ID, version_body())
    gallery.shown = version
    ports = replace(world.app.ports, gallery=gallery)
    app = build_app(replace(world.app.settings, allowed_subscriptions=allowed), policy, ports)
    message = JobMessage(image_version_id=ID, sequence=job.schedule.sequence)
    done = app.reconciler.reconcile(message)
    wanted = not app.policy.why_out_of_scope(ID)
    assert wanted or gallery.attempts == 0
    assert wanted or done.outcome not in (
        LookOutcome.APPLY,
        LookOutcome.REPAIR,
        LookOutcome.WITHDRAW,
    )
