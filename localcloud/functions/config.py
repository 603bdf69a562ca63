"""host.json as far as this host obeys it: route prefix, queue rules, log level."""

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from localcloud.functions.errors import HostStartError

_TIME_SPAN = re.compile(
    r"(?P<sign>-?)(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>[0-5]?\d)"
    r"(?::(?P<seconds>[0-5]?\d(?:\.\d+)?))?"
)
_HOURS_OF_A_DAY = 24
_LOG_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}
_ENCODINGS = {"base64": "base64", "1": "base64", "none": "none", "0": "none"}
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_DEFAULT_POLLING_S = 60.0
_DEVELOPMENT_POLLING_S = 2.0
_DEFAULT_FUNCTION_TIMEOUT_S = 1800.0
_LEAST_FUNCTION_TIMEOUT_S = 1.0


class HostConfigError(ValueError):
    """A key of host.json holds something that the real host would not take either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """The rules of the queue trigger, with the real host's defaults."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_s: float = 0.0
    max_polling_interval_s: float = _DEFAULT_POLLING_S
    base64: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    route_prefix: str = "api"
    queues: QueueOptions = QueueOptions()
    function_timeout_s: float | None = _DEFAULT_FUNCTION_TIMEOUT_S
    log_levels: Mapping[str, int] = field(default_factory=lambda: {"default": logging.INFO})


def load_host_config(app_dir: Path, *, development: bool) -> HostConfig:
    """Read `host.json` of the app; raise HostStartError when it is missing or wrong."""
    path = app_dir / "host.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HostStartError(f"{path} is missing; every function app has one") from None
    except ValueError as error:
        raise HostStartError(f"{path} is not JSON: {error}") from None
    try:
        return parse_host_config(document, development=development, processors=os.cpu_count() or 1)
    except HostConfigError as error:
        raise HostStartError(f"{path}: {error}") from None


def parse_host_config(document: Any, *, development: bool, processors: int) -> HostConfig:
    """Turn the parsed file into rules; raise HostConfigError naming the key that is wrong."""
    root = _section(document, "host.json")
    if root.get("version") != "2.0":
        raise HostConfigError('"version" must be "2.0"')
    extensions = _section(root.get("extensions", {}), "extensions")
    http = _section(extensions.get("http", {}), "extensions.http")
    prefix = http.get("routePrefix", "api")
    if not isinstance(prefix, str):
        raise HostConfigError("extensions.http.routePrefix must be a string")
    queues = _section(extensions.get("queues", {}), "extensions.queues")
    return HostConfig(
        route_prefix=prefix,
        queues=_queue_options(queues, development=development, processors=processors),
        function_timeout_s=_function_timeout_s(root),
        log_levels=_log_levels(_section(root.get("logging", {}), "logging")),
    )


def _function_timeout_s(root: Mapping[str, Any]) -> float | None:
    value = root.get("functionTimeout")
    if value is None:
        return _DEFAULT_FUNCTION_TIMEOUT_S
    if value in (-1, "-1"):
        return None
    try:
        seconds = parse_time_span(value)
    except HostConfigError as error:
        raise HostConfigError(f"functionTimeout: {error}") from None
    if seconds < _LEAST_FUNCTION_TIMEOUT_S:
        raise HostConfigError(f"functionTimeout must be at least {_LEAST_FUNCTION_TIMEOUT_S:g} s")
    return seconds


def _log_levels(section: Mapping[str, Any]) -> dict[str, int]:
    given = {"default": "Information", **_section(section.get("logLevel", {}), "logging.logLevel")}
    for category, level in given.items():
        if str(level).lower() not in _LOG_LEVELS:
            raise HostConfigError(f"logging.logLevel.{category}: {level!r} is not a log level")
    return {category: _LOG_LEVELS[str(level).lower()] for category, level in given.items()}


def parse_time_span(value: Any) -> float:
    """Read a .NET time span ("00:00:30", "1.02:03:04.5") as seconds; raise HostConfigError else.

    A bare number, and hours from 24 on, are days to .NET: nobody means that, so both are refused.
    """
    text = value if isinstance(value, str) else ""
    match = _TIME_SPAN.fullmatch(text)
    if text.strip().isdigit() or (match and int(match["hours"]) >= _HOURS_OF_A_DAY):
        raise HostConfigError(
            f'{value!r} means days to the real host; write days as "1.00:00:00", or hours below 24'
        )
    if match is None:
        raise HostConfigError(f'{value!r} is not a time span such as "00:00:30"')
    span = timedelta(
        days=int(match["days"] or 0),
        hours=int(match["hours"]),
        minutes=int(match["minutes"]),
        seconds=float(match["seconds"] or 0),
    )
    return span.total_seconds() * (-1 if match["sign"] else 1)


def _queue_options(
    section: Mapping[str, Any], *, development: bool, processors: int
) -> QueueOptions:
    # Letter case does not count in the names, and numbers may be texts.
    keys = {key.lower(): value for key, value in section.items()}
    batch_size = _integer(keys, "batchSize", 16, low=1, high=32)
    encoding = _ENCODINGS.get(str(keys.get("messageencoding", "base64")).lower())
    if encoding is None:
        raise HostConfigError('extensions.queues.messageEncoding must be "base64" or "none"')
    polling_s = _seconds(keys, "maxPollingInterval", _DEFAULT_POLLING_S, low=0.1)
    if development and polling_s == _DEFAULT_POLLING_S:
        # The real host polls more often in development, and takes its default for "not set".
        polling_s = _DEVELOPMENT_POLLING_S
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=_integer(
            keys, "newBatchThreshold", batch_size // 2 * processors, low=0
        ),
        max_dequeue_count=_integer(keys, "maxDequeueCount", 5, low=1),
        # One that the service does not take ends the host at the first failure.
        visibility_timeout_s=_seconds(keys, "visibilityTimeout", 0.0),
        max_polling_interval_s=polling_s,
        base64=encoding == "base64",
    )


def _section(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise HostConfigError(f"{name} must be an object")
    return value


def _integer(
    section: Mapping[str, Any], key: str, default: int, *, low: int, high: int | None = None
) -> int:
    value = section.get(key.lower(), default)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise HostConfigError(f"extensions.queues.{key} must be a whole number")
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise HostConfigError(f"extensions.queues.{key} must be {bounds}, not {value}")
    return value


def _seconds(
    section: Mapping[str, Any], key: str, default_s: float, *, low: float | None = None
) -> float:
    if key.lower() not in section:
        return default_s
    try:
        seconds = parse_time_span(section[key.lower()])
    except HostConfigError as error:
        raise HostConfigError(f"extensions.queues.{key}: {error}") from None
    if low is not None and seconds < low:
        raise HostConfigError(f"extensions.queues.{key} must be at least {low:g} s")
    return seconds
