"""Read what Azure's answers say is left of its rate limits."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from replication.domain.errors import Operation
from replication.guards.rate_meter import RateMeter
from replication.guards.throttling import RateReading, ThrottleScope

_SUBSCRIPTION = re.compile(r"^/subscriptions/([0-9a-z-]{1,64})/", re.IGNORECASE)
_VERSION = re.compile(r"/galleries/[^/]+/images/[^/]+/versions/[^/]+$", re.IGNORECASE)
_RESOURCE = "x-ms-ratelimit-remaining-resource"
_ARM = {Operation.READ: "subscription-reads", Operation.WRITE: "subscription-writes"}
_BUCKET = re.compile(r"[a-z]{0,40}galleryimageversion[a-z0-9]{0,20}")
_MAX_DIGITS = 9
_MAX_BUCKETS = 8


class RateHeaderPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Puts the readings of every answer about an image version on the meter."""

    def __init__(self, meter: RateMeter) -> None:
        self._meter = meter

    def on_response(
        self,
        request: PipelineRequest[HttpRequest],
        response: PipelineResponse[HttpRequest, HttpResponse],
    ) -> None:
        sent = request.http_request
        path = urlsplit(sent.url).path
        self._meter.put(rate_readings(sent.method, path, response.http_response.headers))


def rate_readings(method: str, path: str, headers: Mapping[str, str]) -> Iterator[RateReading]:
    """Return the readings in the headers of one answer; what cannot be read is left out."""
    subscription = _SUBSCRIPTION.match(path)
    if subscription is None or _VERSION.search(path) is None:
        return
    operation = Operation.READ if method == "GET" else Operation.WRITE
    scope = ThrottleScope(subscription_id=subscription[1].lower(), operation=operation)
    lowered = {name.lower(): value for name, value in headers.items()}
    for part in lowered.get(_RESOURCE, "").split(",")[:_MAX_BUCKETS]:
        name, _, count = part.strip().rpartition(";")
        bucket = name.rpartition("/")[2].lower()
        remaining = _count(count)
        if _BUCKET.fullmatch(bucket) and remaining is not None:
            yield RateReading(scope=scope, bucket=bucket, remaining=remaining)
    bucket = _ARM[operation]
    remaining = _count(lowered.get(f"x-ms-ratelimit-remaining-{bucket}", ""))
    if remaining is not None:
        yield RateReading(scope=scope, bucket=bucket, remaining=remaining)


def _count(text: str) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        return None
    return int(text)
