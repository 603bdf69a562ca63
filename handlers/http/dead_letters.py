"""Dead letters over HTTP: look, send again, discard; one, or exactly those counted."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import azure.functions as func

from api.parameters import (
    CURSOR_PARAMETERS,
    LETTER_FILTERS,
    asking,
    names_failure,
    read_letter_list,
    refuse_unknown,
)
from api.schemas.dead_letters import (
    LetterActed,
    LetterDetail,
    LetterList,
    Selection,
    SelectionActed,
)
from bootstrap import get_app
from handlers.http.access import Caller, Role
from handlers.http.request import (
    ProblemError,
    read_body,
    read_flag,
    read_letter_id,
)
from handlers.http.responses import Answered, answer
from replication.dead_letters.filter import FILTERS, read_letter_query
from replication.domain.errors import MalformedError
from replication.operations.dead_letters import SelectionChangedError, UnknownLetterError
from replication.ports import LetterAction, LetterQuery

blueprint = func.Blueprint()


@blueprint.function_name("api_dead_letters")
@blueprint.route(route="api/v1/dead-letters", methods=["GET"])
def list_letters(req: func.HttpRequest) -> func.HttpResponse:
    """List dead letters, those that still need someone unless told otherwise."""
    return answer(req, Role.READER, lambda caller: _list(req.params, caller))


@blueprint.function_name("api_dead_letter")
@blueprint.route(route="api/v1/dead-letters/{id}", methods=["GET"])
def show(req: func.HttpRequest) -> func.HttpResponse:
    """Show one dead letter whole."""
    return answer(req, Role.READER, lambda _: _show(req))


@blueprint.function_name("api_dead_letter_replay")
@blueprint.route(route="api/v1/dead-letters/{id}/replay", methods=["POST"])
def replay(req: func.HttpRequest) -> func.HttpResponse:
    """Send one dead letter again."""
    return answer(req, Role.OPERATOR, lambda caller: _act(req, LetterAction.REPLAY, caller))


@blueprint.function_name("api_dead_letter_discard")
@blueprint.route(route="api/v1/dead-letters/{id}/discard", methods=["POST"])
def discard(req: func.HttpRequest) -> func.HttpResponse:
    """Delete one dead letter for good."""
    return answer(req, Role.OPERATOR, lambda caller: _act(req, LetterAction.DISCARD, caller))


@blueprint.function_name("api_dead_letters_replay")
@blueprint.route(route="api/v1/dead-letters/replay", methods=["POST"])
def replay_many(req: func.HttpRequest) -> func.HttpResponse:
    """Count the letters of a filter, or send exactly those again that were counted."""
    return answer(req, Role.OPERATOR, lambda caller: _act_on(req, LetterAction.REPLAY, caller))


@blueprint.function_name("api_dead_letters_discard")
@blueprint.route(route="api/v1/dead-letters/discard", methods=["POST"])
def discard_many(req: func.HttpRequest) -> func.HttpResponse:
    """Count the letters of a filter, or delete exactly those that were counted."""
    return answer(req, Role.OPERATOR, lambda caller: _act_on(req, LetterAction.DISCARD, caller))


def _list(params: Mapping[str, str], caller: Caller) -> Answered:
    with asking():  # the cursor among it
        refuse_unknown(params, (*LETTER_FILTERS.values(), *CURSOR_PARAMETERS))
        if "code" in params and not names_failure(params) and not caller.has_key:
            # Never repeated: it may be a key all the same.
            raise MalformedError("code is no failure code; the parameter for one is failure_code")
        return HTTPStatus.OK, LetterList.of(get_app().dead_letters.find(read_letter_list(params)))


def _show(req: func.HttpRequest) -> Answered:
    try:
        return HTTPStatus.OK, LetterDetail.whole(get_app().dead_letters.get(_id(req)))
    except UnknownLetterError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, str(error)) from error


def _act(req: func.HttpRequest, action: LetterAction, caller: Caller) -> Answered:
    letter_id = _id(req)
    read_body(req, ())
    try:
        outcome = get_app().operations.act(letter_id, action, by=caller.by)
    except UnknownLetterError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, str(error)) from error
    if not outcome.done:
        raise ProblemError(HTTPStatus.CONFLICT, outcome.reason)
    return HTTPStatus.OK, LetterActed.of(outcome)


def _act_on(req: func.HttpRequest, action: LetterAction, caller: Caller) -> Answered:
    body = read_body(req, ("filter", "dry_run", "token"))
    query, dry_run, token = _filter(body), read_flag(body, "dry_run"), body.get("token")
    app = get_app()
    if dry_run:
        if token is not None:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "a dry run gives out a token and takes none")
        return HTTPStatus.OK, Selection.of(app.dead_letters.select(query, action))
    if not isinstance(token, str):
        sentence = "to act on many, count them first with dry_run, and send the token of the count"
        raise ProblemError(HTTPStatus.BAD_REQUEST, sentence)
    try:
        with asking():  # the token
            outcomes = app.operations.act_on_selection(query, action, token, by=caller.by)
    except SelectionChangedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error
    return HTTPStatus.OK, SelectionActed.of(action, outcomes)


def _filter(body: Mapping[str, Any]) -> LetterQuery:
    """Return what a body's filter means; an empty one means every open letter."""
    fields = body.get("filter")
    if not isinstance(fields, dict):
        sentence = (
            f"filter is an object with any of {', '.join(FILTERS)}; {{}} means all that are open"
        )
        raise ProblemError(HTTPStatus.BAD_REQUEST, sentence)
    for name, value in fields.items():
        if name not in FILTERS:
            sentence = f"the filter has an unknown field {name[:40]!r}; known: {', '.join(FILTERS)}"
            raise ProblemError(HTTPStatus.BAD_REQUEST, sentence)
        if not isinstance(value, str):
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"the filter's {name} is a text")
    try:
        return read_letter_query(fields)
    except MalformedError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"filter: {error}") from error


def _id(req: func.HttpRequest) -> str:
    return read_letter_id(req.route_params.get("id", ""))
