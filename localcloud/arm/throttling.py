"""Azure's rate limits, counted in simulated time.

Resource Manager's are token buckets for each subscription; the compute provider's are windows of 3
and of 30 minutes for each operation, with the figures that the vendor's recordings show.
"""

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.resource_ids import Kind

_WINDOWS = (("3Min", 180.0), ("30Min", 1800.0))
# A subscription's limit over all its principals is that of one times this.
_GLOBAL_FACTOR = 15

# Those that were seen nowhere take their neighbours': deletions of galleries and definitions, the
# list of definitions, and the list of a subscription's galleries, which is that of a group here.
LIMITS: dict[str, tuple[int, int]] = {
    "CreateUpdateGalleryImageVersion": (375, 1_200),
    "GetGalleryImageVersion": (2_000, 10_000),
    "DeleteGalleryImageVersion": (150, 1_000),
    "ListGalleryImageVersionsInGalleryImage": (1_500, 10_000),
    "CreateUpdateGallery": (50, 300),
    "GetGallery": (350, 2_500),
    "DeleteGallery": (50, 300),
    "ListGalleryInResourceGroup": (100, 1_000),
    "CreateUpdateGalleryImage": (150, 750),
    "GetGalleryImage": (600, 3_000),
    "DeleteGalleryImage": (150, 1_000),
    "ListGalleryImagesInGallery": (1_500, 10_000),
    "GetOperationStatus": (5_000, 15_000),
}
_OPERATIONS = {
    (Kind.VERSION, "writes"): "CreateUpdateGalleryImageVersion",
    (Kind.VERSION, "reads"): "GetGalleryImageVersion",
    (Kind.VERSION, "deletes"): "DeleteGalleryImageVersion",
    (Kind.VERSIONS, "reads"): "ListGalleryImageVersionsInGalleryImage",
    (Kind.GALLERY, "writes"): "CreateUpdateGallery",
    (Kind.GALLERY, "reads"): "GetGallery",
    (Kind.GALLERY, "deletes"): "DeleteGallery",
    (Kind.GALLERIES, "reads"): "ListGalleryInResourceGroup",
    (Kind.IMAGE, "writes"): "CreateUpdateGalleryImage",
    (Kind.IMAGE, "reads"): "GetGalleryImage",
    (Kind.IMAGE, "deletes"): "DeleteGalleryImage",
    (Kind.IMAGES, "reads"): "ListGalleryImagesInGallery",
    (Kind.OPERATION, "reads"): "GetOperationStatus",
}
_VERBS = {"GET": "reads", "DELETE": "deletes"}


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """How many requests at once, and how many more a second."""

    size: float
    refill_per_s: float


BUCKETS = {
    "reads": TokenBucket(250, 25),
    "writes": TokenBucket(200, 10),
    "deletes": TokenBucket(200, 10),
}


class ThrottledError(ArmError):
    """429; `wait_s` in simulated seconds, `remaining` the headers of what is left."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        wait_s: float,
        remaining: dict[str, str],
        details: list[dict[str, Any]],
    ) -> None:
        super().__init__(429, code, message, details=details, headers=remaining)
        self.wait_s = wait_s


@dataclass(slots=True)
class Throttle:
    """Counts requests; one that is refused costs nothing."""

    _tokens: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    _used: dict[tuple[str, str, str], tuple[int, int]] = field(
        default_factory=lambda: defaultdict(lambda: (-1, 0))
    )

    def take(
        self, subscription: str, method: str, kind: Kind, now: float, *, enforce: bool = True
    ) -> dict[str, str]:
        """Count a request and return the headers of what remains; raises ThrottledError."""
        verb = _VERBS.get(method, "writes")
        operation = _OPERATIONS.get((kind, verb))
        bucket, key = BUCKETS[verb], (subscription, verb)
        level, at = self._tokens.get(key, (bucket.size, now))
        level = min(bucket.size, level + (now - at) * bucket.refill_per_s)
        if level < 1 and enforce:
            wait_s = (1 - level) / bucket.refill_per_s
            raise _too_many_requests(subscription, verb, wait_s)
        resource = self._take_windows(subscription, operation, now, enforce=enforce)
        self._tokens[key] = (max(0.0, level - 1), now)
        left = math.floor(max(0.0, level - 1))
        headers = {
            f"x-ms-ratelimit-remaining-subscription-{verb}": str(left),
            f"x-ms-ratelimit-remaining-subscription-global-{verb}": str(
                left + math.floor(bucket.size) * (_GLOBAL_FACTOR - 1)
            ),
        }
        if resource:
            headers["x-ms-ratelimit-remaining-resource"] = resource
        return headers

    def _take_windows(
        self, subscription: str, operation: str | None, now: float, *, enforce: bool
    ) -> str:
        if operation is None:
            return ""
        counts: list[tuple[tuple[str, str, str], int, int]] = []
        for (label, span_s), limit in zip(_WINDOWS, LIMITS[operation], strict=True):
            key, window = (subscription, operation, label), math.floor(now / span_s)
            held, used = self._used[key]
            used = used if held == window else 0
            if used >= limit and enforce:
                raise _too_many_in_window(
                    f"{operation}{label}", limit, wait_s=(window + 1) * span_s - now, span_s=span_s
                )
            counts.append((key, window, used + 1))
        for key, window, used in counts:
            self._used[key] = (window, used)
        return ",".join(
            f"Microsoft.Compute/{operation}{label};{max(0, limit - used)}"
            for (label, _), limit, (_, _, used) in zip(
                _WINDOWS, LIMITS[operation], counts, strict=True
            )
        )


def _too_many_requests(subscription: str, verb: str, wait_s: float) -> ThrottledError:
    return ThrottledError(
        "SubscriptionRequestsThrottled",
        f"Number of '{verb}' requests for subscription '{subscription}' exceeded. Please try again "
        f"after '{math.ceil(wait_s)}' seconds after additional tokens are available.",
        wait_s=wait_s,
        remaining={f"x-ms-ratelimit-remaining-subscription-{verb}": "0"},
        details=[],
    )


def _too_many_in_window(group: str, limit: int, *, wait_s: float, span_s: float) -> ThrottledError:
    end = datetime.now(UTC) + timedelta(seconds=wait_s)
    measured = {
        "operationGroup": group,
        "startTime": (end - timedelta(seconds=span_s)).isoformat(),
        "endTime": end.isoformat(),
        "allowedRequestCount": limit,
        "measuredRequestCount": limit + 1,
    }
    return ThrottledError(
        "ResourceCollectionRequestsThrottled",
        "The server rejected the request because too many requests have been received for this "
        "subscription.",
        wait_s=wait_s,
        remaining={"x-ms-ratelimit-remaining-resource": f"Microsoft.Compute/{group};0"},
        details=[{"code": "TooManyRequests", "target": group, "message": json.dumps(measured)}],
    )
