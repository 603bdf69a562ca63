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
from localcloud.functions.worker import IndexedFunction

SETTINGS = {"QUEUE": "Jobs", "ROUTE": "things", "AzureWebJobsOther": "x"}


def serve(*bindings: dict[str, Any]) -> ServedFunction:
    function = IndexedFunction(name="f", function_id="1", bindings=bindings)
    (served,) = build_catalog([function], SETTINGS, route_prefix="api")
    return served


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
    assert (named.route.template, named.anonymous) == ("api/things/{id}", False)
    assert (plain.route.template, plain.anonymous) == ("api/f", True)


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
        (({"type": "httpTrigger", "name": "r", "route": "{"},), "cannot read the segment"),
        (({"type": "timerTrigger", "name": "t", "schedule": "%NO%"},), "setting NO is not set"),
    ],
)
def test_what_this_host_cannot_serve_is_named(
    bindings: tuple[dict[str, Any], ...], sentence: str
) -> None:
    with pytest.raises(HostStartError, match=sentence):
        serve(*bindings)
