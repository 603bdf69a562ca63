"""The document of the HTTP API names every call, and every parameter of the lists."""

import re

from api.parameters import CURSOR_PARAMETERS, LETTER_FILTERS, LIST_FILTERS
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
    assert {word for word, of in named if of == "replications"} == {
        *LIST_FILTERS,
        *CURSOR_PARAMETERS,
    }
    known = {*LETTER_FILTERS.values(), *CURSOR_PARAMETERS}
    assert {word for word, of in named if of == "dead letters"} == known
