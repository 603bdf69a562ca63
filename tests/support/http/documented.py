"""What the API's own document says of an answer, closed: nothing may be told that it leaves out."""

from functools import cache
from typing import Any

from openapi_schema_validator import OAS31Validator

from api.openapi import document


def assert_documented(method: str, route: str, *, status: int, media_type: str, body: Any) -> None:
    """Check an answer of a call against the document; `body` is None for what is no JSON."""
    responses = _paths()[f"/{route}"][method.lower()]["responses"]
    content = responses[str(status)]["content"]
    assert media_type in content, (method, route, status, media_type)
    if body is not None:
        _validator(method, route, status, media_type).validate(body)


def is_documented(route: str) -> bool:
    """Tell whether a route is one of the API."""
    return f"/{route}" in _paths()


@cache
def _validator(method: str, route: str, status: int, media_type: str) -> OAS31Validator:
    responses = _paths()[f"/{route}"][method.lower()]["responses"]
    schema = responses[str(status)]["content"][media_type]["schema"]
    components = _closed(document()["components"])
    return OAS31Validator({**_closed(schema), "components": components})


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = document()["paths"]
    return paths


def _closed(value: Any) -> Any:
    if isinstance(value, dict):
        closed = {name: _closed(inner) for name, inner in value.items()}
        if "properties" in value and value.get("additionalProperties") is True:
            closed["additionalProperties"] = False
        return closed
    return [_closed(inner) for inner in value] if isinstance(value, list) else value
