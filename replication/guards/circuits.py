"""Circuit breakers: a region that keeps failing across versions is left in peace.

Pure; the clock is an argument. A circuit is closed (all is well), open (nobody asks for the
region), or due for a probe: one version tries, and its copy decides for all.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from replication.domain import formatting
from replication.domain.limits import Limits
from replication.domain.regions import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitFailure:
    """The newest failed copy of one image version."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is on record about a region.

    `failures` holds one entry a version; `opened_at` is None while the circuit is closed. `holds`
    counts how often it was opened without a success in between.
    """

    region: Region
    failures: tuple[CircuitFailure, ...] = ()
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probe_key: str | None = None
    probe_until: datetime | None = None
    holds: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the region is held back."""
        return self.opened_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a region may not be asked for now, and when to look again."""

    until: datetime
    reason: str


_MAX_DOUBLINGS = 5


def after_failure(circuit: Circuit, key: str, *, now: datetime, limits: Limits) -> Circuit:
    """Count a version's failed copy; enough different versions open the circuit."""
    horizon = now - timedelta(seconds=limits.circuit_memory_s)
    kept = [one for one in circuit.failures if one.key != key and one.at > horizon]
    kept.append(CircuitFailure(key=key, at=now))
    circuit = replace(circuit, failures=tuple(kept[-limits.circuit_failures :]))
    if circuit.is_open:
        # Late words of copies that began before do not make it worse; the probe's do.
        return _opened(circuit, now, limits) if circuit.probe_key == key else circuit
    if len(circuit.failures) < limits.circuit_failures:
        return circuit
    return replace(_opened(circuit, now, limits), opened_at=now)


def hold_of(circuit: Circuit, key: str, now: datetime) -> Hold | None:
    """Return why this version must wait for the region, None where it may go on.

    Where a probe is due, whoever wants to go on must `claim_probe` first.
    """
    hold = closed_to(circuit, key, now)
    return hold if hold is not None and hold.until > now else None


def closed_to(circuit: Circuit, key: str, now: datetime) -> Hold | None:
    """Return why the region is not open to this version, None where it is.

    Other than `hold_of`, it still holds where a probe is due and nobody has claimed it.
    """
    if circuit.opened_at is None or circuit.probe_key == key:
        return None
    until = circuit.probe_at or now
    if circuit.probe_key is not None:
        until = circuit.probe_until or now
    since, then = (formatting.moment(one) for one in (circuit.opened_at, until))
    if until <= now:
        next_try = "due to be tried again"
    elif circuit.probe_key is not None:
        next_try = f"being tried by another version, until {then} at the latest"
    else:
        next_try = f"tried again at {then}"
    return Hold(
        until=until,
        reason=f"{circuit.region} is held back since {since}: copies of {len(circuit.failures)} "
        f"versions failed there; it is {next_try}",
    )


def claim_probe(circuit: Circuit, key: str, *, now: datetime, limits: Limits) -> Circuit | None:
    """Return the circuit with this version as its probe, None where another was first."""
    if circuit.probe_key == key:
        return circuit
    if hold_of(circuit, key, now) is not None:
        return None
    return replace(
        circuit, probe_key=key, probe_until=now + timedelta(seconds=limits.circuit_probe_s)
    )


def _opened(circuit: Circuit, now: datetime, limits: Limits) -> Circuit:
    doublings = min(circuit.holds, _MAX_DOUBLINGS)
    pause_s = limits.circuit_hold_s * 2.0**doublings
    return replace(
        circuit,
        probe_at=now + timedelta(seconds=pause_s),
        probe_key=None,
        probe_until=None,
        holds=circuit.holds + 1,
    )
