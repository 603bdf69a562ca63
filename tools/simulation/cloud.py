"""Azure Compute Gallery as a state machine: copies, rivals, and every way it may refuse."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from replication.azure.arm.image_version import read_version
from replication.domain.errors import (
    ConflictError,
    FailureCode,
    GoneError,
    ReplicationError,
    ThrottledError,
    ThrottleKind,
    TransientError,
    UnknownAnswerError,
)
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.regions import Region, RegionCatalog, RegionRefusedError
from replication.ports import UnreadPart
from tools.simulation.faults import Faults
from tools.simulation.scheduler import Clock, Scheduler


@dataclass(slots=True)
class Copy:
    """One regional copy: when it began, how long it takes, and how it ends."""

    began_at: datetime
    lasts_s: float
    fails: bool = False
    stalls_s: float = 0.0

    def percent(self, now: datetime) -> int:
        """Return how far the copy is; a stall stands still in its middle."""
        elapsed_s = (now - self.began_at).total_seconds()
        half_s = self.lasts_s / 2
        if elapsed_s > half_s:
            elapsed_s = half_s + max(0.0, elapsed_s - half_s - self.stalls_s)
        return min(100, int(100 * elapsed_s / self.lasts_s)) if self.lasts_s else 100

    def state(self, now: datetime) -> str:
        """Return Azure's word for it."""
        if self.percent(now) < 100:
            return "Replicating"
        return "Failed" if self.fails else "Completed"


@dataclass(slots=True)
class Version:
    """One image version as Azure holds it."""

    id: ImageVersionId
    home: str
    may_remove: bool
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    copies: dict[str, Copy] = field(default_factory=dict)
    ever_added_by_app: set[str] = field(default_factory=set)
    deleted: bool = False

    def is_updating(self, now: datetime) -> bool:
        """Tell whether a copy is under way."""
        return any(copy.state(now) == "Replicating" for copy in self.copies.values())


@dataclass(frozen=True, slots=True)
class Write:
    """A write of the app that took effect, and what was known when it was decided."""

    task: str
    version: ImageVersionId
    at: datetime
    seen: frozenset[str]
    seen_completed: frozenset[str]
    added: frozenset[str]
    dropped: frozenset[str]
    dropped_ours: frozenset[str]


