"""Journal of operators over HTTP."""

from collections.abc import Mapping
from http import HTTPStatus

import azure.functions as func

from api.parameters import CURSOR_PARAMETERS, asking, read_limit, refuse_unknown
from api.schemas.operations import ActionPage
from bootstrap import get_app
from handlers.http.access import Role
from handlers.http.responses import Answered, answer

blueprint = func.Blueprint()


@blueprint.function_name("api_actions")
@blueprint.route(route="api/v1/actions", methods=["GET"])
def actions(req: func.HttpRequest) -> func.HttpResponse:
    """List what operators did."""
    return answer(req, Role.READER, lambda _: _actions(req.params))


def _actions(params: Mapping[str, str]) -> Answered:
    with asking():  # the cursor among it
        refuse_unknown(params, CURSOR_PARAMETERS)
        page = get_app().operations.journal.page(
            cursor=params.get("cursor") or None, limit=read_limit(params)
        )
    return HTTPStatus.OK, ActionPage.of(page)
