"""Azure's rate limits for galleries, counted in simulated time.

Buckets of 3 and of 30 minutes for each subscription and operation, with the figures that the
vendor's recordings show in `x-ms-ratelimit-remaining-resource`.
"""

import math
from dataclasses import dataclass, field

from localcloud.arm.errors import ArmError

_WINDOWS = (("3Min", 180.0), ("30Min", 1800.0))
LIMITS: dict[str, tuple[int, int]] = {
    "CreateUpdateGalleryImageVersion": (375, 1200),
    "GetGalleryImageVersion": (2000, 10000),
    "DeleteGalleryImageVersion": (150, 1000),
    "ListGalleryImageVersionsByGalleryImage": (2000, 10000),
    "CreateUpdateGallery": (50, 300),
    "CreateUpdateGalleryImage": (150, 750),
    "GetGallery": (342, 2485),
    "GetGalleryImage": (2000, 10000),
    "GetOperationStatus": (5000, 15000),
}


@dataclass(slots=True)
class Throttle:
    """Counts requests in fixed windows."""

    enabled: bool = True
    _counts: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)

    def take(self, subscription_id: str, operation: str, now: float) -> str:
        """Count a request; returns the header's value, or raises ArmError 429.

        The error's `retry_after_s` is in simulated seconds.
        """
        limits = LIMITS.get(operation)
        if limits is None:
            return ""
        parts, wait_s = [], 0.0
        for (label, span_s), limit in zip(_WINDOWS, limits, strict=True):
            key = (subscription_id.lower(), operation, label)
            window = math.floor(now / span_s)
            seen, used = self._counts.get(key, (window, 0))
            used = used + 1 if seen == window else 1
            if used > limit and self.enabled:
                wait_s = max(wait_s, (window + 1) * span_s - now)
                used = limit
            self._counts[key] = (window, used)
            parts.append(f"Microsoft.Compute/{operation}{label};{max(0, limit - used)}")
        if wait_s > 0:
            raise ThrottledError(operation, wait_s)
        return ",".join(parts)


class ThrottledError(ArmError):
    """429; `wait_s` in simulated seconds."""

    def __init__(self, operation: str, wait_s: float) -> None:
        super().__init__(
            429,
            "ResourceCollectionRequestsThrottled",
            f"Operation '{operation}' has been throttled by the resource provider: too many "
            f"requests on this subscription. Please try after {math.ceil(wait_s)} seconds.",
        )
        self.wait_s = wait_s
