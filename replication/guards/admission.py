"""Ask before each call whether Azure wants it now: one service for all instances' good manners."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from replication.domain import formatting
from replication.domain.errors import ThrottledError, ThrottleKind
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Place, ReplicationJob
from replication.domain.limits import Limits
from replication.guards.rate_meter import RateMeter
from replication.guards.throttling import (
    Admission,
    Gate,
    Operation,
    RateReading,
    ThrottleScope,
    admit,
    gallery_of,
    note,
    shut,
)
from replication.shared_state.rows import Control, ControlKind
from replication.shared_state.state import SharedState
from replication.telemetry.log import log_outcome
from replication.telemetry.metrics import OPERATION, THROTTLES
from replication.telemetry.port import NO_TELEMETRY, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """A job that must wait: until when, and why."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionControl:
    """Holds calls back while Azure asks for a pause, and spreads them near a limit."""

    controls: SharedState
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
        now, known = self.clock(), self.controls.snapshot()
        ends = []
        for one in (operation, None):
            scope = ThrottleScope(subscription_id=subscription_id.lower(), operation=one)
            gate = known.get((ControlKind.GATE, scope.key))
            if isinstance(gate, Gate) and gate.closed_until and gate.closed_until > now:
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

        def change(control: Control | None) -> Control:
            gate = control if isinstance(control, Gate) else Gate(scope=scope)
            return shut(
                gate,
                now=now,
                retry_after_s=error.retry_after_s,
                reason=str(error),
                limits=self.limits,
            )

        before, after = self.controls.change(ControlKind.GATE, scope.key, change)
        was_closed = isinstance(before, Gate) and before.is_closed(now)
        if isinstance(after, Gate) and not was_closed:
            log_outcome(
                "throttle.closed",
                level=logging.WARNING,
                scope=scope.key,
                until=after.closed_until,
                reason=str(error),
            )

    def learn(self) -> None:
        """Take note of what the last answers said is left; costs nothing while it is plenty."""
        now = self.clock()
        readings = sorted(self.meter.take(), key=lambda one: one.scope.key)
        for key, group in groupby(readings, key=lambda one: one.scope.key):
            self._note(tuple(group), key, now)

    def _note(self, readings: tuple[RateReading, ...], key: str, now: datetime) -> None:
        empty = Gate(scope=readings[0].scope)

        def change(control: Control | None) -> Control | None:
            gate = control if isinstance(control, Gate) else empty
            noted = note(gate, readings, now=now)
            return control if noted is gate else noted

        known = self.controls.snapshot().get((ControlKind.GATE, key))
        if change(known) is not known:
            self.controls.change(ControlKind.GATE, key, change)

    def _gates(
        self, version_id: ImageVersionId, operations: Iterable[Operation]
    ) -> tuple[Gate, ...]:
        """Return the gates on record that the calls fall under, always in the same order."""
        known = self.controls.snapshot()
        scopes = (one for each in operations for one in ThrottleScope.around(version_id, each))
        found = (known.get((ControlKind.GATE, scope.key)) for scope in dict.fromkeys(scopes))
        return tuple(one for one in found if isinstance(one, Gate))

    def _pass(self, gate: Gate, number: int | None, now: datetime) -> Admission:
        admission = admit(gate, number=number, now=now)
        if admission.gate == gate:
            return admission

        def draw(control: Control | None) -> Control | None:
            """Draw the next number in line, against all others who want it."""
            nonlocal admission
            current = control if isinstance(control, Gate) else Gate(scope=gate.scope)
            admission = admit(current, number=number, now=now)
            return control if admission.gate == current else admission.gate

        self.controls.change(ControlKind.GATE, gate.scope.key, draw)
        return admission


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
