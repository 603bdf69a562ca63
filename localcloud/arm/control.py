"""What only a simulator has: its own routes under /_localcloud."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from localcloud.arm.checks import check_keys, flag, integer, number, text
from localcloud.arm.errors import ArmError, bad_request, not_found
from localcloud.arm.versions import Disks

if TYPE_CHECKING:
    from localcloud.arm.server import Simulator

_MAX_DISKS = 64


class Control:
    """Routes to look into the simulator and to make trouble in it."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    def add_routes(self, app: web.Application) -> None:
        """Add the routes to the web application."""
        for method, path, call in (
            ("GET", "health", self._health),
            ("GET", "requests", self._requests),
            ("DELETE", "requests", self._forget),
            ("PUT", "faults", self._faults),
            ("PUT", "clock", self._clock),
            ("PUT", "regions/{region}", self._region),
            ("GET", "events", self._sent),
            ("PUT", "events", self._events),
            ("PUT", "behaviour", self._behaviour),
            ("PUT", "sources", self._source),
        ):
            app.router.add_route(method, f"/_localcloud/{path}", _answering(call))

    async def _health(self, _request: web.Request) -> object:
        return {"status": "ok", "simulated_s": self._simulator.cloud.clock.now()}

    async def _requests(self, request: web.Request) -> object:
        since = request.query.get("since", "0")
        if not (since.isascii() and since.isdigit()):
            raise bad_request("since is the number of a request")
        return [one for one in self._simulator.requests if one["n"] > int(since)]

    async def _forget(self, _request: web.Request) -> object:
        self._simulator.requests.clear()
        return {}

    async def _faults(self, request: web.Request) -> object:
        faults = self._simulator.cloud.faults
        faults.put(await _body(request))
        return {"rules": len(faults.rules)}

    async def _clock(self, request: web.Request) -> object:
        body = check_keys(await _body(request), ("scale",), "clock")
        scale = number(body, "scale", default=1.0)
        if scale <= 0:
            raise bad_request("scale is more than 0")
        self._simulator.cloud.clock.set_scale(scale)
        return {"scale": scale}

    async def _region(self, request: web.Request) -> object:
        regions = self._simulator.cloud.regions
        name = regions.resolve(request.match_info["region"])
        behaviour = regions.behaviour.get(name)
        if behaviour is None:
            raise not_found(f"there is no region {name[:80]!r}")
        body = check_keys(await _body(request), ("minutes_per_gb", "available", "zrs"), "region")
        behaviour.minutes_per_gb = number(body, "minutes_per_gb", default=behaviour.minutes_per_gb)
        behaviour.available = flag(body, "available", default=behaviour.available)
        behaviour.zrs = flag(body, "zrs", default=behaviour.zrs)
        return asdict(behaviour)

    async def _sent(self, _request: web.Request) -> object:
        return list(self._simulator.events.log)

    async def _events(self, request: web.Request) -> object:
        self._simulator.events.configure(await _body(request))
        return asdict(self._simulator.events.delivery)

    async def _behaviour(self, request: web.Request) -> object:
        behaviour = self._simulator.cloud.behaviour
        known = (
            "refuse_region_removal",
            "concurrent_write",
            "summary_region_names",
            "list_page_size",
        )
        body = check_keys(await _body(request), known, "behaviour")
        write = text(body, "concurrent_write") or behaviour.concurrent_write
        names = text(body, "summary_region_names") or behaviour.summary_region_names
        if write not in ("accept", "conflict", "lose"):
            raise bad_request("concurrent_write is accept, conflict or lose")
        if names not in ("short", "display"):
            raise bad_request("summary_region_names is short or display")
        size = integer(body, "list_page_size", default=behaviour.list_page_size)
        if size < 1:
            raise bad_request("list_page_size is 1 or more")
        behaviour.refuse_region_removal = flag(
            body, "refuse_region_removal", default=behaviour.refuse_region_removal
        )
        behaviour.concurrent_write, behaviour.summary_region_names = write, names
        behaviour.list_page_size = size
        return asdict(behaviour)

    async def _source(self, request: web.Request) -> object:
        """Say how large the disks of a source are, which ARM would know of the VM."""
        body = check_keys(await _body(request), ("id", "os_disk_gb", "data_disks_gb"), "source")
        source_id = text(body, "id")
        data = body.get("data_disks_gb", [])
        if not source_id:
            raise bad_request("id is the ARM id of the source")
        if not isinstance(data, list) or len(data) > _MAX_DISKS:
            raise bad_request(f"data_disks_gb is a list of at most {_MAX_DISKS} sizes")
        sizes = tuple(integer({"size": one}, "size", default=0) for one in data)
        disks = Disks(os_gb=integer(body, "os_disk_gb", default=30), data_gb=sizes)
        self._simulator.cloud.sources[source_id.lower()] = disks
        return asdict(disks)


def _answering(
    call: Callable[[web.Request], Awaitable[object]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await call(request))
        except ArmError as error:
            return web.json_response(error.body(), status=error.status)

    return answer


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise bad_request("the body is not JSON") from error
