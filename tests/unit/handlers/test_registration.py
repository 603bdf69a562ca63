"""Triggers reach the host: each is in the function app, under a name that its route allows."""

import json
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from azure.functions import DataType
from azure.functions.decorators.function_app import FunctionBuilder

import handlers
from dashboard.assets import assets
from dashboard.pages import NAMES
from localcloud.functions.catalog import Catalog, HttpTrigger, build_catalog
from localcloud.functions.routes.router import Router
from localcloud.functions.worker import IndexedFunction
from replication.ports import QueueName
from tests.support.documents import DOCS, PROJECT, table_rows
from tests.support.http.served import functions

ROUTES = {
    str(one.get_function_name()): (one.get_trigger().route, one.get_trigger().methods)
    for one in functions()
    if hasattr(one.get_trigger(), "route")
}


def declared() -> dict[str, Any]:
    """Return what the modules of the triggers declare, by its name in the module."""
    found: dict[str, Any] = {}
    for module in pkgutil.walk_packages(handlers.__path__, "handlers."):
        names = vars(import_module(module.name)).items()
        builders = {name: one for name, one in names if isinstance(one, FunctionBuilder)}
        found |= {f"{module.name}.{name}": one for name, one in builders.items()}
    return found


@pytest.mark.parametrize("name", declared())
def test_what_is_declared_is_in_the_function_app(name: str) -> None:
    registered = {str(one.get_function_name()) for one in functions()}
    assert str(declared()[name].build().get_function_name()) in registered


def test_the_host_hands_over_any_message_as_it_is() -> None:
    host = json.loads((PROJECT / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["queues"]["messageEncoding"] == "none"
    bindings = [one.get_trigger().get_dict_repr() for one in functions()]
    queues = [one for one in bindings if one["type"] == "queueTrigger"]
    assert {str(one["queueName"]) for one in queues} >= {
        f"{queue.value}{suffix}" for queue in QueueName for suffix in ("", "-poison")
    }
    assert {one.get("dataType") for one in queues} == {DataType.BINARY}


def catalog() -> Catalog:
    """Return the app's functions in the order in which the host asks them for a call."""
    host = json.loads((PROJECT / "host.json").read_text(encoding="utf-8"))
    indexed = [
        IndexedFunction(
            name=name,
            function_id=name,
            bindings=[
                {
                    "type": "httpTrigger",
                    "name": "req",
                    "route": route,
                    "methods": [method.value for method in methods],
                }
            ],
        )
        for name, (route, methods) in ROUTES.items()
    ]
    return build_catalog(indexed, {}, route_prefix=host["extensions"]["http"]["routePrefix"])


def documented() -> Iterator[tuple[str, str]]:
    """Yield every call of the document of the API, as it is written there."""
    for row in table_rows(DOCS / "api.md"):
        if match := re.match(r"`([A-Z]+) (/[^`?]+)", row[0]):
            yield match[1], match[2]


def shown() -> Iterator[tuple[str, str]]:
    """Yield every address of a page, its twin or what it loads, with the route that is meant."""
    for name in filter(None, NAMES):
        yield f"/dashboard/{name}", "dashboard/{page}"
        yield f"/dashboard/{name}.json", "dashboard/{page}"
        yield f"/dashboard/{name}/{'0' * 32}", "dashboard/{page}/{id}"
    yield "/dashboard", "dashboard"
    yield "/dashboard.json", "dashboard.json"
    for name in assets():
        yield f"/dashboard/static/{name}", "dashboard/static/{name}"


def calls() -> dict[tuple[str, str], str]:
    """Return every call of the API, page and asset, with the function that is to take it."""
    meant = {
        (method.value, route): name
        for name, (route, methods) in ROUTES.items()
        for method in methods
    }
    found = {
        (method, re.sub(r"{[^}]+}", "0" * 32, path)): meant[method, path.strip("/")]
        for method, path in documented()
    }
    found |= {("GET", path): meant["GET", route] for path, route in shown()}
    for name, (route, methods) in ROUTES.items():
        path = re.sub(r"\{\*\w+\}", "one/two/three", route)
        for method in methods:
            found[method.value, f"/{re.sub(r'{[^}]+}', 'one', path)}"] = name
    return found


def test_no_call_is_taken_by_another_function() -> None:
    served = catalog()
    assert served.refused == {}
    router = Router(
        one.trigger.route for one in served.functions if isinstance(one.trigger, HttpTrigger)
    )
    taken = {}
    for (method, path), meant in calls().items():
        found = router.find(method, path)
        if found is None or found[0].function != meant:
            taken[f"{method} {path}"] = found[0].function if found else None
    assert taken == {}
    assert set(calls().values()) == set(ROUTES)


def test_what_is_no_call_is_told_so_by_the_last_function() -> None:
    assert [one.name for one in catalog().functions][-1] == "no_such_call"


@pytest.mark.parametrize("route", [route for route, _ in ROUTES.values()])
def test_no_route_begins_as_the_host_s_own_do(route: str) -> None:
    assert route.strip("/").split("/")[0].lower() not in ("admin", "runtime")
