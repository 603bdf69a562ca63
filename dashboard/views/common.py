"""Parts of several pages: what all instances know of Azure, names, and the twin in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from replication.domain.formatting import stamp
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.domain.job import Phase
from replication.domain.limits import Limits
from replication.domain.regions import Region
from replication.guards.admission import GATES
from replication.guards.circuits import Circuit
from replication.guards.pauses import PAUSES, QueuePause
from replication.guards.region_health import CIRCUITS, REFUSALS
from replication.guards.throttling import Gate
from replication.shared_state.state import SharedState

# In the order in which a job goes through them, the ends after.
PHASES = tuple(phase.value for phase in Phase)
ACTIVE_PHASES = tuple(phase.value for phase in Phase if not phase.is_end)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRegion:
    """A region that is held back: since when, how many versions failed, and when it is tried."""

    region: str
    since: datetime
    failed_versions: int
    probe_at: datetime | None
    probing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRegion:
    """A region where copies failed lately, but of too few versions to hold it back."""

    region: str
    since: datetime
    last: datetime
    failed_versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """A pause that Azure asked for: what it is about, until when and why."""

    subscription_id: str
    operation: str | None
    gallery: str | None
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A region that Azure refuses to a subscription, remembered until it expires."""

    region: str
    subscription_id: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all instances know of Azure's state now."""

    held: tuple[HeldRegion, ...]
    failing: tuple[FailingRegion, ...]
    cooldowns: tuple[Cooldown, ...]
    refused: tuple[Refused, ...]
    pauses: Mapping[str, QueuePause]


def shared(state: SharedState, now: datetime, limits: Limits) -> Shared:
    """Read what all instances share, the longest first."""
    circuits = state.all(CIRCUITS).values()
    held = [_held(one) for one in circuits]
    horizon = now - timedelta(seconds=limits.circuit_memory_s)
    failing = [_failing(one, horizon) for one in circuits if not one.is_open]
    cooldowns = [_cooldown(gate, now) for gate in state.all(GATES).values()]
    refused = [
        Refused(
            region=refusal.region.name,
            subscription_id=refusal.subscription_id,
            until=refusal.until,
            reason=refusal.reason,
        )
        for refusal in state.all(REFUSALS).values()
        if refusal.until > now
    ]
    return Shared(
        held=tuple(sorted(filter(None, held), key=lambda one: (one.since, one.region))),
        failing=tuple(sorted(filter(None, failing), key=lambda one: (one.since, one.region))),
        cooldowns=tuple(sorted(filter(None, cooldowns), key=lambda one: one.until, reverse=True)),
        refused=tuple(sorted(refused, key=lambda one: (one.region, one.subscription_id))),
        pauses=state.all(PAUSES),
    )


def jsonable(value: Any) -> Any:
    """Return a view model as JSON: times in ISO 8601, money as text."""
    if is_dataclass(value) and not isinstance(value, Region) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return {str(key): jsonable(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        value = sorted(value)
    if isinstance(value, tuple | list):
        return [jsonable(one) for one in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return stamp(value)
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case Enum():
            return value.value
        case Region():
            return value.name
        case _:
            return value


def version_name(image_version_id: object) -> str | None:
    """Return the image and the version of an id, None for what is none."""
    try:
        found = ImageVersionId.parse(image_version_id)
    except MalformedImageVersionIdError:
        return None
    return f"{found.image} {found.version}"


def clipped(text: str, most: int = 300) -> str:
    """Return a text no longer than a table bears."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _held(circuit: Circuit) -> HeldRegion | None:
    if circuit.opened_at is None:
        return None
    return HeldRegion(
        region=circuit.region.name,
        since=circuit.opened_at,
        failed_versions=len(circuit.failures),
        probe_at=circuit.probe_until if circuit.probe_key else circuit.probe_at,
        probing=circuit.probe_key is not None,
    )


def _failing(circuit: Circuit, horizon: datetime) -> FailingRegion | None:
    recent = sorted(one.at for one in circuit.failures if one.at > horizon)
    if not recent:
        return None
    return FailingRegion(
        region=circuit.region.name,
        since=recent[0],
        last=recent[-1],
        failed_versions=len(recent),
    )


def _cooldown(gate: Gate, now: datetime) -> Cooldown | None:
    if gate.closed_until is None or not gate.is_closed(now):
        return None
    scope = gate.scope
    return Cooldown(
        subscription_id=scope.subscription_id,
        operation=scope.operation.value if scope.operation else None,
        gallery=scope.gallery,
        until=gate.closed_until,
        reason=gate.reason,
    )
