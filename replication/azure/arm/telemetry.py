"""ARM telemetry: every call is measured and stands in the trace, under no name of a resource."""

from http import HTTPStatus
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from replication.telemetry.metrics import HTTP_DURATION, OPERATION
from replication.telemetry.port import SpanKind, Telemetry, Value

_DEFAULT_PORTS = {"https": 443, "http": 80}
_PLACES = {
    "galleries": "{gallery}",
    "images": "{image}",
    "resourcegroups": "{resourceGroup}",
    "subscriptions": "{subscription}",
    "versions": "{version}",
}
# What may stand in a template as it is: it is one of few, and about nothing in particular.
_WORDS = frozenset({"locations", "providers", "resources", *_PLACES})
_VENDOR = "microsoft."
_READS = ("GET", "HEAD")
# Its queries are sent by POST.
_QUERIED = "microsoft.resourcegraph"
_MAX_PARTS = 20


class ArmTelemetryPolicy(HTTPPolicy[HttpRequest, HttpResponse]):
    """Opens a client span around one request; what is sent and answered stays as it is."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__()
        self._telemetry = telemetry

    def send(
        self, request: PipelineRequest[HttpRequest]
    ) -> PipelineResponse[HttpRequest, HttpResponse]:
        method = request.http_request.method
        attributes = request_attributes(method, request.http_request.url)
        with self._telemetry.span(
            f"{method} {attributes['url.template']}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            duration=HTTP_DURATION,
        ) as span:
            response = self.next.send(request)
            answer = response.http_response
            span.set("http.response.status_code", answer.status_code)
            request_id = answer.headers.get("x-ms-request-id")
            if request_id:
                span.set("azure.service.request.id", str(request_id))
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                span.failed(str(answer.status_code))
            return response


def url_template(path: str) -> str:
    """Return the path with every name in it replaced by what it is a name of."""
    parts: list[str] = []
    for part in [one for one in path.split("/") if one][:_MAX_PARTS]:
        word = part.lower()
        place = _PLACES.get(parts[-1].lower()) if parts else None
        if place is not None:
            parts.append(place)
        elif word in _WORDS or word.startswith(_VENDOR):
            parts.append(part)
        else:
            parts.append("{}")
    return "/" + "/".join(parts)


def request_attributes(method: str, url: str) -> dict[str, Value]:
    """Return the attributes of a call before it is made, as the conventions for HTTP name them."""
    parts = urlsplit(url)
    template = url_template(parts.path)
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "url.template": template,
        "server.address": parts.hostname or "",
        "server.port": parts.port or _DEFAULT_PORTS.get(parts.scheme, 0),
    }
    provider = next((one for one in template.split("/") if one.lower().startswith(_VENDOR)), None)
    reads = method in _READS or (provider or "").lower() == _QUERIED
    attributes[OPERATION] = "read" if reads else "write"
    if provider is not None:
        attributes["azure.resource_provider.namespace"] = provider
    return attributes
