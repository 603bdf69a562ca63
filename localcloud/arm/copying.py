"""How regional copies run: pure functions of simulated time."""

import math
from dataclasses import dataclass
from typing import Literal

Ending = Literal["Completed", "Failed", "Stuck"]

# Recorded: creations took 407 to 1,081 s, one more region for 30 GB 421 s, an update that moves
# no data 150 s.
CREATE_BASE_S = 340.0
CREATE_S_PER_GB = 3.0
UPDATE_WITHOUT_COPY_S = 150.0
# Only the occupied part of a disk is copied; how much that is, Azure does not tell.
OCCUPIED_SHARE = 0.4
MINUTES_PER_GB = 421 / 60 / (30 * OCCUPIED_SHARE)
# Recorded: a region can still be Replicating after the version says Succeeded.
TAIL_SHARE = 0.03
_WHOLE = 100
_STOPS_AT: dict[Ending, float] = {"Completed": 1.0, "Failed": 0.6, "Stuck": 0.4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One regional copy, in simulated seconds.

    `ending` Stuck never ends. A copy `with_tail` is still at work a little longer than its version
    says that it is updating.
    """

    started_at: float
    duration_s: float
    ending: Ending = "Completed"
    with_tail: bool = True

    def ends_at(self) -> float:
        """Return when it is Completed or Failed; infinite for one that is stuck."""
        if self.ending == "Stuck":
            return math.inf
        return self.started_at + self.duration_s * _STOPS_AT[self.ending]

    def state(self, now: float) -> Literal["Replicating", "Completed", "Failed"]:
        """Return the word of `replicationStatus`."""
        if self.ending == "Stuck" or now < self.ends_at():
            return "Replicating"
        return self.ending

    def progress(self, now: float) -> int:
        """Return the whole percents; 100 only when it is Completed."""
        if self.state(now) == "Completed":
            return _WHOLE
        passed_s = now - self.started_at
        if passed_s <= 0:
            return 0
        share = passed_s / self.duration_s if self.duration_s > 0 else 1.0
        return min(math.floor(min(share, _STOPS_AT[self.ending]) * _WHOLE), _WHOLE - 1)

    def settles_at(self) -> float:
        """Return when the version stops being Updating as far as this copy goes."""
        if self.ending == "Completed" and self.with_tail:
            return self.started_at + self.duration_s * (1 - TAIL_SHARE)
        return self.ends_at()


def creation_s(size_gb: int) -> float:
    """Return how long a creation takes until the home region has the image."""
    return CREATE_BASE_S + CREATE_S_PER_GB * size_gb


def copy_s(size_gb: int, minutes_per_gb: float) -> float:
    """Return how long a copy to one more region takes; `minutes_per_gb` is of occupied GB."""
    return size_gb * OCCUPIED_SHARE * minutes_per_gb * 60
