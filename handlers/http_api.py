"""The HTTP API: read what is on record."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import azure.functions as func

from handlers.answers import answer, problem
from replication.bootstrap import get_app
from replication.errors import MalformedError
from replication.job import Phase
from replication.ports import JobQuery

blueprint = func.Blueprint()
MAX_LIMIT = 200
_DEFAULT_LIMIT = 50
_MAX_NAME = 256


@blueprint.function_name("api_health")
@blueprint.route(route="api/v1/health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """Tell whether the app can do its work."""
    return answer(_health)


@blueprint.function_name("api_replications")
@blueprint.route(route="api/v1/replications", methods=["GET"])
def replications(req: func.HttpRequest) -> func.HttpResponse:
    """List replications."""
    return answer(lambda: _replications(req.params))


@blueprint.function_name("api_replication")
@blueprint.route(route="api/v1/replications/{key}", methods=["GET"])
def replication(req: func.HttpRequest) -> func.HttpResponse:
    """Show one replication with its timeline."""
    return answer(lambda: _replication(req.route_params.get("key", "")))


@blueprint.function_name("api_queues")
@blueprint.route(route="api/v1/queues", methods=["GET"])
def queues(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """Show the queues."""
    return answer(lambda: (HTTPStatus.OK, {"items": get_app().queries.queue_depths()}))


def read_query(params: Mapping[str, str]) -> JobQuery:
    """Read the query of a list; raises MalformedError that names the parameter."""
    known = ("phase", "gallery", "geography", "cursor", "limit")
    unknown = sorted(set(params) - {*known, "code"})
    if unknown:
        raise MalformedError(f"unknown parameter {unknown[0][:40]!r}; known: {', '.join(known)}")
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
    text = params.get("limit") or str(_DEFAULT_LIMIT)
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT))
    if not digits or not 1 <= int(text) <= MAX_LIMIT:
        raise MalformedError(f"limit is {text[:20]!r}; it is a number from 1 to {MAX_LIMIT}")
    return JobQuery(
        phases=phases,
        gallery=_name(params, "gallery"),
        geography=_name(params, "geography"),
        cursor=params.get("cursor") or None,
        limit=int(text),
    )


def _name(params: Mapping[str, str], parameter: str) -> str | None:
    text = params.get(parameter) or None
    if text is not None and (len(text) > _MAX_NAME or not text.isprintable()):
        raise MalformedError(f"{parameter} is {text[:20]!r}; it is a name of at most {_MAX_NAME}")
    return text


def _health() -> tuple[HTTPStatus, dict[str, Any]]:
    well, body = get_app().queries.health()
    return (HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE), body


def _replications(params: Mapping[str, str]) -> tuple[HTTPStatus, dict[str, Any]]:
    queries = get_app().queries
    try:
        return HTTPStatus.OK, queries.replications(read_query(params))
    except MalformedError as error:  # a parameter, the cursor among them
        return HTTPStatus.BAD_REQUEST, problem(HTTPStatus.BAD_REQUEST, str(error))


def _replication(key: str) -> tuple[HTTPStatus, dict[str, Any]]:
    if not (len(key) == 32 and all(one in "0123456789abcdef" for one in key)):  # noqa: PLR2004
        return HTTPStatus.BAD_REQUEST, problem(
            HTTPStatus.BAD_REQUEST, "the key of a replication is 32 hex digits"
        )
    found = get_app().queries.replication(key)
    if found is None:
        return HTTPStatus.NOT_FOUND, problem(
            HTTPStatus.NOT_FOUND, f"no replication has the key {key}"
        )
    return HTTPStatus.OK, found
