"""Health of the app over HTTP."""

from http import HTTPStatus

import azure.functions as func

from bootstrap import get_app
from handlers.http.access import Role
from handlers.http.responses import Answered, answer

blueprint = func.Blueprint()


@blueprint.function_name("api_health")
@blueprint.route(route="api/v1/health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Tell whether the app can do its work."""
    return answer(req, Role.READER, lambda _: _health())


def _health() -> Answered:
    health = get_app().health.read()
    return (HTTPStatus.OK if health.is_well else HTTPStatus.SERVICE_UNAVAILABLE), health
