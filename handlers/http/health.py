"""The app's health over HTTP."""

from http import HTTPStatus
from typing import Any

import azure.functions as func

from bootstrap import get_app
from handlers.http.access import Role
from handlers.http.responses import answer

blueprint = func.Blueprint()


@blueprint.function_name("api_health")
@blueprint.route(route="api/v1/health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Tell whether the app can do its work."""
    return answer(req, Role.READER, lambda _: _health())


def _health() -> tuple[HTTPStatus, dict[str, Any]]:
    well, body = get_app().queries.health()
    return (HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE), body
