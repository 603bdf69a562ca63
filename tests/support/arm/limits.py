"""Azure's rate limits on a clock that a test moves, in both ways in which they may be counted.

Resource Manager's are token buckets. The compute provider's are so many calls in 3 and in 30
minutes; whether a window begins anew for all at once or every call comes back in its own time is
recorded nowhere.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from replication.azure.arm.rate_headers import rate_readings
from replication.domain.errors import Operation, ThrottledError
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.regions import RegionCatalog
from replication.guards.rate_meter import RateMeter
from replication.ports import UnreadPart
from tests.support.arm.gallery import MemoryGallery


class Allowance(Protocol):
    """One limit; times are seconds since the epoch."""

    def wait_s(self, now_s: float) -> float:
        """Return how long until a call fits."""
        ...

    def spend(self, now_s: float) -> int:
        """Count a call and return how many more fit now."""
        ...


@dataclass(slots=True)
class Refilled:
    """What was spent comes back evenly."""

    size: float
    per_s: float
    level: float = -1.0
    at_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        return max(0.0, (1 - self._now(now_s)) / self.per_s)

    def spend(self, now_s: float) -> int:
        self.level, self.at_s = max(0.0, self._now(now_s) - 1), now_s
        return math.floor(self.level)

    def _now(self, now_s: float) -> float:
        if self.level < 0:
            return self.size
        # A millionth for what is lost in adding up.
        return min(self.size, self.level + (now_s - self.at_s) * self.per_s + 1e-6)


@dataclass(slots=True)
class FixedWindow:
    """What was spent comes back at the end of a window of the clock."""

    size: int
    window_s: float
    window: int = -1
    used: int = 0

    def wait_s(self, now_s: float) -> float:
        window = math.floor(now_s / self.window_s)
        if window != self.window or self.used < self.size:
            return 0.0
        return (window + 1) * self.window_s - now_s

    def spend(self, now_s: float) -> int:
        window = math.floor(now_s / self.window_s)
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        return self.size - self.used


type MakeAllowance = Callable[[int, float], Allowance]


def refilled(calls: int, window_s: float) -> Allowance:
    return Refilled(size=calls, per_s=calls / window_s)


def fixed(calls: int, window_s: float) -> Allowance:
    return FixedWindow(size=calls, window_s=window_s)


_PROVIDER = {
    Operation.READ: ("GetGalleryImageVersion", (2_000, 10_000)),
    Operation.WRITE: ("CreateUpdateGalleryImageVersion", (375, 1_200)),
}
_ARM = {
    Operation.READ: ("subscription-reads", 250, 25),
    Operation.WRITE: ("subscription-writes", 200, 10),
}


@dataclass(slots=True)
class Subscription:
    """The limits of one subscription; `model` says how the provider counts."""

    model: MakeAllowance
    arm: dict[Operation, Allowance] = field(init=False)
    provider: dict[Operation, dict[str, Allowance]] = field(init=False)

    def __post_init__(self) -> None:
        self.arm = {one: Refilled(size=size, per_s=per_s) for one, (_, size, per_s) in _ARM.items()}
        self.provider = {
            one: {
                f"{name}3Min": self.model(calls[0], 180),
                f"{name}30Min": self.model(calls[1], 1_800),
            }
            for one, (name, calls) in _PROVIDER.items()
        }

    def wait_s(self, operation: Operation, now_s: float) -> float:
        """Return how long until a call fits."""
        limits = (self.arm[operation], *self.provider[operation].values())
        return max(one.wait_s(now_s) for one in limits)

    def spend(self, operation: Operation, now_s: float) -> dict[str, str]:
        """Count a call that fits and return the headers of its answer."""
        left = {name: one.spend(now_s) for name, one in self.provider[operation].items()}
        resource = ",".join(f"Microsoft.Compute/{name};{count}" for name, count in left.items())
        return {
            "x-ms-ratelimit-remaining-resource": resource,
            f"x-ms-ratelimit-remaining-{_ARM[operation][0]}": str(self.arm[operation].spend(now_s)),
        }

    def refusal(self, operation: Operation, now_s: float) -> dict[str, str]:
        """Return the headers of a 429, which say what is used up."""
        full = [name for name, one in self.provider[operation].items() if one.wait_s(now_s) > 0]
        if not full:
            return {f"x-ms-ratelimit-remaining-{_ARM[operation][0]}": "0"}
        resource = ",".join(f"Microsoft.Compute/{name};0" for name in full)
        return {"x-ms-ratelimit-remaining-resource": resource}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as Azure saw it."""

    at: datetime
    operation: Operation
    refused: bool


@dataclass(slots=True)
class LimitedGallery:
    """A gallery in memory behind the limits, as one instance of the app reaches it."""

    gallery: MemoryGallery
    limits: Subscription
    meter: RateMeter
    calls: list[Call]
    tells_when: bool = True

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        self._call(Operation.READ, "GET", version_id)
        return self.gallery.read(version_id, catalog)

    def set_target_regions(
        self, version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        self._call(Operation.WRITE, "PATCH", version_id)
        self.gallery.set_target_regions(version_id, entries)

    def versions(
        self, subscription_id: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        return self.gallery.versions(subscription_id, catalog)

    def subscriptions(self) -> tuple[str, ...]:
        return self.gallery.subscriptions()

    def of_another_instance(self) -> "LimitedGallery":
        """Return the same gallery with a meter of its own."""
        return replace(self, meter=RateMeter())

    def _call(self, operation: Operation, method: str, version_id: ImageVersionId) -> None:
        now = self.gallery.clock()
        wait_s = self.limits.wait_s(operation, now.timestamp())
        self.calls.append(Call(at=now, operation=operation, refused=wait_s > 0))
        tell = self.limits.refusal if wait_s > 0 else self.limits.spend
        headers = tell(operation, now.timestamp())
        self.meter.put(rate_readings(method, str(version_id), headers))
        if wait_s > 0:
            # Azure's Retry-After is in whole seconds.
            retry_after_s = math.ceil(wait_s) if self.tells_when else None
            raise ThrottledError("TooManyRequests: slow down", retry_after_s=retry_after_s)


def ideal_s(limits: Subscription, exports: int, *, start: datetime) -> float:
    """Return when the last write would be accepted if each went the moment it fits."""
    now_s = start.timestamp()
    for _ in range(exports):
        for operation in (Operation.READ, Operation.WRITE):
            now_s += limits.wait_s(operation, now_s)
            limits.spend(operation, now_s)
    return now_s - start.timestamp()
