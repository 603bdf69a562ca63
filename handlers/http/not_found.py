"""Answer where the API has no call: problem details, as everywhere else in it."""

from http import HTTPStatus

import azure.functions as func

from handlers.http.access import Role
from handlers.http.request import ProblemError
from handlers.http.responses import Answered, answer

blueprint = func.Blueprint()
_SHOWN = 80


@blueprint.function_name("no_such_call")
@blueprint.route(
    route="api/{*rest}",
    methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
)
def no_such_call(req: func.HttpRequest) -> func.HttpResponse:
    """Say that there is no such call; after every other: the host asks by name."""
    # Who may only look may be told as much.
    return answer(req, Role.READER, lambda _: _refuse(req))


def _refuse(req: func.HttpRequest) -> Answered:
    path = f"/api/{req.route_params.get('rest', '')}"
    raise ProblemError(
        HTTPStatus.NOT_FOUND,
        f"there is no call {req.method.upper()} {path[:_SHOWN]}; docs/api.md lists those there are",
    )
