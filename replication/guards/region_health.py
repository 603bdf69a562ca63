"""Region health: what versions learn from one another of regions, refusals and circuits."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from replication.domain.errors import FailureCode
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
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState
from replication.telemetry.log import ERROR, WARNING, log_outcome

REGION_HELD_BACK = "GalleryReplicator.RegionHeldBack"
REGION_RELEASED = "GalleryReplicator.RegionReleased"
CIRCUITS = Kind("circuit", Circuit, key=lambda circuit: circuit.region.name)
_AT_WORK = (ReplicaState.REQUESTED, ReplicaState.REPLICATING, ReplicaState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A region that Azure refused to a subscription, remembered until it expires."""

    subscription_id: str
    region: Region
    until: datetime
    reason: str

    @property
    def key(self) -> str:
        """The refusal's key among the refusals."""
        return f"{self.subscription_id}|{self.region}".lower()


REFUSALS = Kind("refusal", Refusal, key=lambda refusal: refusal.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionHealth:
    """Reads and keeps what is known about regions, for every instance and every version."""

    shared_state: SharedState
    limits: Limits
    clock: Callable[[], datetime]

    def refused(self, subscription_id: str) -> dict[Region, str]:
        """Return the regions that Azure refused to a subscription lately, with its words."""
        return {refusal.region: refusal.reason for refusal in self._refusals(subscription_id)}

    def refuse(
        self, subscription_id: str, regions: Iterable[Region], reason: str, *, until: datetime
    ) -> None:
        """Remember a refusal for every version of the subscription."""
        for region in sorted(regions):
            refusal = Refusal(
                subscription_id=subscription_id.lower(), region=region, until=until, reason=reason
            )
            self.shared_state.put(REFUSALS, refusal)

    def forget_refusals(self, subscription_id: str) -> None:
        """Let the regions be tried again, because an operator asked for it."""
        for refusal in tuple(self._refusals(subscription_id)):
            self.shared_state.remove(REFUSALS, refusal.key)

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
        known = self.shared_state.all(CIRCUITS)
        for replica in after.replicas:
            old = before.replica(replica.region)
            if old is None or old.state is replica.state or old.state not in _AT_WORK:
                continue
            if replica.code is FailureCode.COPY_FAILED:  # of other causes the region is not ill
                events += self._count_failure(after, replica)
            elif replica.state is ReplicaState.COMPLETED and replica.region.name in known:
                events += self._close(after, replica)
        return tuple(events)

    def _refusals(self, subscription_id: str) -> Iterator[Refusal]:
        now, whose = self.clock(), subscription_id.lower()
        for refusal in self.shared_state.all(REFUSALS).values():
            if refusal.subscription_id == whose and refusal.until > now:
                yield refusal

    def _open_circuits(self, wanted: Iterable[Region]) -> Iterator[Circuit]:
        for region in sorted(wanted):
            circuit = self.shared_state.get(CIRCUITS, region.name)
            if circuit is not None and circuit.is_open:
                yield circuit

    def _claim(self, circuit: Circuit, key: str) -> Hold | None:
        now = self.clock()

        def claim(newest: Circuit | None) -> tuple[Circuit | None, Hold | None]:
            if newest is None or not newest.is_open:
                return newest, None
            claimed = claim_probe(newest, key, now=now, limits=self.limits)
            return (claimed, None) if claimed else (newest, hold_of(newest, key, now))

        return self.shared_state.change(CIRCUITS, circuit.region.name, claim)

    def _count_failure(self, job: ReplicationJob, replica: Replica) -> list[OutcomeEvent]:
        now = self.clock()

        def count(circuit: Circuit | None) -> tuple[Circuit, tuple[Circuit, Circuit]]:
            before = circuit or Circuit(region=replica.region)
            after = after_failure(before, job.key, now=now, limits=self.limits)
            return after, (before, after)

        before, after = self.shared_state.change(CIRCUITS, replica.region.name, count)
        if not after.is_open:
            return []
        if before.is_open:
            if after.holds > before.holds:
                log_outcome(
                    "circuit.held_longer",
                    level=WARNING,
                    region=replica.region.name,
                    tried_by=job.key,
                    probe_at=after.probe_at,
                    reason=replica.reason,
                )
            return []
        log_outcome(
            "circuit.opened",
            level=ERROR,
            region=replica.region.name,
            versions=[failure.key for failure in after.failures],
            probe_at=after.probe_at,
            reason=replica.reason,
        )
        return [region_held_back(job, after, reason=replica.reason, at=now)]

    def _close(self, job: ReplicationJob, replica: Replica) -> list[OutcomeEvent]:
        name = replica.region.name
        before = self.shared_state.remove(CIRCUITS, name)
        if before is None or not before.is_open:
            return []
        log_outcome("circuit.closed", level=WARNING, region=name, worked_for=job.key)
        return [region_released(job, before, at=self.clock())]


def refusal_end(now: datetime, limits: Limits) -> datetime:
    """Return until when a refusal is remembered."""
    return now + timedelta(seconds=limits.refusal_memory_s)


def region_held_back(
    job: ReplicationJob, circuit: Circuit, *, reason: str, at: datetime
) -> OutcomeEvent:
    """Return the one alert about a region that keeps failing; `job` is the last that failed."""
    data = {"reason": reason, "failedVersions": len(circuit.failures)}
    return _region_event(job, circuit, REGION_HELD_BACK, "held-back", data, at=at)


def region_released(job: ReplicationJob, circuit: Circuit, *, at: datetime) -> OutcomeEvent:
    """Return the news that a region works again; `job` is the one whose copy worked."""
    return _region_event(job, circuit, REGION_RELEASED, "released", {}, at=at)


def _region_event(
    job: ReplicationJob,
    circuit: Circuit,
    event_type: str,
    what: str,
    data: dict[str, object],
    *,
    at: datetime,
) -> OutcomeEvent:
    since = circuit.opened_at or at
    return OutcomeEvent(
        id=f"{circuit.region}-{int(since.timestamp())}-{what}",
        type=event_type,
        subject=f"/regions/{circuit.region}",
        at=at,
        data={
            "region": circuit.region.name,
            "since": since.isoformat(),
            **data,
            "imageVersionId": str(job.image_version_id),
        },
    )
