"""Azure Compute Gallery in memory, with copies that take their time on a fake clock."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from replication.azure.arm.image_version import read_version
from replication.domain.errors import (
    FailureCode,
    GoneError,
    MissingReferenceError,
    ReplicationError,
)
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.regions import RegionCatalog
from replication.ports import UnreadPart
from tests.support.builders import SUBSCRIPTION
from tests.support.clock import FakeClock


@dataclass
class MemoryGallery:
    """Holds ARM bodies; a test edits them as Azure or a rival would.

    Copies run at `copy_s` seconds a region, times the region's `slowness`; `failures` are raised
    by the next calls, the next `failing[region]` copies fail, for the reason in `failure_details`;
    every write is kept in `writes`. No region can be added to a version whose id in small letters
    is in `lost_sources`.
    """

    clock: FakeClock
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    copy_s: float = 420
    slowness: dict[str, float] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    failure_details: str = ""
    read_failures: list[ReplicationError] = field(default_factory=list)
    write_failures: list[ReplicationError] = field(default_factory=list)
    lose_next_write: bool = False
    lost_sources: set[str] = field(default_factory=set)
    reads: int = 0
    attempts: int = 0
    writes: list[list[dict[str, Any]]] = field(default_factory=list)
    _started: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def add(self, version_id: ImageVersionId, body: dict[str, Any]) -> None:
        self.bodies[str(version_id).lower()] = body
        for entry in body["properties"]["publishingProfile"].get("targetRegions") or ():
            name = "".join(entry["name"].lower().split())
            self._started[str(version_id).lower(), name] = datetime.min.replace(tzinfo=UTC)

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        self.reads += 1
        if self.read_failures:
            raise self.read_failures.pop(0)
        body = self.bodies.get(str(version_id).lower())
        if body is None:
            return None
        return read_version(version_id, self._with_status(version_id, body), catalog)

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        if self.write_failures:
            raise self.write_failures.pop(0)
        body = self.bodies.get(str(version_id).lower())
        if body is None:
            raise GoneError("the image version does not exist")
        self.attempts += 1
        self._refuse_without_source(version_id, len(entries))
        self.writes.append([dict(entry) for entry in entries])
        if self.lose_next_write:
            self.lose_next_write = False
            return
        known = set()
        for entry in entries:
            name = "".join(entry["name"].lower().split())
            known.add(name)
            place = (str(version_id).lower(), name)
            restarts = place in self._started and self.failing.get(name, 0) > 0
            if restarts:
                self.failing[name] -= 1
            if restarts or place not in self._started:
                self._started[place] = self.clock()
        for place in [one for one in self._started if one[0] == str(version_id).lower()]:
            if place[1] not in known:
                del self._started[place]
                if self.failing.get(place[1], 0) > 0:
                    self.failing[place[1]] -= 1
        body["properties"]["publishingProfile"]["targetRegions"] = copy.deepcopy(list(entries))

    def _refuse_without_source(self, version_id: ImageVersionId, count: int) -> None:
        adds = count > len(self.names(version_id))
        if adds and str(version_id).lower() in self.lost_sources:
            said = "NotFound: Source was not found"
            raise MissingReferenceError(said, code=FailureCode.SOURCE_MISSING)

    def versions(
        self, subscription_id: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        for text, body in sorted(self.bodies.items()):
            version_id = ImageVersionId.parse(text)
            if version_id.subscription_id == subscription_id.lower():
                yield read_version(version_id, body, catalog)

    def subscriptions(self) -> tuple[str, ...]:
        if self.read_failures:
            raise self.read_failures.pop(0)
        return (SUBSCRIPTION,)

    def names(self, version_id: ImageVersionId) -> list[str]:
        """Return the short names in the version's list."""
        body = self.bodies[str(version_id).lower()]
        entries = body["properties"]["publishingProfile"]["targetRegions"]
        return ["".join(entry["name"].lower().split()) for entry in entries]

    def _with_status(self, version_id: ImageVersionId, body: dict[str, Any]) -> dict[str, Any]:
        body = copy.deepcopy(body)
        summary, running = [], False
        for name in self.names(version_id):
            started = self._started.get((str(version_id).lower(), name))
            if started is None:
                continue
            elapsed_s = (self.clock() - started).total_seconds()
            share = min(1.0, elapsed_s / (self.copy_s * self.slowness.get(name, 1.0)))
            state, details = ("Completed" if share >= 1 else "Replicating"), ""
            if share >= 1 and self.failing.get(name, 0) > 0:
                state, details = "Failed", self.failure_details
            running = running or state == "Replicating"
            seen = {"region": name, "state": state, "progress": int(share * 100)}
            summary.append(seen | ({"details": details} if details else {}))
        body["properties"]["replicationStatus"] = {"summary": summary}
        if body["properties"]["provisioningState"] in ("Succeeded", "Updating"):
            body["properties"]["provisioningState"] = "Updating" if running else "Succeeded"
        return body
