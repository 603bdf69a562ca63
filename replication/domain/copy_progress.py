"""Copy progress: how fast a copy goes, when it ends, and whether it has stopped.

It is stuck when there is no progress for longer than its own speed explains.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from replication.domain import formatting
from replication.domain.job import Replica, ReplicaState
from replication.domain.limits import Limits

# This many times as long as one percent took so far is no longer slow, it is stuck.
_PATIENCE = 5.0
_WHOLE = 100
_COPYING = (ReplicaState.REQUESTED, ReplicaState.REPLICATING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A copy without progress since `since`; `percent_per_min` is None where none was ever seen."""

    since: datetime
    allowed_s: float
    percent_per_min: float | None

    @property
    def reason(self) -> str:
        """Say it in a sentence."""
        speed = "no progress was ever seen"
        if self.percent_per_min is not None:
            speed = f"{formatting.speed(self.percent_per_min)} was seen before"
        return (
            f"stuck: no progress since {formatting.moment(self.since)}, and its speed explains "
            f"{formatting.duration(self.allowed_s)} at most ({speed})"
        )


def stuck(replica: Replica, *, now: datetime, limits: Limits) -> Stuck | None:
    """Return since when a copy has been stuck, None while it moves or is over."""
    since = replica.progressed_at or replica.copying_since or replica.requested_at
    if replica.state not in _COPYING or since is None:
        return None
    speed = percent_per_min(replica)
    allowed_s = max(limits.stuck_min_s, _PATIENCE * 60 / speed if speed else 0.0)
    if (now - since).total_seconds() <= allowed_s:
        return None
    return Stuck(since=since, allowed_s=allowed_s, percent_per_min=speed)


def percent_per_min(replica: Replica) -> float | None:
    """Return how fast a copy went until it was last seen further; None before the first percent."""
    return speed_of(replica.progress, replica.copying_since, replica.progressed_at)


def speed_of(
    progress: float | None, since: datetime | None, moved_at: datetime | None
) -> float | None:
    """Return how fast a copy went from its start until it was last seen further."""
    if not progress or since is None or moved_at is None:
        return None
    moving_s = (moved_at - since).total_seconds()
    return 60 * progress / moving_s if moving_s > 0 else None


def expected_end(
    progress: float | None, since: datetime | None, moved_at: datetime | None
) -> datetime | None:
    """Return when a copy ends if it goes on as it went, None where that cannot be told."""
    speed = speed_of(progress, since, moved_at)
    if progress is None or speed is None or moved_at is None or progress > _WHOLE:
        return None
    return moved_at + timedelta(minutes=(_WHOLE - progress) / speed)


def with_stuck(replica: Replica, *, now: datetime, limits: Limits) -> Replica:
    """Return the replica with `stuck_since` as it is now."""
    found = stuck(replica, now=now, limits=limits)
    return replace(replica, stuck_since=found.since if found else None)
