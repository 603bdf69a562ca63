"""Measure every call to Azure Resource Manager, and show it in the trace."""

from http import HTTPStatus

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from replication.azure.arm.http_names import request_attributes
from replication.telemetry.metrics import HTTP_DURATION
from replication.telemetry.port import SpanKind, Telemetry


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
