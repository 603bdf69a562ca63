"""Metrics, as Prometheus asks for them."""

from http import HTTPStatus

import azure.functions as func

from bootstrap import get_app
from handlers.http.access import Role
from handlers.http.responses import Answered, Text, answer
from replication.telemetry.process import ProcessTelemetry
from replication.telemetry.release import release

blueprint = func.Blueprint()


@blueprint.function_name("metrics")
@blueprint.route(route="metrics", methods=["GET"])
def metrics(req: func.HttpRequest) -> func.HttpResponse:
    """Return the figures of this process, and the gauges of what stands in storage."""
    return answer(req, Role.READER, lambda _: _metrics())


def _metrics() -> Answered:
    from replication.telemetry.prometheus import MEDIA_TYPE, render  # noqa: PLC0415 - only here

    app = get_app()
    telemetry = app.ports.telemetry
    # An app without figures of its own still knows what stands in storage.
    process = telemetry if isinstance(telemetry, ProcessTelemetry) else ProcessTelemetry()
    content = render(
        process.tally.figures(), app.gauges.read(), instance=process.instance, release=release()
    )
    return HTTPStatus.OK, Text(content=content, media_type=MEDIA_TYPE)
