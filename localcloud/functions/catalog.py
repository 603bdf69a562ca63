"""The app's functions as this host will serve them, read from the runtime's index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from localcloud.functions.app_settings import is_disabled, resolve
from localcloud.functions.errors import HostStartError, RefusedFunctionError
from localcloud.functions.keys import Level
from localcloud.functions.routes.router import Route, name_order
from localcloud.functions.schedules.schedule import Schedule
from localcloud.functions.worker import IndexedFunction

HTTP = "httpTrigger"
_LEVELS = {"anonymous": Level.ANONYMOUS, "admin": Level.ADMIN}
QUEUE = "queueTrigger"
EVENT_GRID = "eventGridTrigger"
TIMER = "timerTrigger"
_TRIGGERS = (HTTP, QUEUE, EVENT_GRID, TIMER)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTrigger:
    route: Route
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTrigger:
    queue: str
    connection: str
    binary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerTrigger:
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool = True


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
    disabled: bool = False

    @property
    def name(self) -> str:
        return self.indexed.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The functions in the host's order, and those that it refuses: name to the reason.

    A disabled function is never started by its trigger, but keeps its route.
    """

    functions: Sequence[ServedFunction]
    refused: Mapping[str, str]

    @property
    def started(self) -> list[ServedFunction]:
        """Those that their triggers start."""
        return [function for function in self.functions if not function.disabled]


def build_catalog(
    functions: Iterable[IndexedFunction], settings: Mapping[str, str], *, route_prefix: str
) -> Catalog:
    """Resolve every function's trigger; raise HostStartError where the whole host cannot serve.

    A function that has a mistake of its own is refused, and the others run, as in Azure.
    """
    served: list[ServedFunction] = []
    refused: dict[str, str] = {}
    for function in _in_order(functions):
        try:
            one = _serve(function, settings, route_prefix)
        except RefusedFunctionError as error:
            refused[function.name] = str(error)
            continue
        routes = [f.trigger.route for f in served if isinstance(f.trigger, HttpTrigger)]
        problem = (
            one.trigger.route.problem(routes) if isinstance(one.trigger, HttpTrigger) else None
        )
        if problem is not None:
            refused[function.name] = problem
        else:
            served.append(one)
    return Catalog(functions=served, refused=refused)


def _in_order(functions: Iterable[IndexedFunction]) -> list[IndexedFunction]:
    ordered = sorted(functions, key=lambda function: name_order(function.name))
    for before, after in pairwise(ordered):
        if name_order(before.name) == name_order(after.name):
            raise HostStartError(
                f"functions {before.name} and {after.name}: names must differ in more than "
                "letter case"
            )
    return ordered


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
    return ServedFunction(
        indexed=function,
        parameter=binding["name"],
        trigger=_http(function.name, binding, route_prefix)
        if kind == HTTP
        else _trigger(function.name, binding, settings),
        disabled=is_disabled(function.name, settings),
    )


def _http(name: str, binding: Mapping[str, Any], route_prefix: str) -> HttpTrigger:
    # A setting's name in a route stays text.
    template = str(binding.get("route") or "")
    try:
        route = Route.parse(
            template if template.strip() else name,
            methods=binding.get("methods"),
            function=name,
            prefix=route_prefix,
        )
    except ValueError as error:
        raise HostStartError(f"function {name}: {error}; no function would be served") from None
    told = str(binding.get("authLevel", "function")).lower()
    return HttpTrigger(route=route, level=_LEVELS.get(told, Level.FUNCTION))


def _trigger(
    name: str, binding: Mapping[str, Any], settings: Mapping[str, str]
) -> QueueTrigger | TimerTrigger | EventGridTrigger:
    where = f"function {name}"
    match binding["type"]:
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
            try:
                parsed = Schedule.parse(schedule)
            except ValueError as error:
                raise RefusedFunctionError(f"{where}: {error}") from None
            return TimerTrigger(
                schedule=parsed,
                run_on_startup=bool(binding.get("runOnStartup", False)),
                use_monitor=binding.get("useMonitor") is not False,
            )
        case _:
            return EventGridTrigger()


def connection_setting(connection: str, settings: Mapping[str, str]) -> str:
    """Name the setting that a binding's `connection` means, as the real host looks it up."""
    name = connection or "AzureWebJobsStorage"
    # A bare word "X" may be set as "AzureWebJobsX" too.
    prefixed = f"AzureWebJobs{name}"
    return name if settings.get(name) or not settings.get(prefixed) else prefixed
