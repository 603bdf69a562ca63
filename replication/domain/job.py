"""A replication job and its replicas: their states, and which states may follow which."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from replication.domain.errors import FailureCode, ReplicationError
from replication.domain.image_version import ImageVersionId
from replication.domain.limits import Limits
from replication.domain.plan import LeftOutRegion
from replication.domain.regions import Region
from replication.domain.trace_context import TraceParent


class IllegalTransitionError(ReplicationError):
    """A state was to follow another that it may not follow."""


class Phase(StrEnum):
    """How far a job is."""

    PLANNED = "planned"
    APPLYING = "applying"
    TRACKING = "tracking"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether the job is over, until something makes it look again."""
        return self in _ENDS


_ENDS = frozenset(
    {
        Phase.SUCCEEDED,
        Phase.PARTIAL,
        Phase.SKIPPED,
        Phase.SUPERSEDED,
        Phase.FAILED,
        Phase.CANCELLED,
    }
)


class ReplicaState(StrEnum):
    """How far one regional replica is."""

    PLANNED = "planned"
    REQUESTED = "requested"
    REPLICATING = "replicating"
    COMPLETED = "completed"
    FAILED = "failed"
    REMOVED = "removed"


# What Azure shows can jump ahead at any look; only the way back to PLANNED is closed, and a copy
# that nobody asked for again does not turn from ready or running into merely requested.
_REPLICA_TRANSITIONS: dict[ReplicaState, frozenset[ReplicaState]] = {
    state: frozenset(ReplicaState) - {ReplicaState.PLANNED} for state in ReplicaState
}
_REPLICA_TRANSITIONS[ReplicaState.PLANNED] = frozenset(ReplicaState)
_REPLICA_TRANSITIONS[ReplicaState.REMOVED] = frozenset(ReplicaState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One region of a job.

    `intended`: this app is about to ask for the region. `managed`: it did. `requested_at`: Azure
    acknowledged that; only then may the app remove the region again. `rebuilding`: removed for
    repair, to be added back. `attempts` counts the copies asked for. `progressed_at`: when the copy
    was last seen further than before. `code` says why a replica is failed or removed. `listed_at`:
    since when it stands in Azure's list, `removed_at`: until when; in between it costs money.
    """

    region: Region
    state: ReplicaState = ReplicaState.PLANNED
    reason: str
    progress: int | None = None
    intended: bool = False
    managed: bool = False
    code: FailureCode | None = None
    attempts: int = 0
    lost_updates: int = 0
    rebuilding: bool = False
    replica_count: int | None = None
    storage_account_type: str | None = None
    planned_at: datetime
    listed_at: datetime | None = None
    removed_at: datetime | None = None
    requested_at: datetime | None = None
    copying_since: datetime | None = None
    progressed_at: datetime | None = None
    stuck_since: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None

    def to(self, state: ReplicaState, reason: str) -> Self:
        """Return the replica in another state; raises IllegalTransitionError."""
        if state not in _REPLICA_TRANSITIONS[self.state]:
            raise IllegalTransitionError(
                f"a replica in {self.region} cannot go from {self.state} to {state}"
            )
        return replace(self, state=state, reason=reason, code=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeReplicas:
    """How the home region keeps the version, as Azure lists it."""

    replica_count: int = 1
    storage_account_type: str = "Standard_LRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A claim on a job by one invocation; it lapses by itself."""

    owner: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What a job has tried. `writes`, and what stands in a row, begin anew with every run.

    `claims` counts the claims since the last record: more than a few mean that something kills
    the worker.
    """

    writes: int = 0
    polls: int = 0
    attempts: int = 0
    failures_in_a_row: int = 0
    unknown_in_a_row: int = 0
    claims: int = 0
    arm_calls: int = 0

    def fresh(self, *, claims: int = 0) -> Self:
        """Return those of a new run."""
        return replace(self.without_failures(), writes=0, claims=claims)

    def without_failures(self) -> Self:
        """Return them with the failures forgotten: the service does what it is asked."""
        return replace(self, failures_in_a_row=0, unknown_in_a_row=0)

    def one_call(self) -> Self:
        """Count a call of ARM."""
        return replace(self, arm_calls=self.arm_calls + 1)

    def one_poll(self) -> Self:
        """Count a look at how far the copies are."""
        return replace(self, polls=self.polls + 1)

    def one_write(self) -> Self:
        """Count a write that Azure took."""
        return replace(self, writes=self.writes + 1, attempts=self.attempts + 1)

    def one_failure(self, *, unknown: bool) -> Self:
        """Count a failure; `unknown`: in words that are not known."""
        return replace(
            self,
            failures_in_a_row=self.failures_in_a_row + 1,
            unknown_in_a_row=self.unknown_in_a_row + (1 if unknown else 0),
            attempts=self.attempts + 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a job is looked at, until when, and who is at it.

    `sequence` is the number of the newest message; older messages are stale. `look_again`: what
    happened while a look was under way asks for another.
    """

    sequence: int = 0
    next_attempt_at: datetime | None = None
    deadline_at: datetime
    observed_at: datetime | None = None
    lease: Lease | None = None
    look_again: bool = False

    def fresh(self, now: datetime, limits: Limits) -> Self:
        """Return that of a new run, with a deadline of its own."""
        return replace(self, deadline_at=now + timedelta(seconds=limits.deadline_s))

    def at(self, moment: datetime | None) -> Self:
        """Return it with the next look then, or with none, and every message before stale."""
        return replace(self, sequence=self.sequence + 1, next_attempt_at=moment)

    def unclaimed(self) -> Self:
        """Return it after a look, or without the one under way."""
        return replace(self, lease=None, look_again=False)

    def is_claimed(self, now: datetime) -> bool:
        """Tell whether someone holds a claim that has not lapsed."""
        return self.lease is not None and self.lease.expires_at > now

    def is_claimed_by(self, owner: str) -> bool:
        """Tell whether the claim is this one's, lapsed or not."""
        return self.lease is not None and self.lease.owner == owner

    def due_in_s(self, now: datetime) -> float:
        """Return how many seconds remain until the next look; zero where none is planned."""
        if self.next_attempt_at is None:
            return 0.0
        return max(0.0, (self.next_attempt_at - now).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the line before a limit of Azure's: of which scope, and the number drawn."""

    scope: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something ended badly: our code, and the service's own words."""

    code: FailureCode
    message: str


def entry_id(at: datetime, number: int) -> str:
    """Return the id of an entry: by its moment, and by a number of its own within it.

    All are of one width, so that they sort as moments do.
    """
    return f"{int(at.timestamp() * 1_000_000):020d}-{number:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of a job's timeline; its id orders it, and makes writing it again harmless."""

    id: str
    at: datetime
    event: str
    reason: str
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationJob:
    """Everything on record about the replication of one image version.

    `revision` counts the records written. `entries` are the last three timeline entries, kept with
    the record so that a crash between the two tables loses none. `one_by_one`: a refusal did not
    say which region it meant, so each is added alone. `withdrawing`: cancelled, and what was added
    and is not yet Completed is to be removed. `letter_id`: the job's newest dead letter that is not
    resolved. `home` is None until the version was seen with its list.
    `owner_tags` are those of the version's tags that the policy names: lab, cost center.
    `budget_cleared` are regions whose cost was let through, by the budgets or by an operator.
    `traceparent` is where the trace of the run began, as far as known.
    """

    image_version_id: ImageVersionId
    phase: Phase = Phase.PLANNED
    reason: str
    trigger: str
    correlation_id: str
    home_region: Region
    geography: str | None
    replicas: tuple[Replica, ...] = ()
    left_out: tuple[LeftOutRegion, ...] = ()
    policy_fingerprint: str
    catalog_source: str
    size_gb: int | None = None
    home: HomeReplicas | None = None
    owner_tags: dict[str, str] = field(default_factory=dict)
    budget_cleared: frozenset[Region] = frozenset()
    revision: int = 0
    tries: Tries = field(default_factory=Tries)
    schedule: Schedule
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    one_by_one: bool = False
    withdrawing: bool = False
    place: Place | None = None
    letter_id: str | None = None
    failure: Failure | None = None
    withheld: dict[Region, tuple[datetime, str]] = field(default_factory=dict)
    entries: tuple[HistoryEntry, ...] = ()
    traceparent: TraceParent | None = None

    @property
    def key(self) -> str:
        """The key of the version's record."""
        return self.image_version_id.key

    @property
    def job_id(self) -> str:
        """Name the job: the version, the policy and the regions it wants."""
        parts = (
            self.key,
            self.policy_fingerprint,
            *sorted(replica.region.name for replica in self.replicas),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    @property
    def own_letter_id(self) -> str:
        """The id that a dead letter of the job has, whether there is one or not."""
        return hashlib.sha256(f"job\n{self.key}".encode()).hexdigest()[:32]

    @property
    def held_by_budget(self) -> bool:
        """Whether the plan waits because it would cost too much."""
        over = self.failure is not None and self.failure.code is FailureCode.BUDGET_EXCEEDED
        return over and self.phase is Phase.WAITING

    @property
    def lost_its_source(self) -> bool:
        """Whether it failed because what the version was made from is gone, which stays so."""
        missing = self.failure is not None and self.failure.code is FailureCode.SOURCE_MISSING
        return missing and self.phase is Phase.FAILED

    def replica(self, region: Region) -> Replica | None:
        """Return the region's replica, or None where the job has none."""
        for replica in self.replicas:
            if replica.region == region:
                return replica
        return None

    def with_replicas(self, *changed: Replica) -> Self:
        """Return the job with these replicas put in place of those of the same regions."""
        merged = {one.region: one for one in self.replicas} | {one.region: one for one in changed}
        return replace(self, replicas=tuple(merged[region] for region in sorted(merged)))

    def to(self, phase: Phase, reason: str, *, at: datetime) -> Self:
        """Return the job in another phase; raises IllegalTransitionError.

        One that was over and goes on begins a run of its own, with a start of its own.
        """
        if phase is Phase.PLANNED and self.phase is not Phase.PLANNED:
            raise IllegalTransitionError(f"a job cannot go from {self.phase} back to planned")
        finished_at = None
        if phase.is_end:
            finished_at = self.finished_at if self.phase.is_end and self.finished_at else at
        started_at = at if self.phase.is_end and not phase.is_end else self.started_at
        return replace(
            self, phase=phase, reason=reason, started_at=started_at, finished_at=finished_at
        )

    def abreast_of(self, fresh: Self) -> Self:
        """Return what a look made of the job, with what came to its record meanwhile."""
        schedule = replace(
            self.schedule,
            sequence=fresh.schedule.sequence,
            lease=fresh.schedule.lease,
            look_again=fresh.schedule.look_again,
        )
        return replace(self, schedule=schedule, letter_id=fresh.letter_id)


def with_entry(
    job: ReplicationJob, event: str, reason: str, *, now: datetime, details: dict[str, object]
) -> ReplicationJob:
    """Return the job one revision further, with a line in its timeline."""
    revision = job.revision + 1
    entry = HistoryEntry(
        id=entry_id(now, revision),
        at=now,
        event=event,
        reason=reason,
        details=details,
    )
    # The last ones stay with it: two crashes in a row lose none either.
    return replace(job, revision=revision, entries=(*job.entries[-2:], entry))
