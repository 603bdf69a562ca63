"""Admission control: ask before each call whether Azure wants it now, for all instances alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from replication.codec import Form
from replication.domain import formatting
from replication.domain.errors import Operation, ThrottledError, ThrottleKind
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Place, ReplicationJob
from replication.domain.limits import Limits
from replication.guards.rate_meter import RateMeter
from replication.guards.throttling import (
    Admission,
    Gate,
    RateReading,
    ThrottleScope,
    admit,
    gallery_of,
    note,
    shut,
)
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState
from replication.telemetry.log import WARNING, log_outcome
from replication.telemetry.metrics import OPERATION, THROTTLES
from replication.telemetry.port import NO_TELEMETRY, Telemetry

GATES = Kind(
    "gate",
    Gate,
    key=lambda gate: gate.scope.key,
    forms={"scope": Form(ThrottleScope.parse, lambda scope: scope.key)},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """A job that must wait: until when, and why."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionControl:
    """Holds calls back while Azure asks for a pause, and spreads them near a limit."""

    shared_state: SharedState
    meter: RateMeter
    limits: Limits
    clock: Callable[[], datetime]
    telemetry: Telemetry = NO_TELEMETRY

    def ask(
        self, job: ReplicationJob, operations: Iterable[Operation]
    ) -> tuple[ReplicationJob, Deferral | None]:
        """Return the job with its place in line, and None when the calls may go now."""
        now, gates = self.clock(), self._gates(job.image_version_id, operations)
        here = [number for number, gate in enumerate(gates) if _number(job, gate) is not None]
        first = here[0] if here else 0
        # The lines come one after another; those before the job's own have been passed.
        for gate in (*gates[first:], *(one for one in gates[:first] if one.is_closed(now))):
            admission = self._pass(gate, _number(job, gate), now)
            if admission.wait_until is not None and admission.number is not None:
                place = Place(scope=gate.scope.key, number=admission.number)
                return replace(job, place=place), _queueing(gate, admission.wait_until, now)
        return replace(job, place=None), None

    def closed_until(self, subscription_id: str, operation: Operation) -> datetime | None:
        """Return until when calls about a whole subscription must wait, None when they need not."""
        now, gates = self.clock(), self.shared_state.all(GATES)
        ends = []
        for counted in (operation, None):
            scope = ThrottleScope(subscription_id=subscription_id.lower(), operation=counted)
            gate = gates.get(scope.key)
            if gate is not None and gate.closed_until and gate.closed_until > now:
                ends.append(gate.closed_until)
        return max(ends, default=None)

    def refused(
        self, version_id: ImageVersionId, operation: Operation, error: ThrottledError
    ) -> None:
        """Close the gate of what Azure throttled, for every instance."""
        self.refused_scope(_scope(version_id, operation, error.kind), error)
        self.learn()

    def refused_scope(self, scope: ThrottleScope, error: ThrottledError) -> None:
        """Close one gate for every instance."""
        operation = "any" if scope.operation is None else scope.operation.value
        self.telemetry.counted(THROTTLES, {OPERATION: operation})
        now = self.clock()

        def close(gate: Gate | None) -> tuple[Gate, tuple[Gate, Gate]]:
            before = gate or Gate(scope=scope)
            after = shut(
                before,
                now=now,
                retry_after_s=error.retry_after_s,
                reason=str(error),
                limits=self.limits,
            )
            return after, (before, after)

        before, after = self.shared_state.change(GATES, scope.key, close)
        if not before.is_closed(now):
            log_outcome(
                "throttle.closed",
                level=WARNING,
                scope=scope.key,
                until=after.closed_until,
                reason=str(error),
            )

    def learn(self) -> None:
        """Take note of what the last answers said is left; costs nothing while it is plenty."""
        now = self.clock()
        readings = sorted(self.meter.take(), key=lambda reading: reading.scope.key)
        for key, group in groupby(readings, key=lambda reading: reading.scope.key):
            self._note(tuple(group), key, now)

    def _note(self, readings: tuple[RateReading, ...], key: str, now: datetime) -> None:
        empty = Gate(scope=readings[0].scope)

        def noted(before: Gate | None) -> tuple[Gate | None, bool]:
            gate = before or empty
            after = note(gate, readings, now=now)
            return (before, False) if after is gate else (after, True)

        _, is_news = noted(self.shared_state.get(GATES, key))
        if is_news:
            self.shared_state.change(GATES, key, noted)

    def _gates(
        self, version_id: ImageVersionId, operations: Iterable[Operation]
    ) -> tuple[Gate, ...]:
        """Return the gates on record that the calls fall under, always in the same order."""
        known = self.shared_state.all(GATES)
        scopes = (
            scope
            for operation in operations
            for scope in ThrottleScope.around(version_id, operation)
        )
        found = (known.get(scope.key) for scope in dict.fromkeys(scopes))
        return tuple(gate for gate in found if gate is not None)

    def _pass(self, gate: Gate, number: int | None, now: datetime) -> Admission:
        admission = admit(gate, number=number, now=now)
        if admission.gate == gate:
            return admission

        def draw(newest: Gate | None) -> tuple[Gate | None, Admission]:
            """Draw the next number in line, against all others who want it."""
            current = newest or Gate(scope=gate.scope)
            admission = admit(current, number=number, now=now)
            return (newest if admission.gate == current else admission.gate), admission

        return self.shared_state.change(GATES, gate.scope.key, draw)


def _number(job: ReplicationJob, gate: Gate) -> int | None:
    """Return the job's number in the line before this gate."""
    return job.place.number if job.place and job.place.scope == gate.scope.key else None


def _queueing(gate: Gate, until: datetime, now: datetime) -> Deferral:
    why = gate.reason if gate.is_closed(now) else "near a limit, calls go one by one"
    text = f"held back until {formatting.moment(until)} for {gate.scope.key}: {why}"
    return Deferral(until=until, reason=text)


def _scope(version_id: ImageVersionId, operation: Operation, kind: ThrottleKind) -> ThrottleScope:
    subscription_id = version_id.subscription_id.lower()
    match kind:
        case ThrottleKind.SUBSCRIPTION:
            return ThrottleScope(subscription_id=subscription_id)
        case ThrottleKind.GALLERY:
            return ThrottleScope(
                subscription_id=subscription_id,
                operation=operation,
                gallery=gallery_of(version_id),
            )
        case ThrottleKind.OPERATION:
            return ThrottleScope(subscription_id=subscription_id, operation=operation)
