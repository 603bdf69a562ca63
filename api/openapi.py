"""OpenAPI document: every call of the API with its parameters, bodies, answers and errors.

It is made of the schemas that the answers are made of, so that neither can say more than the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

from api.parameters import LETTER_FILTERS, MAX_LIMIT
from api.schemas.base import Answer, Health, Problem
from api.schemas.costs import CostReport
from api.schemas.dead_letters import (
    LetterActed,
    LetterDetail,
    LetterList,
    Selection,
    SelectionActed,
)
from api.schemas.operations import ActionPage, QueueChange, QueueList
from api.schemas.replications import Acted, ReplicationDetail, ReplicationPage, Taken
from costs.report.query import API_FORMS
from replication.dead_letters.filter import FILTERS
from replication.domain.job import Phase
from replication.guards.pauses import MAX_REASON
from replication.listing.query import ListOrder
from replication.ports import QueueName

type Json = dict[str, Any]

MEDIA_TYPE = "application/json"
_PROBLEM = "application/problem+json"
_TEXT: Json = {"type": "string"}
_HEX: Json = {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}
_YES_NO: Json = {"enum": ["yes", "no"]}
_FLAG: Json = {"type": "boolean", "default": False}
_LIMIT: Json = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50}
# What any call may answer besides what it is asked for.
_ALWAYS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_ASKED = (HTTPStatus.BAD_REQUEST,)
_OF_ONE = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
_ACT = (
    *_ASKED,
    HTTPStatus.CONFLICT,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
)
_ACT_ON_ONE = (*_ACT, HTTPStatus.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: `answers` are the shapes of the status, `texts` the media types that are no JSON.

    `body` are the fields of the JSON object that it takes, of which `needs` have to be there.
    """

    method: str
    path: str
    summary: str
    answers: tuple[type[Answer], ...] = ()
    texts: tuple[str, ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    params: Mapping[str, Json] = field(default_factory=dict)
    body: Mapping[str, Json] | None = None
    needs: Sequence[str] = ()
    errors: Sequence[HTTPStatus] = ()


_PAGE: Mapping[str, Json] = {"cursor": _TEXT, "limit": _LIMIT}
_FILTER: Json = {
    "type": "object",
    "properties": dict.fromkeys(FILTERS, _TEXT),
    "additionalProperties": False,
}
_SELECT = {"filter": _FILTER, "dry_run": _FLAG, "token": _TEXT}
CALLS = (
    Call(
        method="get",
        path="/api/v1/health",
        summary="Whether the app can do its work; 503 where it cannot",
        answers=(Health,),
    ),
    Call(
        method="get",
        path="/api/v1/openapi.json",
        summary="This document",
        texts=(MEDIA_TYPE,),
    ),
    Call(
        method="get",
        path="/api/v1/replications",
        summary="List replications: all in the order of keys, or those of a filter",
        answers=(ReplicationPage,),
        params={
            "phase": {
                "type": "string",
                "description": f"Several with commas: {', '.join(phase.value for phase in Phase)}",
            },
            "gallery": _TEXT,
            "geography": _TEXT,
            "search": _TEXT,
            "stuck": _YES_NO,
            "sort": {"enum": [order.value for order in ListOrder]},
            **_PAGE,
        },
        errors=_ASKED,
    ),
    Call(
        method="get",
        path="/api/v1/replications/{key}",
        summary="One replication with its timeline",
        answers=(ReplicationDetail,),
        errors=_OF_ONE,
    ),
    Call(
        method="post",
        path="/api/v1/replications",
        summary="Replicate an image version now",
        answers=(Taken,),
        status=HTTPStatus.ACCEPTED,
        body={"image_version_id": _TEXT},
        needs=("image_version_id",),
        errors=_ACT_ON_ONE,
    ),
    Call(
        method="post",
        path="/api/v1/replications/{key}/cancel",
        summary="Stop following and retrying a replication",
        answers=(Acted,),
        status=HTTPStatus.ACCEPTED,
        body={"remove": _FLAG},
        errors=_ACT_ON_ONE,
    ),
    Call(
        method="post",
        path="/api/v1/replications/{key}/release",
        summary="Let a plan go that a budget holds back",
        answers=(Acted,),
        status=HTTPStatus.ACCEPTED,
        body={},
        errors=_ACT_ON_ONE,
    ),
    Call(
        method="get",
        path="/api/v1/queues",
        summary="The queues, and who paused them",
        answers=(QueueList,),
    ),
    Call(
        method="post",
        path="/api/v1/queues/{name}/pause",
        summary="Pause a queue",
        answers=(QueueChange,),
        body={"reason": {"type": "string", "minLength": 1, "maxLength": MAX_REASON}},
        errors=_ACT_ON_ONE,
    ),
    Call(
        method="post",
        path="/api/v1/queues/{name}/resume",
        summary="Resume a queue",
        answers=(QueueChange,),
        body={},
        errors=_ACT_ON_ONE,
    ),
    Call(
        method="get",
        path="/api/v1/dead-letters",
        summary="List dead letters, those that are open unless told otherwise",
        answers=(LetterList,),
        params={**dict.fromkeys(LETTER_FILTERS.values(), _TEXT), **_PAGE},
        errors=_ASKED,
    ),
    Call(
        method="get",
        path="/api/v1/dead-letters/{id}",
        summary="One dead letter with its timeline and the raw message",
        answers=(LetterDetail,),
        errors=_OF_ONE,
    ),
    *(
        Call(
            method="post",
            path=f"/api/v1/dead-letters/{{id}}/{action}",
            summary=summary,
            answers=(LetterActed,),
            body={},
            errors=_ACT_ON_ONE,
        )
        for action, summary in (
            ("replay", "Send one dead letter again"),
            ("discard", "Delete one dead letter for good"),
        )
    ),
    *(
        Call(
            method="post",
            path=f"/api/v1/dead-letters/{action}",
            summary=summary,
            answers=(Selection, SelectionActed),
            body=_SELECT,
            needs=("filter",),
            errors=_ACT,
        )
        for action, summary in (
            ("replay", "Count the dead letters of a filter, or send those again that were counted"),
            ("discard", "Count the dead letters of a filter, or delete those that were counted"),
        )
    ),
    Call(
        method="get",
        path="/api/v1/actions",
        summary="What operators did, the newest act first",
        answers=(ActionPage,),
        params=_PAGE,
        errors=_ASKED,
    ),
    Call(
        method="get",
        path="/api/v1/costs",
        summary="What replicas cost",
        answers=(CostReport,),
        texts=("text/csv",),
        params={
            "group_by": _TEXT,
            "from": _TEXT,
            "to": _TEXT,
            "format": {"enum": [form.value for form in API_FORMS]},
            "currency": _TEXT,
            "limit": {"type": "integer", "minimum": 1},
            "azure": _YES_NO,
        },
        errors=_ASKED,
    ),
    Call(method="get", path="/metrics", summary="Prometheus text", texts=("text/plain",)),
)
_PATH_PARAMETERS: Mapping[str, Json] = {
    "key": _HEX,
    "id": _HEX,
    "name": {"enum": [queue.value for queue in QueueName]},
}


@cache
def document() -> Json:
    """Return the document."""
    schemas = {schema for call in CALLS for schema in call.answers} | {Problem}
    ordered = sorted(schemas, key=lambda schema: schema.__name__)
    _, definitions = models_json_schema(
        [(schema, "serialization") for schema in ordered],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Json] = {}
    for call in CALLS:
        paths.setdefault(call.path, {})[call.method] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gallery-replicator",
            "version": "1",
            "description": "Replicates image versions of an Azure Compute Gallery to their whole "
            "geography. An answer may tell more than is named here.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "entra": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of Microsoft Entra for the app's registration, with "
                    "the app role Replication.Reader, or Replication.Operator for an act",
                },
                "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "key_in_address": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
        "security": [{"entra": []}, {"key": []}, {"key_in_address": []}],
    }


