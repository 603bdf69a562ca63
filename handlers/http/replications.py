"""The HTTP API: read what is on record."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import azure.functions as func

from api.parameters import read_choice, read_yes
from api.views import action_page_view
from bootstrap.adapters import get_app
from handlers.http.access import Role
from handlers.http.problems import ProblemError
from handlers.http.request import read_key, read_limit, read_name, refuse_unknown
from handlers.http.responses import answer
from replication.domain.errors import MalformedError
from replication.domain.job import Phase
from replication.listing.query import ListOrder, ListQuery
from replication.ports import JobQuery

blueprint = func.Blueprint()
MAX_LIMIT = 200
_DEFAULT_LIMIT = 50
_PARAMETERS = ("phase", "gallery", "geography", "search", "stuck", "sort", "cursor", "limit")


@blueprint.function_name("api_health")
@blueprint.route(route="api/v1/health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Tell whether the app can do its work."""
    return answer(req, Role.READER, lambda _: _health())


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


@blueprint.function_name("api_queues")
@blueprint.route(route="api/v1/queues", methods=["GET"])
def queues(req: func.HttpRequest) -> func.HttpResponse:
    """Show the queues."""
    return answer(
        req, Role.READER, lambda _: (HTTPStatus.OK, {"items": get_app().queries.queue_depths()})
    )


@blueprint.function_name("api_actions")
@blueprint.route(route="api/v1/actions", methods=["GET"])
def actions(req: func.HttpRequest) -> func.HttpResponse:
    """List what operators did."""
    return answer(req, Role.READER, lambda _: _actions(req.params))


def read_query(params: Mapping[str, str]) -> ListQuery | JobQuery:
    """Read the query of a list; raises MalformedError that names the parameter.

    One that asks for no filter and no order reads the records themselves.
    """
    refuse_unknown(params, _PARAMETERS)
    cursor = params.get("cursor") or None
    limit = read_limit(params, default=_DEFAULT_LIMIT, most=MAX_LIMIT)
    if not any(params.get(name) for name in _PARAMETERS if name not in ("cursor", "limit")):
        return JobQuery(cursor=cursor, limit=limit)
    phases = None
    if params.get("phase"):
        words = {phase.value for phase in Phase}
        asked = params["phase"].lower().split(",")
        for word in asked:
            if word not in words:
                raise MalformedError(
                    f"phase is {word[:20]!r}; it is one of {', '.join(sorted(words))}"
                )
        phases = frozenset(Phase(word) for word in asked)
    return ListQuery(
        phases=phases,
        gallery=read_name(params, "gallery"),
        geography=read_name(params, "geography"),
        search=read_name(params, "search"),
        stuck=read_yes(params, "stuck"),
        order=ListOrder(read_choice(params, "sort", tuple(ListOrder), default=ListOrder.NEWEST)),
        cursor=cursor,
        limit=limit,
    )


def _health() -> tuple[HTTPStatus, dict[str, Any]]:
    well, body = get_app().queries.health()
    return (HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE), body


def _replications(params: Mapping[str, str]) -> tuple[HTTPStatus, dict[str, Any]]:
    queries = get_app().queries
    try:
        query = read_query(params)
        if isinstance(query, JobQuery):
            return HTTPStatus.OK, queries.records(query)
        return HTTPStatus.OK, queries.replications(query)
    except MalformedError as error:  # a parameter, the cursor among them
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error


def _actions(params: Mapping[str, str]) -> tuple[HTTPStatus, dict[str, Any]]:
    try:
        refuse_unknown(params, ("cursor", "limit"))
        page = get_app().operations.journal.page(
            cursor=params.get("cursor") or None,
            limit=read_limit(params, default=_DEFAULT_LIMIT, most=MAX_LIMIT),
        )
    except MalformedError as error:  # a parameter, the cursor among them
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
    return HTTPStatus.OK, action_page_view(page)


def _replication(key: str) -> tuple[HTTPStatus, dict[str, Any]]:
    found = get_app().queries.replication(read_key(key))
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no replication has the key {key}")
    return HTTPStatus.OK, found
