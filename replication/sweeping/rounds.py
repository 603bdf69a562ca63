"""Sweep rounds: the sweep on a timer, in pieces that end well before the host would end them.

At its `functionTimeout` the host kills the worker with everything that runs in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from replication.domain.errors import ReplicationError
from replication.domain.limits import TIMER_MAX_RUN_S
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState
from replication.sweeping.report import SweepPosition, SweepReport
from replication.sweeping.sweep import Sweep
from replication.telemetry.log import WARNING, log_outcome

_KEY = "sweep"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepBookmark:
    """Where the next run of the sweep goes on, and since when that is so."""

    position: SweepPosition
    at: datetime


SWEEP_BOOKMARKS = Kind("bookmark", SweepBookmark, key=lambda _: _KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRounds:
    """Runs the sweep for a while, and goes on next time where it stopped."""

    sweep: Sweep
    shared_state: SharedState
    clock: Callable[[], datetime]
    max_run_s: float = TIMER_MAX_RUN_S

    def run(self) -> SweepReport:
        """Sweep what there is time for.

        Two runs at once do some things twice, which harms nothing.
        """
        until = self.clock() + timedelta(seconds=self.max_run_s)
        report = self.sweep.run(start=self._bookmark(), until=until)
        self._keep(report.goes_on_at)
        return report

    def _bookmark(self) -> SweepPosition:
        try:
            kept = self.shared_state.get(SWEEP_BOOKMARKS, _KEY)
        except ReplicationError as error:
            log_outcome("sweep.from_the_start", level=WARNING, reason=str(error))
            kept = None
        return kept.position if kept is not None else SweepPosition()

    def _keep(self, position: SweepPosition | None) -> None:
        try:
            if position is None:
                self.shared_state.remove(SWEEP_BOOKMARKS, _KEY)
            else:
                bookmark = SweepBookmark(position=position, at=self.clock())
                self.shared_state.put(SWEEP_BOOKMARKS, bookmark)
        except ReplicationError as error:
            log_outcome("sweep.bookmark_lost", level=WARNING, reason=str(error))
