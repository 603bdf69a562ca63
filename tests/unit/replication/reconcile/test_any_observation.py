"""Whatever is seen, in whatever order: a decision with a reason, and no illegal transition."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region
from replication.domain.target_regions import NewRegion
from replication.reconcile.decide import decide
from replication.reconcile.decision import (
    Apply,
    Decision,
    GiveUp,
    Observation,
    Partial,
    Repair,
    Skip,
    Succeed,
    Supersede,
)
from replication.reconcile.error_decision import decide_on_error
from replication.reconcile.observe import absorb, withheld_regions
from replication.reconcile.transitions import concluded, intend, withhold
from replication.records.job_codec import decode_job, encode_job
from tests.support.builders import NOON, passing_error, version_id
from tests.support.jobs import job as plain_job
from tests.support.speed import examples
from tests.support.strategies import CHANCES, LIMITS, REGIONS, image_versions, jobs

CATALOG = shipped_catalog()
ENDS = {
    Succeed: Phase.SUCCEEDED,
    Partial: Phase.PARTIAL,
    Skip: Phase.SKIPPED,
    Supersede: Phase.SUPERSEDED,
    GiveUp: Phase.FAILED,
}
POLICIES = st.builds(
    ReplicationPolicy,
    extra_regions=st.frozensets(REGIONS, max_size=2),
    denied_regions=st.frozensets(REGIONS, max_size=2),
    repair_failed_regions=st.booleans(),
    restore_removed_regions=st.booleans(),
)


def observe(
    job: ReplicationJob,
    version: ImageVersion | None,
    *,
    policy: ReplicationPolicy,
    limits: Limits,
    now: datetime,
    chance: float,
) -> Observation:
    """Look at a version as a worker does."""
    planned = None
    if version is not None:
        withheld = withheld_regions(job, version, policy, now=now)
        planned = plan(PlanSubject.of(version), policy, CATALOG, withheld)
        job = absorb(job, version, planned, policy=policy, now=now, limits=limits)
    return Observation(
        job=job,
        version=version,
        plan=planned,
        now=now,
        limits=limits,
        repair_allowed=policy.repair_failed_regions,
        chance=chance,
    )


def check(seen: Observation, decision: Decision, limits: Limits) -> None:
    assert decision.reason
    after_s = getattr(decision, "after_s", None)
    if after_s is not None:
        assert 0 <= after_s <= max(limits.tracking_max_s, limits.retry_max_s)
    if isinstance(decision, Apply):
        assert decision.regions
        assert seen.plan is not None
        assert decision.regions <= seen.plan.wanted_regions
    if isinstance(decision, Repair):
        assert seen.version is not None
        assert seen.version.may_remove_regions
        assert decision.region != seen.version.home_region
        replica = seen.job.replica(decision.region)
        assert replica is not None
        assert replica.managed


@given(
    job=jobs(),
    version=st.none() | image_versions(version_id()),
    policy=POLICIES,
    limits=LIMITS,
    chance=CHANCES,
    hours=st.floats(min_value=0, max_value=100_000),
)
def test_any_observation_gives_a_decision_with_a_reason(
    *,
    job: ReplicationJob,
    version: ImageVersion | None,
    policy: ReplicationPolicy,
    limits: Limits,
    chance: float,
    hours: float,
) -> None:
    now = job.started_at + timedelta(hours=hours)
    seen = observe(job, version, policy=policy, limits=limits, now=now, chance=chance)
    decision = decide(seen)
    check(seen, decision, limits)
    after = concluded(seen.job, decision, now=now, limits=limits)
    assert decode_job(encode_job(after)) == after


@given(
    job=jobs(),
    limits=LIMITS,
    chance=CHANCES,
    kind=st.sampled_from(["throttled", "conflict", "failed"]),
    asked_s=st.none() | st.floats(min_value=0, max_value=86400),
)
def test_any_error_gives_a_decision_with_a_reason(
    job: ReplicationJob, limits: Limits, chance: float, kind: str, asked_s: float | None
) -> None:
    decision = decide_on_error(
        job,
        passing_error(kind, "message", code="code", retry_after_s=asked_s),
        now=job.updated_at,
        limits=limits,
        chance=chance,
    )
    assert decision.reason
    assert concluded(job, decision, now=job.updated_at, limits=limits).reason == decision.reason


STEPS = st.tuples(
    st.none() | image_versions(version_id()),
    st.floats(min_value=0, max_value=50_000),
    CHANCES,
    st.sampled_from(["step", "crash", "refused", "failed", "conflict"]),
)


@settings(max_examples=examples(60))
@given(steps=st.lists(STEPS, max_size=12), policy=POLICIES, limits=LIMITS)
def test_no_sequence_of_observations_leads_to_an_illegal_transition(
    steps: list[tuple[ImageVersion | None, float, float, str]],
    policy: ReplicationPolicy,
    limits: Limits,
) -> None:
    job, now = plain_job(), NOON
    for version, pause_s, chance, what in steps:
        now += timedelta(seconds=pause_s)
        before = job
        seen = observe(job, version, policy=policy, limits=limits, now=now, chance=chance)
        decision = decide(seen)
        check(seen, decision, limits)
        job = seen.job
        if isinstance(decision, Apply):
            new = [NewRegion(region=region) for region in decision.regions]
            job = intend(job, new, decision.reason, now=now)
        if what == "crash":
            continue
        if what == "refused" and isinstance(decision, Apply):
            job = withhold(job, decision.regions, "refused", until=now + timedelta(hours=1))
        if what in ("failed", "conflict"):
            decision = decide_on_error(
                job,
                passing_error(what, "message", code="code"),
                now=now,
                limits=limits,
                chance=chance,
            )
        job = concluded(job, decision, now=now, limits=limits)
        check_record(before, job, decision)


def check_record(before: ReplicationJob, job: ReplicationJob, decision: Decision) -> None:
    assert job.schedule.sequence == before.schedule.sequence + 1
    assert job.revision == before.revision + 1
    assert job.phase is not Phase.PLANNED
    assert job.phase.is_end is (type(decision) in ENDS)
    if type(decision) in ENDS:
        assert job.phase is ENDS[type(decision)]
    assert (job.finished_at is not None) is job.phase.is_end
    assert (job.schedule.next_attempt_at is None) is job.phase.is_end
    assert (job.failure is not None) is isinstance(decision, GiveUp | Partial)
    assert job.schedule.lease is None
    *earlier, entry = job.entries
    assert tuple(earlier) == before.entries[-2:]
    assert entry.reason == decision.reason == job.reason
    regions = [one.region for one in job.replicas]
    assert regions == sorted(set(regions))
    for replica in job.replicas:
        if replica.state is ReplicaState.COMPLETED:
            assert replica.completed_at is not None
        if isinstance(decision, Supersede):
            assert replica.state is ReplicaState.REMOVED


@given(version=image_versions(version_id()), policy=POLICIES, limits=LIMITS)
def test_nothing_but_a_completed_copy_in_the_list_counts_as_done(
    version: ImageVersion, policy: ReplicationPolicy, limits: Limits
) -> None:
    seen = observe(plain_job(), version, policy=policy, limits=limits, now=NOON, chance=0.5)
    if isinstance(decide(seen), Succeed):
        assert seen.plan is not None
        for region in seen.plan.wanted_regions:
            assert region in version.listed
            assert version.replication[region].state == "Completed"


@given(version=image_versions(version_id()))
def test_a_denied_region_is_never_asked_for(version: ImageVersion) -> None:
    denied = frozenset({Region("westus2"), Region("westus3")})
    policy = ReplicationPolicy(denied_regions=denied, extra_regions=denied)
    seen = observe(plain_job(), version, policy=policy, limits=Limits(), now=NOON, chance=0)
    decision = decide(seen)
    if isinstance(decision, Apply):
        assert not decision.regions & denied


def test_the_same_version_under_another_letter_case_is_the_same_job() -> None:
    loud = ImageVersionId.parse(str(version_id()).upper())
    job = plain_job()
    assert replace(job, image_version_id=loud).job_id == job.job_id
