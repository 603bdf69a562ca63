"""What all versions learn from one another about regions: refusals and circuit breakers."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from replication.domain.job import Replica, ReplicaState, ReplicationJob
from replication.domain.limits import Limits
from replication.domain.regions import Region
from replication.guards.circuits import (
    Circuit,
    Hold,
    after_failure,
    claim_probe,
    closed_to,
    hold_of,
)
from replication.ports import OutcomeEvent
from replication.reconcile.outcome_events import region_held_back, region_released
from replication.shared_state.rows import Control, ControlKind, Refusal
from replication.shared_state.state import SharedState
from replication.telemetry.log import log_outcome

_AT_WORK = (ReplicaState.REQUESTED, ReplicaState.REPLICATING, ReplicaState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionHealth:
    """Reads and keeps what is known about regions, for every instance and every version."""

    controls: SharedState
    limits: Limits
    clock: Callable[[], datetime]

    def refused(self, subscription_id: str) -> dict[Region, str]:
        """Return the regions that Azure refused to a subscription lately, with its words."""
        return {one.region: one.reason for one in self._refusals(subscription_id)}

    def refuse(
        self, subscription_id: str, regions: Iterable[Region], reason: str, *, until: datetime
    ) -> None:
        """Remember a refusal for every version of the subscription."""
        for region in sorted(regions):
            refusal = Refusal(
                subscription_id=subscription_id.lower(), region=region, until=until, reason=reason
            )
            self.controls.put(refusal)

    def forget_refusals(self, subscription_id: str) -> None:
        """Let the regions be tried again, because an operator asked for it."""
        for refusal in tuple(self._refusals(subscription_id)):
            self.controls.remove(ControlKind.REFUSAL, refusal.key)

    def holds(self, key: str, wanted: Iterable[Region]) -> dict[Region, Hold]:
        """Return which regions this version must wait for; only for one that is about to write.

        A region that is due for a probe is claimed for it; the claim lapses by itself.
        """
        held = {}
        for circuit in self._open_circuits(wanted):
            hold = hold_of(circuit, key, self.clock()) or self._claim(circuit, key)
            if hold is not None:
                held[circuit.region] = hold
        return held

    def closed(self, key: str, wanted: Iterable[Region]) -> dict[Region, Hold]:
        """Return which regions are not open to this version, and claim nothing."""
        holds = {
            circuit.region: closed_to(circuit, key, self.clock())
            for circuit in self._open_circuits(wanted)
        }
        return {region: hold for region, hold in holds.items() if hold is not None}

    def learn(self, before: ReplicationJob, after: ReplicationJob) -> tuple[OutcomeEvent, ...]:
        """Count copies that failed or worked since the last record; returns what became news."""
        events: list[OutcomeEvent] = []
        known = self.controls.snapshot()
        for replica in after.replicas:
            old = before.replica(replica.region)
            if old is None or old.state is replica.state or old.state not in _AT_WORK:
                continue
            if replica.state is ReplicaState.FAILED:
                events += self._count_failure(after, replica)
            elif replica.state is ReplicaState.COMPLETED and (
                (ControlKind.CIRCUIT, replica.region.name) in known
            ):
                events += self._close(after, replica)
        return tuple(events)

    def _refusals(self, subscription_id: str) -> Iterator[Refusal]:
        now, whose = self.clock(), subscription_id.lower()
        for one in self.controls.snapshot().values():
            if isinstance(one, Refusal) and one.subscription_id == whose and one.until > now:
                yield one

    def _open_circuits(self, wanted: Iterable[Region]) -> Iterator[Circuit]:
        for region in sorted(wanted):
            circuit = self.controls.snapshot().get((ControlKind.CIRCUIT, region.name))
            if isinstance(circuit, Circuit) and circuit.is_open:
                yield circuit

    def _claim(self, circuit: Circuit, key: str) -> Hold | None:
        now = self.clock()
        lost_to: Circuit | None = None

        def change(control: Control | None) -> Control | None:
            nonlocal lost_to
            lost_to = None
            if not isinstance(control, Circuit) or not control.is_open:
                return control
            claimed = claim_probe(control, key, now=now, limits=self.limits)
            if claimed is None:
                lost_to = control
            return claimed or control

        self.controls.change(ControlKind.CIRCUIT, circuit.region.name, change)
        return None if lost_to is None else hold_of(lost_to, key, now)

    def _count_failure(self, job: ReplicationJob, replica: Replica) -> list[OutcomeEvent]:
        now = self.clock()

        def change(control: Control | None) -> Control:
            circuit = control if isinstance(control, Circuit) else Circuit(region=replica.region)
            return after_failure(circuit, job.key, now=now, limits=self.limits)

        before, after = self.controls.change(ControlKind.CIRCUIT, replica.region.name, change)
        if not isinstance(after, Circuit) or not after.is_open:
            return []
        if isinstance(before, Circuit) and before.is_open:
            if after.holds > before.holds:
                log_outcome(
                    "circuit.held_longer",
                    level=logging.WARNING,
                    region=replica.region.name,
                    tried_by=job.key,
                    probe_at=after.probe_at,
                    reason=replica.reason,
                )
            return []
        log_outcome(
            "circuit.opened",
            level=logging.ERROR,
            region=replica.region.name,
            versions=[one.key for one in after.failures],
            probe_at=after.probe_at,
            reason=replica.reason,
        )
        return [region_held_back(job, after, reason=replica.reason, at=now)]

    def _close(self, job: ReplicationJob, replica: Replica) -> list[OutcomeEvent]:
        name = replica.region.name
        before = self.controls.remove(ControlKind.CIRCUIT, name)
        if not isinstance(before, Circuit) or not before.is_open:
            return []
        log_outcome("circuit.closed", level=logging.WARNING, region=name, worked_for=job.key)
        return [region_released(job, before, at=self.clock())]


def refusal_end(now: datetime, limits: Limits) -> datetime:
    """Return until when a refusal is remembered."""
    return now + timedelta(seconds=limits.refusal_memory_s)