def _operation(call: Call) -> Json:
    answers: dict[str, Json] = {
        str(int(status)): {
            "description": status.phrase,
            "content": {_PROBLEM: {"schema": _ref(Problem)}},
        }
        for status in sorted({*_ALWAYS, *call.errors})
    }
    answers[str(int(call.status))] = {
        "description": call.status.phrase,
        "content": _content(call),
    }
    if Health in call.answers:
        answers[str(int(HTTPStatus.SERVICE_UNAVAILABLE))]["content"] |= _content(call)
    operation: Json = {"summary": call.summary, "parameters": _parameters(call)}
    if call.body is not None:
        schema = {
            "type": "object",
            "properties": dict(call.body),
            "required": list(call.needs),
            "additionalProperties": False,
        }
        operation["requestBody"] = {
            "required": bool(call.needs),
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
    return {**operation, "responses": dict(sorted(answers.items()))}


def _content(call: Call) -> Json:
    refs = [_ref(schema) for schema in call.answers]
    shapes: Json = {}
    if refs:
        shapes[MEDIA_TYPE] = {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}
    for media_type in call.texts:
        of_text = {"type": "object"} if media_type == MEDIA_TYPE else _TEXT
        shapes[media_type] = {"schema": of_text}
    return shapes


def _parameters(call: Call) -> list[Json]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in _PATH_PARAMETERS.items()
        if f"{{{name}}}" in call.path
    ]
    return in_path + [
        {"name": name, "in": "query", "schema": schema} for name, schema in call.params.items()
    ]


def _ref(schema: type[Answer]) -> Json:
    return {"$ref": f"#/components/schemas/{schema.__name__}"}
