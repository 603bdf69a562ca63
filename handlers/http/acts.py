"""What an operator may do over HTTP: replicate, cancel, release, pause and resume.

Each act is recorded with its caller, and may be repeated without harm.
"""

from http import HTTPStatus
from typing import Any

import azure.functions as func

from bootstrap.adapters import get_app
from handlers.http.access import Caller, Role
from handlers.http.problems import ProblemError
from handlers.http.request import read_body, read_flag, read_key
from handlers.http.responses import Answered, answer
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.guards.pauses import MAX_REASON, PauseChange, is_reason
from replication.operations.cancel import Cancelled
from replication.operations.release import Released
from replication.ports import QueueName

blueprint = func.Blueprint()


@blueprint.function_name("api_replicate")
@blueprint.route(route="api/v1/replications", methods=["POST"])
def replicate(req: func.HttpRequest) -> func.HttpResponse:
    """Replicate an image version now."""
    return answer(req, Role.OPERATOR, lambda caller: _replicate(req, caller))


@blueprint.function_name("api_cancel")
@blueprint.route(route="api/v1/replications/{key}/cancel", methods=["POST"])
def cancel(req: func.HttpRequest) -> func.HttpResponse:
    """Stop following and retrying a replication."""
    return answer(req, Role.OPERATOR, lambda caller: _cancel(req, caller))


@blueprint.function_name("api_release")
@blueprint.route(route="api/v1/replications/{key}/release", methods=["POST"])
def release(req: func.HttpRequest) -> func.HttpResponse:
    """Let a plan go that a budget holds back."""
    return answer(req, Role.OPERATOR, lambda caller: _release(req, caller))


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


def _replicate(req: func.HttpRequest, caller: Caller) -> Answered:
    body = read_body(req, ("image_version_id",))
    try:
        version_id = ImageVersionId.parse(body.get("image_version_id"))
    except MalformedImageVersionIdError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"image_version_id: {error}") from error
    app = get_app()
    out_of_scope = app.policy.why_out_of_scope(version_id)
    if out_of_scope:
        raise ProblemError(HTTPStatus.CONFLICT, out_of_scope)
    taken = app.operations.replicate(version_id, by=caller.by)
    if taken.action == "not_found":
        raise ProblemError(HTTPStatus.NOT_FOUND, f"{version_id}: {taken.reason}")
    return HTTPStatus.ACCEPTED, {
        "action": taken.action,
        "reason": taken.reason,
        "image_version_id": str(version_id),
        "key": version_id.key,
    }


def _cancel(req: func.HttpRequest, caller: Caller) -> Answered:
    key, remove = _key(req), read_flag(read_body(req, ("remove",)), "remove")
    cancelled = get_app().operations.cancel(key, remove=remove, by=caller.by)
    return _acted(key, cancelled, stands=cancelled is not None and cancelled.stands)


def _release(req: func.HttpRequest, caller: Caller) -> Answered:
    key = _key(req)
    read_body(req, ())
    released = get_app().operations.release(key, by=caller.by)
    return _acted(key, released)


def _acted(key: str, outcome: Cancelled | Released | None, *, stands: bool = False) -> Answered:
    """Answer an act; what was so before stands, and is no conflict."""
    if outcome is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no replication has the key {key}")
    if not (outcome.done or stands):
        raise ProblemError(HTTPStatus.CONFLICT, outcome.reason)
    return HTTPStatus.ACCEPTED, {"key": key, "done": outcome.done, "reason": outcome.reason}


def _pause(req: func.HttpRequest, caller: Caller) -> Answered:
    queue = _queue(req)
    reason = read_body(req, ("reason",)).get("reason", "no reason given")
    if not isinstance(reason, str) or not is_reason(reason):
        told = f"reason is a text of 1 to {MAX_REASON} printable characters"
        raise ProblemError(HTTPStatus.BAD_REQUEST, told)
    return HTTPStatus.OK, _changed(
        queue, get_app().operations.pause(queue, by=caller.by, reason=reason)
    )


def _resume(req: func.HttpRequest, caller: Caller) -> Answered:
    queue = _queue(req)
    read_body(req, ())
    return HTTPStatus.OK, _changed(queue, get_app().operations.resume(queue, by=caller.by))


def _changed(queue: QueueName, change: PauseChange) -> dict[str, Any]:
    return {
        "name": queue.value,
        "paused": change.pause is not None,
        "done": change.done,
        "reason": change.reason,
    }


def _key(req: func.HttpRequest) -> str:
    return read_key(req.route_params.get("key", ""))


def _queue(req: func.HttpRequest) -> QueueName:
    name = req.route_params.get("name", "")
    try:
        return QueueName(name)
    except ValueError as error:
        known = ", ".join(one.value for one in QueueName)
        told = f"there is no queue {name[:60]!r}; there are {known}"
        raise ProblemError(HTTPStatus.NOT_FOUND, told) from error
