"""Replications over HTTP: the list, one, and what an operator may do about one.

Each act is recorded with its caller, and may be repeated without harm.
"""

from collections.abc import Mapping
from http import HTTPStatus

import azure.functions as func

from api.acts import OutOfScopeError, UnknownVersionError
from api.acts import replicate as replicate_now
from api.parameters import (
    CURSOR_PARAMETERS,
    LIST_FILTERS,
    asking,
    read_limit,
    read_list_query,
    refuse_unknown,
)
from api.schemas.replications import Acted
from bootstrap import get_app
from handlers.http.access import Caller, Role
from handlers.http.request import (
    ProblemError,
    read_body,
    read_flag,
    read_key,
)
from handlers.http.responses import Answered, answer
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.listing.query import ListQuery
from replication.operations.cancel import Cancelled
from replication.operations.release import Released
from replication.ports import JobQuery

blueprint = func.Blueprint()


@blueprint.function_name("api_replications")
@blueprint.route(route="api/v1/replications", methods=["GET"])
def replications(req: func.HttpRequest) -> func.HttpResponse:
    """List replications."""
    return answer(req, Role.READER, lambda _: _replications(req.params))


@blueprint.function_name("api_replication")
@blueprint.route(route="api/v1/replications/{key}", methods=["GET"])
def replication(req: func.HttpRequest) -> func.HttpResponse:
    """Show one replication with its timeline."""
    return answer(req, Role.READER, lambda _: _replication(req.route_params.get("key", "")))


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


def read_query(params: Mapping[str, str]) -> ListQuery | JobQuery:
    """Read the query of a list; raises MalformedError that names the parameter.

    One that asks for no filter and no order reads the records themselves.
    """
    refuse_unknown(params, (*LIST_FILTERS, *CURSOR_PARAMETERS))
    if any(params.get(name) for name in LIST_FILTERS):
        return read_list_query(params)
    return JobQuery(cursor=params.get("cursor") or None, limit=read_limit(params))


def _replications(params: Mapping[str, str]) -> Answered:
    queries = get_app().queries
    with asking():  # the cursor among it
        query = read_query(params)
        if isinstance(query, JobQuery):
            return HTTPStatus.OK, queries.records(query)
        return HTTPStatus.OK, queries.replications(query)


def _replication(key: str) -> Answered:
    found = get_app().queries.replication(read_key(key))
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no replication has the key {key}")
    return HTTPStatus.OK, found


def _replicate(req: func.HttpRequest, caller: Caller) -> Answered:
    body = read_body(req, ("image_version_id",))
    try:
        version_id = ImageVersionId.parse(body.get("image_version_id"))
    except MalformedImageVersionIdError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"image_version_id: {error}") from error
    app = get_app()
    try:
        taken = replicate_now(app.operations, app.policy, version_id, by=caller.by)
    except OutOfScopeError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error
    except UnknownVersionError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, str(error)) from error
    return HTTPStatus.ACCEPTED, taken


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
    return HTTPStatus.ACCEPTED, Acted.of(key, outcome)


def _key(req: func.HttpRequest) -> str:
    return read_key(req.route_params.get("key", ""))
