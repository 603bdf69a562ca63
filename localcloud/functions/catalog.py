"""The app's functions as this host will serve them, read from the runtime's index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.functions.app_settings import is_disabled, resolve
from localcloud.functions.cron import Schedule
from localcloud.functions.errors import HostStartError
from localcloud.functions.routing import Route
from localcloud.functions.worker import IndexedFunction

HTTP = "httpTrigger"
QUEUE = "queueTrigger"
EVENT_GRID = "eventGridTrigger"
TIMER = "timerTrigger"
_TRIGGERS = (HTTP, QUEUE, EVENT_GRID, TIMER)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTrigger:
    route: Route
    anonymous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTrigger:
    queue: str
    connection: str
    binary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerTrigger:
    schedule: Schedule
    run_on_startup: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGridTrigger:
    pass


Trigger = HttpTrigger | QueueTrigger | TimerTrigger | EventGridTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFunction:
    """A function, the parameter that takes its trigger, and the trigger with settings put in."""

    indexed: IndexedFunction
    parameter: str
    trigger: Trigger

    @property
    def name(self) -> str:
        return self.indexed.name


def build_catalog(
    functions: Iterable[IndexedFunction], settings: Mapping[str, str], *, route_prefix: str
) -> list[ServedFunction]:
    """Resolve every function's trigger; raise HostStartError naming what cannot be served."""
    return [
        _serve(function, settings, route_prefix)
        for function in functions
        if not is_disabled(function.name, settings)
    ]


def _serve(
    function: IndexedFunction, settings: Mapping[str, str], route_prefix: str
) -> ServedFunction:
    triggers = [b for b in function.bindings if b["type"].lower().endswith("trigger")]
    if len(triggers) != 1 or triggers[0]["type"] not in _TRIGGERS:
        kinds = ", ".join(b["type"] for b in triggers) or "none"
        raise HostStartError(
            f"function {function.name}: its trigger ({kinds}) is not supported by the local host, "
            f"which knows {', '.join(_TRIGGERS)}"
        )
    (binding,) = triggers
    kind = binding["type"]
    for other in function.bindings:
        is_answer = kind == HTTP and other["type"] == "http"
        if other is not binding and not is_answer:
            raise HostStartError(
                f"function {function.name}: the binding {other['name']} ({other['type']}) is "
                "not supported by the local host"
            )
    try:
        trigger = _trigger(function.name, binding, settings, route_prefix)
    except ValueError as error:
        raise HostStartError(f"function {function.name}: {error}") from None
    return ServedFunction(indexed=function, parameter=binding["name"], trigger=trigger)


def _trigger(
    name: str, binding: Mapping[str, Any], settings: Mapping[str, str], route_prefix: str
) -> Trigger:
    where = f"function {name}"
    match binding["type"]:
        case "httpTrigger":
            path = resolve(binding.get("route") or name, settings, where=where)
            template = f"{route_prefix}/{path.strip('/')}".strip("/")
            return HttpTrigger(
                route=Route.parse(template, methods=binding.get("methods", ()), function=name),
                anonymous=str(binding.get("authLevel", "function")).lower() == "anonymous",
            )
        case "queueTrigger":
            queue = resolve(binding["queueName"], settings, where=where).lower()
            connection = resolve(binding.get("connection") or "", settings, where=where)
            return QueueTrigger(
                queue=queue,
                connection=connection_setting(connection, settings),
                binary=str(binding.get("dataType", "")).lower() == "binary",
            )
        case "timerTrigger":
            schedule = resolve(binding["schedule"], settings, where=where)
            return TimerTrigger(
                schedule=Schedule.parse(schedule),
                run_on_startup=bool(binding.get("runOnStartup", False)),
            )
        case _:
            return EventGridTrigger()


def connection_setting(connection: str, settings: Mapping[str, str]) -> str:
    """Name the setting that a binding's `connection` means, as the real host looks it up."""
    name = connection or "AzureWebJobsStorage"
    # A bare word "X" may be set as "AzureWebJobsX" too.
    prefixed = f"AzureWebJobs{name}"
    return name if settings.get(name) or not settings.get(prefixed) else prefixed
