"""OpenAPI document over HTTP."""

from http import HTTPStatus

import azure.functions as func

from handlers.http.access import Role
from handlers.http.responses import Answered, answer

blueprint = func.Blueprint()


# Named so that it comes before the function that answers where there is no call: the host sorts
# functions by name, and the first whose route fits takes the call.
@blueprint.function_name("api_document")
@blueprint.route(route="api/v1/openapi.json", methods=["GET"])
def openapi(req: func.HttpRequest) -> func.HttpResponse:
    """Describe the API."""
    return answer(req, Role.READER, lambda _: _document())


def _document() -> Answered:
    from api.openapi import document  # noqa: PLC0415 - 50 ms, for a call that is seldom made

    return HTTPStatus.OK, document()
