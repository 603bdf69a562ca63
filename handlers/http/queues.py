"""Queues over HTTP: what waits in them, pause and resume."""

from http import HTTPStatus

import azure.functions as func

from api.schemas.operations import QueueChange
from bootstrap import get_app
from handlers.http.access import Caller, Role
from handlers.http.request import ProblemError, read_body
from handlers.http.responses import Answered, answer
from replication.guards.pauses import MAX_REASON, is_reason
from replication.ports import QueueName

blueprint = func.Blueprint()


@blueprint.function_name("api_queues")
@blueprint.route(route="api/v1/queues", methods=["GET"])
def queues(req: func.HttpRequest) -> func.HttpResponse:
    """Show the queues."""
    return answer(req, Role.READER, lambda _: (HTTPStatus.OK, get_app().queries.queue_depths()))


@blueprint.function_name("api_pause")
@blueprint.route(route="api/v1/queues/{name}/pause", methods=["POST"])
def pause(req: func.HttpRequest) -> func.HttpResponse:
    """Pause a queue."""
    return answer(req, Role.OPERATOR, lambda caller: _pause(req, caller))


@blueprint.function_name("api_resume")
@blueprint.route(route="api/v1/queues/{name}/resume", methods=["POST"])
def resume(req: func.HttpRequest) -> func.HttpResponse:
    """Resume a queue."""
    return answer(req, Role.OPERATOR, lambda caller: _resume(req, caller))


def _pause(req: func.HttpRequest, caller: Caller) -> Answered:
    queue = _queue(req)
    reason = read_body(req, ("reason",)).get("reason", "no reason given")
    if not isinstance(reason, str) or not is_reason(reason):
        sentence = f"reason is a text of 1 to {MAX_REASON} printable characters"
        raise ProblemError(HTTPStatus.BAD_REQUEST, sentence)
    change = get_app().operations.pause(queue, by=caller.by, reason=reason)
    return HTTPStatus.OK, QueueChange.of(queue, change)


def _resume(req: func.HttpRequest, caller: Caller) -> Answered:
    queue = _queue(req)
    read_body(req, ())
    change = get_app().operations.resume(queue, by=caller.by)
    return HTTPStatus.OK, QueueChange.of(queue, change)


def _queue(req: func.HttpRequest) -> QueueName:
    name = req.route_params.get("name", "")
    try:
        return QueueName(name)
    except ValueError as error:
        known = ", ".join(one.value for one in QueueName)
        sentence = f"there is no queue {name[:60]!r}; there are {known}"
        raise ProblemError(HTTPStatus.NOT_FOUND, sentence) from error