@dataclass(slots=True)
class Cloud:
    """Implements the Gallery port, and keeps the books that the invariants are checked on."""

    clock: Clock
    scheduler: Scheduler
    faults: Faults
    chance: random.Random
    versions_by_key: dict[str, Version] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)
    reads: int = 0
    problems: list[str] = field(default_factory=list)
    _seen: dict[str, tuple[str, frozenset[str], frozenset[str]]] = field(default_factory=dict)

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        self._call("arm.read", version_id)
        self.reads += 1
        version = self.versions_by_key.get(version_id.key)
        if version is None or version.deleted:
            return None
        if self.faults.strikes("thought_gone"):
            self.scheduler.tell("arm: a 404, although it is there")
            return None
        now = self.clock()
        listed = frozenset(version.entries)
        completed = frozenset(
            name for name, copy in version.copies.items() if copy.state(now) == "Completed"
        )
        found = read_version(version_id, _body(version, now), catalog)
        task = self.scheduler.current
        if task is not None:
            self._seen[task.name] = (version_id.key, listed, completed)
        self._answer("arm.read")
        return found

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        self._call("arm.write", version_id)
        now = self.clock()
        version = self.versions_by_key.get(version_id.key)
        if version is None or version.deleted:
            raise GoneError("the image version does not exist")
        names = {"".join(str(entry["name"]).lower().split()): dict(entry) for entry in entries}
        forbidden = (self.refused & names.keys()) - version.entries.keys()
        if forbidden:
            raise RegionRefusedError(
                f"not available: {sorted(forbidden)}",
                code=FailureCode.REGION_UNAVAILABLE,
                regions=[Region(name) for name in sorted(forbidden)],
            )
        if self.faults.rejects_while_updating and version.is_updating(now):
            self.faults.counts["conflict"] += 1
            raise ConflictError("an update is under way", code="Conflict")
        # What the app asks for and had not seen is its own: Azure cannot tell who was first.
        version.ever_added_by_app |= names.keys() - self._book(version, names, now)
        if self.faults.strikes("write_lost"):
            self.scheduler.tell("arm: the write is accepted and lost")
        else:
            self.apply(version, names)
        self._answer("arm.write")

    def versions(
        self, subscription_id: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        self.scheduler.point("arm.list")
        for version in list(self.versions_by_key.values()):
            if self.faults.strikes("list_broken"):
                error = TransientError("503: the list broke off", code="503")
                yield UnreadPart(name=version.id.image, error=error)
                continue
            if not version.deleted and version.id.subscription_id == subscription_id:
                body = _body(version, self.clock())
                del body["properties"]["replicationStatus"]
                yield read_version(version.id, body, catalog)
            self.scheduler.point("arm.list page")

    def subscriptions(self) -> tuple[str, ...]:
        self._call("arm.subscriptions", None)
        return tuple({one.id.subscription_id for one in self.versions_by_key.values()})

    def apply(self, version: Version, names: Mapping[str, dict[str, Any]]) -> None:
        """Make this the version's list: copies start, and those of regions left out end."""
        now = self.clock()
        for name in [name for name in version.copies if name not in names]:
            del version.copies[name]
        for name in names:
            copy = version.copies.get(name)
            if copy is None or copy.state(now) == "Failed":
                version.copies[name] = self._new_copy(now)
        version.entries = {name: dict(entry) for name, entry in names.items()}

    def _new_copy(self, now: datetime) -> Copy:
        copy = Copy(began_at=now, lasts_s=self.chance.uniform(60, 4000))
        copy.fails = self.faults.strikes("copy_failed")
        if self.faults.strikes("copy_stalled"):
            copy.stalls_s = self.chance.uniform(1800, 4 * 3600)
        return copy

    def _call(self, label: str, version_id: ImageVersionId | None) -> None:
        where = f" {version_id.version}" if version_id else ""
        self.scheduler.point(label + where)
        error = self._refusal()
        if error is not None:
            self.scheduler.tell(f"arm: {label} answers {error!r}")
            raise error

    def _refusal(self) -> ReplicationError | None:
        if self.faults.strikes("throttled"):
            kind = self.chance.choice(tuple(ThrottleKind))
            pause_s = self.chance.uniform(1, 300)
            return ThrottledError("429: slow down", retry_after_s=pause_s, kind=kind)
        if self.faults.strikes("throttled_without_a_time"):
            return ThrottledError("429: slow down")
        if self.faults.strikes("unavailable"):
            return TransientError("503: try later", code="503")
        if self.faults.strikes("conflict"):
            return ConflictError("409: someone writes", code="Conflict")
        if self.faults.strikes("unknown_refusal"):
            return UnknownAnswerError("400: in words of next year", code="Novel")
        return None

    def _answer(self, label: str) -> None:
        """Give others a turn before the answer arrives; it may never arrive."""
        self.scheduler.point(f"{label} answered")
        if self.faults.strikes("answer_lost"):
            raise TransientError("the connection broke", code="unreachable")

    def _book(self, version: Version, names: Mapping[str, object], now: datetime) -> frozenset[str]:
        """Keep what the write does, beside what its writer had seen, and return the latter."""
        task = self.scheduler.current
        who = task.name if task else "?"
        key, seen, completed = self._seen.pop(who, ("", frozenset[str](), frozenset[str]()))
        if key != version.id.key:
            self.problems.append(f"{who} wrote {version.id.version} without a fresh look at it")
        dropped = frozenset(version.entries.keys() - names.keys())
        self.writes.append(
            Write(
                task=who,
                version=version.id,
                at=now,
                seen=seen,
                seen_completed=completed,
                added=frozenset(names.keys() - version.entries.keys()),
                dropped=dropped,
                dropped_ours=dropped & version.ever_added_by_app,
            )
        )
        return seen


def _body(version: Version, now: datetime) -> dict[str, Any]:
    summary = [
        {"region": name, "state": copy.state(now), "progress": copy.percent(now)}
        for name, copy in version.copies.items()
    ]
    state = "Updating" if version.is_updating(now) else "Succeeded"
    return {
        "id": str(version.id),
        "location": version.home,
        "properties": {
            "provisioningState": state,
            "publishingProfile": {
                "targetRegions": list(version.entries.values()),
                "replicationMode": "Full",
            },
            "storageProfile": {"osDiskImage": {"sizeInGB": 127}},
            "safetyProfile": {"allowDeletionOfReplicatedLocations": version.may_remove},
            "replicationStatus": {"summary": summary},
        },
    }


def finished(began_at: datetime) -> Copy:
    """Return a copy that was done long ago, as that of a home region is."""
    return Copy(began_at=began_at - timedelta(days=1), lasts_s=1)
