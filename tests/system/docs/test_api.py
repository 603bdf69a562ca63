"""The document of the HTTP API names every call, and every parameter of the lists."""

import re

import handlers.http.dead_letters as letters
from handlers.http import replications
from tests.support.documents import DOCS, table_rows
from tests.support.http.served import functions

ROWS = list(table_rows(DOCS / "api.md"))


def documented() -> set[tuple[str, str]]:
    found = (re.match(r"`(GET|POST) ([^`?]+)", row[0]) for row in ROWS)
    return {(one[1], one[2].strip("/")) for one in found if one}


def test_every_call_stands_in_the_document_and_no_other() -> None:
    served = set()
    for function in functions():
        trigger = function.get_trigger()
        route = str(getattr(trigger, "route", "")).strip("/")
        if "*" not in route and (route.startswith("api/") or route == "metrics"):
            served |= {(method.value, route) for method in trigger.methods}
    assert documented() == served


def test_every_parameter_of_the_lists_stands_in_the_document() -> None:
    named = {
        (word, of)
        for row in ROWS
        if len(row) == 3
        for word in re.findall(r"`(\w+)`", row[0])
        for of in ("replications", "dead letters")
        if row[1] in (of, "every list")
    }
    assert {word for word, of in named if of == "replications"} == set(replications._PARAMETERS)
    known = {*letters._PARAMETERS, "cursor", "limit"}
    assert {word for word, of in named if of == "dead letters"} == known
