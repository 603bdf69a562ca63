"""Worlds with every kind of trouble that the pages show."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from replication.domain.errors import FailureCode, Operation
from replication.domain.image_version import ImageVersionId
from replication.domain.job import (
    Failure,
    HistoryEntry,
    Phase,
    Replica,
    ReplicaState,
    ReplicationJob,
    Schedule,
)
from replication.domain.plan import LeftOutRegion
from replication.domain.policy import Budget, ReplicationPolicy
from replication.domain.regions import Region
from replication.guards.admission import GATES
from replication.guards.budget_guard import SPENDINGS
from replication.guards.budgets import Spending
from replication.guards.circuits import Circuit, CircuitFailure
from replication.guards.region_health import CIRCUITS, REFUSALS, Refusal
from replication.guards.throttling import Gate, ThrottleScope
from replication.ports import LetterAction, LetterQuery, QueueName
from tests.support.builders import SUBSCRIPTION, version_id
from tests.support.fakes import World, build_world
from tests.support.letter_worlds import lay_event, lay_unreadable_message

HOSTILE = "\"'><script>alert(1)</script>{{7*7}}"
POLICY = ReplicationPolicy(
    denied_regions=frozenset({Region("westus"), Region("westus3")}),
    extra_regions=frozenset({Region("uksouth")}),
    budgets=(Budget(name="all labs", monthly=Decimal(100)),),
)


def add_job(
    world: World,
    number: int = 1,
    *,
    image: str = "maths",
    gallery: str = "labgallery",
    phase: Phase = Phase.TRACKING,
    stuck: bool = False,
    reason: str = "following the copies",
    code: FailureCode | None = None,
    region: str = "westus2",
) -> ReplicationJob:
    """Put a job on record and into the listing, with one copy under way and one done."""
    now = world.clock()
    begun = now - timedelta(hours=2)
    target = version_id(gallery=gallery, image=image, version=f"1.0.{number}")
    copying = Replica(
        region=Region(region),
        state=ReplicaState.FAILED if code else ReplicaState.REPLICATING,
        reason="Azure says: replicating",
        progress=40,
        managed=True,
        code=code,
        attempts=1,
        planned_at=begun,
        requested_at=begun,
        copying_since=begun,
        progressed_at=begun + timedelta(minutes=40),
        stuck_since=begun + timedelta(minutes=40) if stuck else None,
    )
    done = Replica(
        region=Region("centralus"),
        state=ReplicaState.COMPLETED,
        reason="Azure says: completed",
        progress=100,
        managed=True,
        planned_at=begun,
        completed_at=now - timedelta(minutes=30),
    )
    job = ReplicationJob(
        image_version_id=target,
        phase=phase,
        reason=reason,
        trigger="a test",
        correlation_id="corr-1",
        home_region=Region("eastus"),
        geography="United States",
        replicas=(done, copying),
        left_out=(LeftOutRegion(region=Region("westus3"), reason="denied by the policy"),),
        policy_fingerprint=world.app.policy.fingerprint,
        catalog_source="a test",
        size_gb=127,
        started_at=begun,
        updated_at=now,
        schedule=Schedule(
            deadline_at=begun + timedelta(hours=24),
            next_attempt_at=None if phase.is_end else now + timedelta(minutes=5),
        ),
        finished_at=now if phase.is_end else None,
        failure=Failure(code=code, message="refused by the test") if code else None,
        entries=(
            HistoryEntry(
                id="1", at=begun, event="planned", reason="two to add", details={"regions": 2}
            ),
        ),
    )
    job = replace(job, revision=1)
    world.store.insert(job)
    world.app.listing.note(job)
    return job


def lay_letter(world: World, job: ReplicationJob) -> str:
    """Lay the dead letter of a job that failed; returns its id."""
    assert job.failure is not None
    letter = world.app.desk.job(job, job.entries)
    stored = world.store.load(job.key)
    assert stored is not None
    changed = replace(job, letter_id=letter.id, revision=2)
    world.store.replace(stored, changed)
    world.app.listing.note(changed)
    return letter.id


def hold_region(world: World, region: str = "westus2") -> None:
    """Open the circuit of a region."""
    now = world.clock()
    failures = tuple(CircuitFailure(key=f"{n}" * 32, at=now) for n in range(5))
    circuit = Circuit(
        region=Region(region),
        failures=failures,
        opened_at=now - timedelta(minutes=10),
        probe_at=now + timedelta(minutes=20),
        holds=1,
    )
    world.app.shared_state.put(CIRCUITS, circuit)


def troubled_world(*, word: str = "a word") -> World:
    """Return a world in which something of everything is wrong; `word` stands wherever one can."""
    world = build_world(policy=POLICY)
    state = world.app.shared_state
    add_job(world, 1)
    add_job(world, 2, stuck=True, reason=word)
    reason = f"westus2 failed: {word}"
    failed = add_job(world, 3, phase=Phase.FAILED, code=FailureCode.COPY_FAILED, reason=reason)
    lay_letter(world, failed)
    reason = f"the budget holds it: {word}"
    held = add_job(world, 4, phase=Phase.WAITING, code=FailureCode.BUDGET_EXCEEDED, reason=reason)
    lay_letter(world, held)
    add_job(world, 5, phase=Phase.SUCCEEDED)
    lay_event(world, cause=f"it names no version: {word}")
    letter = lay_unreadable_message(world)
    world.letters.put(replace(letter, image_version_id=word, raw=word))
    hold_region(world)
    state.put(
        REFUSALS,
        Refusal(
            subscription_id=SUBSCRIPTION,
            region=Region("westus3"),
            until=world.clock() + timedelta(hours=3),
            reason=f"not available: {word}",
        ),
    )
    state.put(
        GATES,
        Gate(
            scope=ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.WRITE),
            closed_until=world.clock() + timedelta(minutes=2),
            reason=f"429: {word}",
            refusals=1,
        ),
    )
    failures = (CircuitFailure(key="0" * 32, at=world.clock()),)
    state.put(CIRCUITS, Circuit(region=Region("eastus2"), failures=failures))
    state.put(
        SPENDINGS,
        Spending(
            budget="all labs",
            gallery_id=None,
            month="2026-11",
            currency="USD",
            counted_at=world.clock(),
            counted=Decimal("12.50"),
            unpriced=2,
        ),
    )
    operations = world.app.operations
    operations.pause(QueueName.JOBS, by="operator 1", reason=f"a pause: {word}")
    none = LetterQuery(code="locked")
    token = world.app.dead_letters.select(none, LetterAction.REPLAY).token
    operations.act_on_selection(none, LetterAction.REPLAY, token, by="operator 2")
    operations.release(first_version().key, by="app 3")
    return world


def rename_images(world: World, name: str) -> None:
    """Give every image in the listing a name that Azure would not take."""
    for key, row in world.listing.rows.items():
        if "image" in row.document:
            named = {**row.document, "image": name, "gallery": name}
            world.listing.rows[key] = replace(row, document=named)


def first_version() -> ImageVersionId:
    """Return the version of the first job of a troubled world."""
    return version_id(version="1.0.1")
