"""The document of the API describes every call that is served, and nothing else."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import validate

import handlers.http.openapi as api
from api.openapi import CALLS, document
from tests.support.documents import DOCS, table_rows
from tests.support.fakes import World
from tests.support.http.calling import call
from tests.support.http.served import functions


def operations() -> set[tuple[str, str]]:
    return {(method, path) for path, item in document()["paths"].items() for method in item}


def test_it_is_an_openapi_document() -> None:
    validate(document())


def test_every_route_is_in_it_with_its_methods_and_no_other() -> None:
    served = set()
    for function in functions():
        trigger = function.get_trigger()
        route = str(getattr(trigger, "route", ""))
        if "*" not in route and (route.startswith("api/") or route == "metrics"):
            served |= {(method.value.lower(), f"/{route}") for method in trigger.methods}
    assert operations() == served
    assert len(CALLS) == len(served)


def test_every_call_of_the_documentation_is_in_it_and_no_other() -> None:
    rows = (re.match(r"`(GET|POST) ([^`?]+)", row[0]) for row in table_rows(DOCS / "api.md"))
    assert operations() == {(found[1].lower(), found[2]) for found in rows if found}


def test_every_parameter_of_a_path_is_described() -> None:
    for path, item in document()["paths"].items():
        for operation in item.values():
            described = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert described == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize("status", ["401", "403", "500", "503"])
def test_every_call_may_be_refused_with_problem_details(status: str) -> None:
    for item in document()["paths"].values():
        for operation in item.values():
            content: dict[str, Any] = operation["responses"][status]["content"]
            ref = {"$ref": "#/components/schemas/Problem"}
            assert content["application/problem+json"]["schema"] == ref


def test_it_is_served(world: World) -> None:
    answer = call(api.openapi)
    assert world.store.rows == {}
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json == json.loads(json.dumps(document()))
