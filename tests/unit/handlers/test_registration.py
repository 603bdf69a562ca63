"""Triggers reach the host: each is in the function app, under a name that its route allows."""

import json
import pkgutil
from importlib import import_module
from itertools import permutations
from typing import Any

import pytest
from azure.functions import DataType
from azure.functions.decorators.function_app import FunctionBuilder

import handlers
from replication.ports import QueueName
from tests.support.documents import PROJECT
from tests.support.http.served import functions

ROUTES = {
    str(one.get_function_name()): (one.get_trigger().route, one.get_trigger().methods)
    for one in functions()
    if hasattr(one.get_trigger(), "route")
}
# A parameter matches any text, and one with a star any number of parts.
PART, REST = "{", "{*"


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


def takes(wide: list[str], narrow: list[str]) -> bool:
    """Tell whether a route takes every path of another, and more."""
    for at, part in enumerate(wide):
        if part.startswith(REST):
            return True
        if at >= len(narrow) or narrow[at].startswith(REST):
            return False
        if part != narrow[at] and not part.startswith(PART):
            return False
    return len(wide) == len(narrow) and wide != narrow


def shadowed() -> list[tuple[str, str]]:
    """Return functions with one of a wider route that the host would ask before them."""
    return [
        (narrow, wide)
        for wide, narrow in permutations(ROUTES, 2)
        if set(ROUTES[wide][1]) & set(ROUTES[narrow][1])
        and takes(ROUTES[wide][0].split("/"), ROUTES[narrow][0].split("/"))
        and wide.upper() < narrow.upper()
    ]


def test_no_function_is_hidden_by_one_with_a_wider_route() -> None:
    # The host asks functions in the order of their names, and a route with a parameter takes all.
    assert shadowed() == []
