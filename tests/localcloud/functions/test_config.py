import logging
from typing import Any

import pytest

from localcloud.functions.config import (
    HostConfig,
    QueueOptions,
    parse_host_config,
    parse_time_span,
)


def parsed(*, development: bool = False, processors: int = 1, **root: Any) -> HostConfig:
    return parse_host_config(
        {"version": "2.0", **root}, development=development, processors=processors
    )


def queues(**keys: Any) -> QueueOptions:
    return parsed(extensions={"queues": keys}).queues


def test_defaults_are_those_of_the_real_host() -> None:
    assert parsed() == HostConfig(
        route_prefix="api",
        queues=QueueOptions(
            batch_size=16,
            new_batch_threshold=8,
            max_dequeue_count=5,
            visibility_timeout_s=0,
            max_polling_interval_s=60,
            base64=True,
        ),
        function_timeout_s=1800,
        log_levels={"default": logging.INFO},
    )


def test_the_threshold_follows_batch_size_and_processors() -> None:
    config = parsed(processors=4, extensions={"queues": {"batchSize": 9}})
    assert config.queues.new_batch_threshold == 16


def test_development_polls_every_two_seconds_unless_told_otherwise() -> None:
    assert parsed(development=True).queues.max_polling_interval_s == 2
    told = {"queues": {"maxPollingInterval": "00:00:15"}}
    assert parsed(development=True, extensions=told).queues.max_polling_interval_s == 15


def test_every_key_of_the_queues_is_read() -> None:
    assert queues(
        batchSize=8,
        newBatchThreshold=4,
        maxDequeueCount=3,
        visibilityTimeout="00:00:30",
        maxPollingInterval="00:01:15",
        messageEncoding="none",
    ) == QueueOptions(
        batch_size=8,
        new_batch_threshold=4,
        max_dequeue_count=3,
        visibility_timeout_s=30,
        max_polling_interval_s=75,
        base64=False,
    )


def test_names_of_keys_have_no_letter_case_and_numbers_may_be_texts() -> None:
    assert queues(BATCHSIZE="5", messageEncoding="1").batch_size == 5


def test_development_polls_every_two_seconds_though_the_default_is_written_out() -> None:
    told = {"queues": {"maxPollingInterval": "00:01:00"}}
    assert parsed(development=True, extensions=told).queues.max_polling_interval_s == 2


def test_the_route_prefix_may_be_empty_and_keeps_its_slashes() -> None:
    assert parsed(extensions={"http": {"routePrefix": ""}}).route_prefix == ""
    # With a slash at its end no route can be: that is told where routes are read.
    assert parsed(extensions={"http": {"routePrefix": "/a/b/"}}).route_prefix == "/a/b/"


@pytest.mark.parametrize(("value", "seconds"), [("00:05:00", 300), ("-1", None), (-1, None)])
def test_the_time_of_a_function_is_read(value: object, seconds: float | None) -> None:
    assert parsed(functionTimeout=value).function_timeout_s == seconds


def test_log_levels_are_read() -> None:
    levels = parsed(logging={"logLevel": {"default": "Error", "Azure.Core": "Warning"}}).log_levels
    assert levels == {"default": logging.ERROR, "Azure.Core": logging.WARNING}


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"batchSize": 0}, "batchSize must be between 1 and 32, not 0"),
        ({"batchSize": 33}, "batchSize must be between 1 and 32, not 33"),
        ({"batchSize": "8.5"}, "batchSize must be a whole number"),
        ({"batchSize": True}, "batchSize must be a whole number"),
        ({"newBatchThreshold": -1}, "newBatchThreshold must be at least 0, not -1"),
        ({"maxDequeueCount": 0}, "maxDequeueCount must be at least 1, not 0"),
        ({"visibilityTimeout": 30}, "visibilityTimeout: 30 is not a time span"),
        ({"maxPollingInterval": "00:00:00.05"}, "maxPollingInterval must be at least 0.1 s"),
        ({"messageEncoding": "utf"}, 'messageEncoding must be "base64" or "none"'),
    ],
)
def test_a_wrong_queue_rule_is_named(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        queues(**keys)


@pytest.mark.parametrize(
    ("root", "sentence"),
    [
        ({"version": "1.0"}, '"version" must be "2.0"'),
        ({"extensions": []}, "extensions must be an object"),
        ({"extensions": {"http": {"routePrefix": 1}}}, "routePrefix must be a string"),
        ({"logging": {"logLevel": {"default": "Loud"}}}, "'Loud' is not a log level"),
        ({"functionTimeout": "abc"}, "functionTimeout: 'abc' is not a time span"),
        ({"functionTimeout": "00:00:00.5"}, "functionTimeout must be at least 1 s"),
        ({"logging": {"logLevel": {"Function": "Off"}}}, "logLevel.Function: 'Off' is not a log"),
    ],
)
def test_a_wrong_section_is_named(root: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parsed(**root)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:30", 30),
        ("00:30", 1800),
        ("01:02:03.5", 3723.5),
        ("1.00:00:00", 86400),
        ("0:0:1", 1),
        ("-00:00:01", -1),
    ],
)
def test_time_spans_are_read(text: str, seconds: float) -> None:
    assert parse_time_span(text) == seconds


@pytest.mark.parametrize("text", ["30", "24:00:00"])
def test_what_would_be_days_to_the_real_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="means days to the real host"):
        parse_time_span(text)


@pytest.mark.parametrize("text", ["", "30s", "00:60:00", "00:00:60", "1:2:3:4", None, 30])
def test_what_is_no_time_span_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="is not a time span"):
        parse_time_span(text)
