"""Start the Resource Manager simulator on a port."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass

from aiohttp import web

from localcloud.arm.api import DEFAULT_SUBSCRIPTION_ID, ArmApi
from localcloud.arm.behaviour import Behaviour
from localcloud.arm.clock import SimulatedClock
from localcloud.arm.cloud import Cloud
from localcloud.arm.control import PREFIX, Control
from localcloud.arm.events import Delivery, EventGrid
from localcloud.arm.faults import Faults
from localcloud.arm.regions import Regions
from localcloud.arm.simulator import MAX_BODY_BYTES, Simulator
from localcloud.arm.topic import PATH, Topic
from localcloud.same_machine import for_this_machine

__all__ = ["DEFAULT_SUBSCRIPTION_ID", "RunningArm", "start_arm"]

_STOP_WITHIN_S = 2.0


@dataclass(slots=True, kw_only=True)
class RunningArm:
    """A simulator that answers at `url`, which has no slash at its end."""

    url: str
    port: int
    _simulator: Simulator
    _runner: web.AppRunner
    _watching: asyncio.Task[None]

    async def stop(self) -> None:
        """Stop answering, and give up the events under way."""
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watching
        await self._runner.cleanup()
        await self._simulator.api.events.stop()


async def start_arm(
    *,
    host: str = "127.0.0.1",
    port: int,
    time_scale: float,
    events_url: str | None,
    seed: int = 0,
    tls: ssl.SSLContext | None = None,
) -> RunningArm:
    """Start the simulator; port 0 takes a free one, `seed` decides how fast each region copies.

    Raises OSError when the port is taken, ValueError for a time scale that is none.
    """
    clock = SimulatedClock(time_scale)
    events = EventGrid(clock.real_s, Delivery(url=events_url))
    api = ArmApi(
        cloud=Cloud(Regions(seed=seed)),
        clock=clock,
        faults=Faults(),
        events=events,
        # The vendor's clients send a token over https alone.
        behaviour=Behaviour(authorization=tls is not None),
    )
    simulator = Simulator(api=api)
    control = Control(simulator)
    app = web.Application(
        client_max_size=MAX_BODY_BYTES, middlewares=[for_this_machine("/_localcloud/", PATH)]
    )
    app.router.add_route("*", f"{PREFIX}/{{call:.*}}", control.handle)
    app.router.add_post(PATH, Topic(events).handle)
    app.router.add_route("*", "/{path:.*}", simulator.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_WITHIN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
    except OSError:
        await runner.cleanup()
        raise
    bound = int(runner.addresses[0][1])
    simulator.own_url = f"{'http' if tls is None else 'https'}://{host}:{bound}"
    return RunningArm(
        url=simulator.own_url,
        port=bound,
        _simulator=simulator,
        _runner=runner,
        _watching=asyncio.create_task(api.operations.watch()),
    )
