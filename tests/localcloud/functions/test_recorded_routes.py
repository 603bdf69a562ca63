"""Calls and starts of the vendor's router, played through the one of the local host."""

import re
from functools import cache
from typing import Any

import pytest

from localcloud.functions.catalog import Catalog, HttpTrigger, build_catalog
from localcloud.functions.errors import HostStartError
from localcloud.functions.routes.router import Router
from localcloud.functions.routes.targets import BadTargetError, read_target
from localcloud.functions.worker import IndexedFunction
from tests.support.localcloud.recorded import judge, recording, unfolded

RECORDED = recording("routes")
CASES = {case["id"]: case for case in RECORDED["cases"]}
STARTS = {case["id"]: case for case in RECORDED["starts"]}


def indexed(table: dict[str, Any]) -> list[IndexedFunction]:
    functions = []
    for one in table["functions"]:
        binding = {"type": "httpTrigger", "name": "req", "authLevel": "anonymous"}
        told = {key: one[key] for key in ("route", "methods") if key in one}
        functions.append(
            IndexedFunction(
                name=one["name"], function_id=one["name"], bindings=[{**binding, **told}]
            )
        )
    return functions


@cache
def catalog_of(table: str) -> Catalog:
    told = RECORDED["tables"][table]
    return build_catalog(indexed(told), {}, route_prefix=told["route_prefix"])


def answered(table: str, method: str, path: str) -> dict[str, Any]:
    """Play a call; a call that no function takes is told by its status alone."""
    routes = [
        one.trigger.route
        for one in catalog_of(table).functions
        if isinstance(one.trigger, HttpTrigger)
    ]
    try:
        target = read_target(method, path)
        found = Router(routes).find(method, target.path)
    except BadTargetError as error:
        return {"function": None, "status": error.status}
    except re.PatternError:
        return {"function": None, "status": 500}
    if found is None:
        return {"function": None, "status": 404}
    route, parameters = found
    return {
        "function": route.function,
        "route": parameters,
        "url_path": target.url_path,
        "query": target.query,
    }


@pytest.mark.parametrize("case", CASES)
def test_a_call_goes_where_the_vendor_s_router_sends_it(case: str) -> None:
    given, observed = unfolded(CASES[case]["given"]), unfolded(CASES[case]["observed"])
    recorded = {key: one for key, one in observed.items() if key not in ("headers", "body")}
    try:
        here = answered(given["table"], given["method"], given["path"])
    except HostStartError as error:
        here = {"function": None, "starts": False, "error": str(error)}
    judge(
        case,
        recorded=recorded,
        here=here,
        # A function that Azure does not call, or another one, or with other values.
        kinder=here["function"] is not None,
    )


@pytest.mark.parametrize("case", STARTS)
def test_a_table_that_the_vendor_s_router_refuses_stops_the_host(case: str) -> None:
    given, observed = STARTS[case]["given"], STARTS[case]["observed"]
    recorded = {"starts": observed["starts"], "function": observed["function"]}
    try:
        build_catalog(indexed(given), {}, route_prefix=given["route_prefix"])
    except HostStartError as error:
        named = re.match(r"function (\S+):", str(error))
        here = {"starts": False, "function": named[1] if named else None}
    else:
        here = {"starts": True, "function": None}
    judge(
        case,
        recorded=recorded,
        here=here,
        kinder=bool(here["starts"]) and not recorded["starts"],
    )


@pytest.mark.parametrize("table", RECORDED["tables"])
def test_the_same_functions_are_refused_and_the_others_keep_their_order(table: str) -> None:
    told = RECORDED["tables"][table]
    try:
        catalog = catalog_of(table)
    except HostStartError:
        pytest.skip("judged by its calls")
    assert [one.name for one in catalog.functions] == told["order"]
    assert set(catalog.refused) == set(told.get("refused") or {})
