"""Decisions: what can be done next with a job, each with a reason, and what is known before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from replication.domain.image_version import ImageVersion
from replication.domain.job import Failure, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.plan import ReplicationPlan
from replication.domain.regions import Region
from replication.guards.circuits import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Write the list once with these regions in it."""

    regions: frozenset[Region]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Look again later: copies are under way. No error, no retry."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Look again later: someone else is at work on the version."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again later: something failed that may work then; `unknown` if in unknown words."""

    after_s: float
    reason: str
    counts: bool = True
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Remove one failed region, so that the next look adds it back."""

    region: Region
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take regions out of the list again: cancelled before their copies were done."""

    regions: frozenset[Region]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Nothing more is to be done for a cancelled job."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed:
    """Every wanted region is Completed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Some wanted regions are Completed, and the others cannot be."""

    reason: str
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """There is nothing to replicate."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersede:
    """The image version is gone."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """A person has to act."""

    reason: str
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class OverBudget:
    """The plan costs too much: it is held whole until it fits, or until it is released."""

    reason: str
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """An operator wants no writes now: look again soon, and leave the deadline its distance."""

    after_s: float
    reason: str


Decision = (
    Apply
    | Track
    | Wait
    | Retry
    | Repair
    | Withdraw
    | Cancel
    | Succeed
    | Partial
    | Skip
    | Supersede
    | GiveUp
    | OverBudget
    | Pause
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is known at one moment.

    `job` has absorbed `version` already; `version` is None when the image version is gone.
    `held` are regions that must be left in peace for now. `chance` is a random number in [0, 1)
    for the jitter of delays.
    """

    job: ReplicationJob
    version: ImageVersion | None
    plan: ReplicationPlan | None
    now: datetime
    limits: Limits
    repair_allowed: bool
    chance: float
    held: Mapping[Region, Hold] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return self.now >= self.job.schedule.deadline_at

    @property
    def may_write(self) -> bool:
        """Whether the run has writes left."""
        return self.job.tries.writes < self.limits.write_max_attempts
