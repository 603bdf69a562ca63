"""Cost audit over HTTP."""

from collections.abc import Mapping
from datetime import UTC
from http import HTTPStatus
from typing import Any

import azure.functions as func

from api.parameters import asking, read_limit, refuse_unknown
from bootstrap import get_app
from costs.report.query import API_FORMS, MAX_GROUPS, Form, TooLongError, read_report_query
from handlers.http.access import Role
from handlers.http.request import ProblemError
from handlers.http.responses import Text, answer
from replication.domain.errors import MalformedError

blueprint = func.Blueprint()
_YES_NO = {"": True, "yes": True, "no": False}
_KNOWN = ("group_by", "from", "to", "format", "currency", "limit", "azure")
# A call is answered within 230 seconds or not at all.
_AZURE_TIME_S = 60.0
_SHOWN = 20


@blueprint.function_name("api_costs")
@blueprint.route(route="api/v1/costs", methods=["GET"])
def costs(req: func.HttpRequest) -> func.HttpResponse:
    """Report what replicas cost."""
    return answer(req, Role.READER, lambda _: _costs(req.params))


def _costs(params: Mapping[str, str]) -> tuple[HTTPStatus, dict[str, Any] | Text]:
    app = get_app()
    with asking():
        form, ask_azure = _check(params)
        query = read_report_query(
            today=app.ports.clock().astimezone(UTC).date(),
            from_text=params.get("from"),
            to_text=params.get("to"),
            group_by=[params.get("group_by", "")],
            currency=params.get("currency"),
            limit=read_limit(params, default=MAX_GROUPS, most=MAX_GROUPS),
        )
    if form is Form.JSON:
        return HTTPStatus.OK, app.costs.report(
            query, ask_azure=ask_azure, azure_time_s=_AZURE_TIME_S
        )
    try:
        content = app.costs.text(query, form)
    except TooLongError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
    return HTTPStatus.OK, Text(content=content, media_type="text/csv")


def _check(params: Mapping[str, str]) -> tuple[Form, bool]:
    """Return the format, and whether Azure is asked; raises MalformedError."""
    refuse_unknown(params, _KNOWN)
    form = params.get("format") or Form.JSON
    if form not in API_FORMS:
        raise MalformedError(f"format is {form[:_SHOWN]!r}; it is one of {', '.join(API_FORMS)}")
    azure = params.get("azure", "")
    if azure not in _YES_NO:
        raise MalformedError(f"azure is {azure[:_SHOWN]!r}; it is yes or no")
    return Form(form), _YES_NO[azure]
