from typing import Any

import pytest

from localcloud.functions.catalog import (
    EventGridTrigger,
    HttpTrigger,
    QueueTrigger,
    ServedFunction,
    build_catalog,
)
from localcloud.functions.errors import HostStartError
from localcloud.functions.keys import Level
from localcloud.functions.worker import IndexedFunction

SETTINGS = {"QUEUE": "Jobs", "ROUTE": "things", "AzureWebJobsOther": "x"}


def serve(*bindings: dict[str, Any]) -> ServedFunction:
    function = IndexedFunction(name="f", function_id="1", bindings=bindings)
    catalog = build_catalog([function], SETTINGS, route_prefix="api")
    assert catalog.refused == {}
    (served,) = catalog.functions
    return served


def http(name: str, **told: Any) -> IndexedFunction:
    binding = {"type": "httpTrigger", "name": "req", **told}
    return IndexedFunction(name=name, function_id=name, bindings=(binding,))


def timer(name: str, schedule: str) -> IndexedFunction:
    binding = {"type": "timerTrigger", "name": "timer", "schedule": schedule}
    return IndexedFunction(name=name, function_id=name, bindings=(binding,))


def test_a_queue_name_is_resolved_and_lowered_and_its_connection_found() -> None:
    trigger = {"type": "queueTrigger", "name": "msg", "queueName": "%QUEUE%-a"}
    assert serve(trigger | {"connection": "Other"}).trigger == QueueTrigger(
        queue="jobs-a", connection="AzureWebJobsOther"
    )
    assert serve(trigger | {"connection": ""}).trigger == QueueTrigger(
        queue="jobs-a", connection="AzureWebJobsStorage"
    )


def test_an_http_route_has_the_prefix_and_falls_back_to_the_name() -> None:
    answer = {"type": "http", "name": "$return"}
    named = serve({"type": "httpTrigger", "name": "req", "route": "%ROUTE%/{id}"}, answer).trigger
    plain = serve({"type": "httpTrigger", "name": "req", "authLevel": "ANONYMOUS"}, answer).trigger
    assert isinstance(named, HttpTrigger)
    assert isinstance(plain, HttpTrigger)
    # A setting's name in a route stays text.
    assert named.route.parsed.match("/api/%ROUTE%/7") == {"id": "7"}
    assert plain.route.parsed.match("/api/f") == {}
    assert (named.level, plain.level) == (Level.FUNCTION, Level.ANONYMOUS)


def test_an_event_grid_trigger_needs_nothing() -> None:
    served = serve({"type": "eventGridTrigger", "name": "event"})
    assert (served.parameter, served.trigger) == ("event", EventGridTrigger())


@pytest.mark.parametrize(
    ("bindings", "sentence"),
    [
        (({"type": "blobTrigger", "name": "b"},), r"its trigger \(blobTrigger\) is not supported"),
        (({"type": "http", "name": "b"},), r"its trigger \(none\) is not supported"),
        (
            (
                {"type": "eventGridTrigger", "name": "event"},
                {"type": "http", "name": "$return"},
            ),
            r"the binding \$return \(http\) is not supported",
        ),
        (({"type": "httpTrigger", "name": "r", "route": "{"},), "a brace without its other one"),
        (({"type": "httpTrigger", "name": "r", "route": "/x"},), "two slashes follow each other"),
        (({"type": "httpTrigger", "name": "r", "route": "{x:odd}"},), "'odd' is no constraint"),
    ],
)
def test_what_this_host_cannot_serve_is_named(
    bindings: tuple[dict[str, Any], ...], sentence: str
) -> None:
    with pytest.raises(HostStartError, match=sentence):
        serve(*bindings)


def test_a_function_with_a_mistake_of_its_own_is_refused_and_the_others_run() -> None:
    functions = [
        timer("unset", "%NO%"),
        timer("wrong", "now and then"),
        http("reserved", route="administration"),
        http("b_second", route="/x/{id}/", methods=["GET", "POST"]),
        http("a_first", route="X/{ID}", methods=["GET"]),
    ]
    catalog = build_catalog(functions, SETTINGS, route_prefix="")
    assert [function.name for function in catalog.functions] == ["a_first"]
    assert sorted(catalog.refused) == ["b_second", "reserved", "unset", "wrong"]
    assert "the setting NO is not set" in catalog.refused["unset"]
    assert catalog.refused["b_second"] == "its route is the one of function a_first"
    assert "begins with admin or runtime" in catalog.refused["reserved"]


def test_names_that_differ_in_letter_case_alone_stop_the_host() -> None:
    with pytest.raises(HostStartError, match="names must differ in more than letter case"):
        build_catalog([http("Same"), http("same")], SETTINGS, route_prefix="")


def test_a_disabled_function_keeps_its_route_and_is_not_started() -> None:
    settings = {"AzureWebJobs.f.Disabled": "true"}
    catalog = build_catalog([http("f")], settings, route_prefix="")
    assert [function.name for function in catalog.functions] == ["f"]
    assert catalog.started == []
