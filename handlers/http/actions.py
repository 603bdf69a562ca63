"""The operators' journal over HTTP."""

from collections.abc import Mapping
from http import HTTPStatus

import azure.functions as func

from api.schemas.operations import ActionPage
from bootstrap import get_app
from handlers.http.access import Role
from handlers.http.request import ProblemError, read_limit, refuse_unknown
from handlers.http.responses import Answered, answer
from replication.domain.errors import MalformedError

blueprint = func.Blueprint()
MAX_LIMIT = 200
_DEFAULT_LIMIT = 50


@blueprint.function_name("api_actions")
@blueprint.route(route="api/v1/actions", methods=["GET"])
def actions(req: func.HttpRequest) -> func.HttpResponse:
    """List what operators did."""
    return answer(req, Role.READER, lambda _: _actions(req.params))


def _actions(params: Mapping[str, str]) -> Answered:
    try:
        refuse_unknown(params, ("cursor", "limit"))
        page = get_app().operations.journal.page(
            cursor=params.get("cursor") or None,
            limit=read_limit(params, default=_DEFAULT_LIMIT, most=MAX_LIMIT),
        )
    except MalformedError as error:  # a parameter, the cursor among them
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
    return HTTPStatus.OK, ActionPage.of(page)
