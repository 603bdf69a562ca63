"""How regional copies run: pure functions of simulated time."""

from dataclasses import dataclass

# A region can still be Replicating when the version says Succeeded already (recorded).
TAIL_SHARE = 0.03
# Recorded: creations took 407 to 1,081 s.
CREATE_BASE_S = 300.0
CREATE_S_PER_GB = 3.0
UPDATE_WITHOUT_COPY_S = 150.0
_WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One regional copy; `outcome` is Completed, Failed, or Stuck for one that never ends."""

    started_at: float
    duration_s: float
    outcome: str = "Completed"

    def share(self, now: float) -> float:
        """Return how much of it is done, from 0 to 1."""
        if self.duration_s <= 0:
            return 1.0
        done = min(1.0, max(0.0, (now - self.started_at) / self.duration_s))
        return min(done, 0.4) if self.outcome == "Stuck" else done

    def state(self, now: float) -> str:
        """Return the word of `replicationStatus`."""
        if self.share(now) < 1.0:
            return "Replicating"
        return self.outcome

    def progress(self, now: float) -> int:
        """Return the whole percents."""
        return int(self.share(now) * _WHOLE)

    def details(self, now: float) -> str:
        """Return the words beside the state."""
        return "Failed with internal server error." if self.state(now) == "Failed" else ""

    def settles_at(self) -> float:
        """Return when the version stops saying Updating on account of this copy."""
        if self.outcome == "Stuck":
            return float("inf")
        share = 1.0 if self.outcome == "Failed" else 1.0 - TAIL_SHARE
        return self.started_at + self.duration_s * share


def create_duration_s(size_gb: int) -> float:
    """Return how long a creation takes, the home region's copy included."""
    return CREATE_BASE_S + CREATE_S_PER_GB * size_gb


def copy_duration_s(size_gb: int, minutes_per_gb: float) -> float:
    """Return how long a copy to one region takes."""
    return size_gb * minutes_per_gb * 60
