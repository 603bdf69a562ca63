"""What only a simulator has, under /_localcloud: look into it, and make trouble in it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from localcloud.arm.answers import error_answer
from localcloud.arm.errors import ArmError, invalid
from localcloud.arm.json_bodies import flag_at, known_keys, number_at, parse_json
from localcloud.arm.simulator import Simulator

PREFIX = "/_localcloud"
_REGION_KEYS = ("minutes_per_gb", "available", "zrs")
_LONGEST_SINCE = 15

type _Handler = Callable[[web.Request], Awaitable[object]]


class Control:
    """The calls beside ARM's; none of them is in the request log.

    In every body what is not named stays as it is, except that `faults` and
    `machines` replace all there were.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._calls: dict[tuple[str, str], _Handler] = {
            ("GET", "health"): self._health,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget_requests,
            ("PUT", "faults"): self._faults,
            ("PUT", "clock"): self._clock,
            ("GET", "events"): self._sent_events,
            ("PUT", "events"): self._events,
            ("PUT", "behaviour"): self._behaviour,
            ("PUT", "machines"): self._machines,
            ("GET", "resources"): self._resources,
            ("PUT", "resources"): self._put_resources,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a call; a wrong one gets the reason in ARM's error shape."""
        try:
            return web.json_response(await self._handler(request)(request))
        except ArmError as error:
            answer = error_answer(error)
            return web.json_response(answer.body, status=answer.status)

    def _handler(self, request: web.Request) -> _Handler:
        call = request.path.removeprefix(PREFIX).strip("/")
        handler = self._calls.get((request.method, call))
        if handler is None and request.method == "PUT" and call.startswith("regions/"):
            return self._region
        if handler is None:
            known = ", ".join(f"{method} {name}" for method, name in self._calls)
            raise ArmError(
                404,
                "NotFound",
                f"There is no {request.method} {call[:80]}. There are: {known}, "
                "PUT regions/{region}.",
            )
        return handler

    async def _health(self, _request: web.Request) -> object:
        clock = self._simulator.api.clock
        return {"status": "ok", "scale": clock.scale, "simulated_s": clock.now()}

    async def _requests(self, request: web.Request) -> object:
        return _later_than(request, self._simulator.requests)

    async def _forget_requests(self, _request: web.Request) -> object:
        self._simulator.requests.clear()
        return {}

    async def _faults(self, request: web.Request) -> object:
        faults = self._simulator.api.faults
        faults.put(await _body(request))
        return {"rules": len(faults.rules)}

    async def _clock(self, request: web.Request) -> object:
        body = known_keys(await _body(request), ("scale",), "clock")
        scale = number_at(body, "scale", "clock", least=1e-6)
        if scale is None:
            raise invalid("clock.scale says how many times faster than Azure.", target="scale")
        api = self._simulator.api
        api.clock.set_scale(scale)
        api.operations.poke()
        return {"scale": scale}

    async def _region(self, request: web.Request) -> object:
        regions = self._simulator.api.cloud.regions
        spelled = request.path.rstrip("/").rsplit("/", 1)[-1]
        name = regions.resolve(spelled)
        if not regions.is_known(name):
            raise ArmError(404, "NotFound", f"There is no region '{spelled[:80]}'.")
        body = known_keys(await _body(request), _REGION_KEYS, "region")
        speed = number_at(body, "minutes_per_gb", "region")
        available, zrs = flag_at(body, "available", "region"), flag_at(body, "zrs", "region")
        behaviour = regions.behaviour_of(name)
        if speed is not None:
            behaviour.minutes_per_gb = speed
        if available is not None:
            behaviour.available = available
        if zrs is not None:
            behaviour.zrs = zrs
        return {"region": name, **asdict(behaviour)}

    async def _sent_events(self, request: web.Request) -> object:
        return _later_than(request, self._simulator.api.events.log)

    async def _events(self, request: web.Request) -> object:
        events = self._simulator.api.events
        events.configure(await _body(request))
        return asdict(events.delivery)

    async def _machines(self, request: web.Request) -> object:
        graph = self._simulator.graph
        graph.put(await _body(request))
        return {"machines": len(graph.machines)}

    async def _resources(self, _request: web.Request) -> object:
        return [one.body() for one in self._simulator.api.cloud.inventory.all()]

    async def _put_resources(self, request: web.Request) -> object:
        inventory = self._simulator.api.cloud.inventory
        inventory.put(await _body(request))
        return {"resources": len(inventory.all())}

    async def _behaviour(self, request: web.Request) -> object:
        api = self._simulator.api
        api.behaviour = api.behaviour.changed(await _body(request))
        return asdict(api.behaviour)


def _later_than(request: web.Request, log: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of a log after the number that the query names as `since`."""
    since = request.query.get("since", "0")
    if not (since.isascii() and since.isdigit() and len(since) <= _LONGEST_SINCE):
        raise invalid("since is the number of an entry.", target="since")
    return [one for one in log if one["n"] > int(since)]


async def _body(request: web.Request) -> Any:
    try:
        return parse_json(await request.read())
    except web.HTTPRequestEntityTooLarge as error:
        raise ArmError(
            413, "RequestContentTooLarge", "The request content is too large."
        ) from error
