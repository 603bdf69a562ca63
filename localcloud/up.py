"""`localcloud up`: storage, Resource Manager and the app together, until told to stop."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TextIO
from urllib.parse import quote

from localcloud.functions.app_settings import ENVIRONMENT
from localcloud.functions.errors import HostStartError
from localcloud.functions.keys import open_keys
from localcloud.parts import Part, free_port_block, require_free, start_python_part
from localcloud.process import EndedEarlyError, StartError, announce, stop_event
from localcloud.storage import DEFAULT_PORT_BASE, start_storage

DEFAULT_ARM_PORT = 7070
DEFAULT_FUNCTIONS_PORT = 7071
DEFAULT_TIME_SCALE = 60.0
STATE_DIR = ".localcloud"
POLICY_FILE = "replication-policy.yaml"
EVENT_FUNCTION = "image_version_event"
EVENTS_URL = "LOCALCLOUD_EVENTS_URL"
_LONG_LIFE_S = 60.0
_LONGEST_WAIT_S = 30.0

type StartHost = Callable[[], Awaitable[Part]]


class Prepare(Protocol):
    """What is to be done with all parts before they are announced as ready."""

    async def __call__(self, *, arm_url: str, functions_url: str, storage: str) -> None: ...


# Setting: seconds at real speed, and the least that still leaves room to work.
_SCALED_DELAYS_S = {
    "TRACKING_MIN_DELAY_S": (15.0, 0.5),
    "TRACKING_MAX_DELAY_S": (3600.0, 2.0),
    "RETRY_BASE_DELAY_S": (5.0, 0.5),
    "RETRY_MAX_DELAY_S": (300.0, 2.0),
    "LEASE_DURATION_S": (120.0, 30.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    arm: int
    functions: int
    storage: int

    @classmethod
    def choose(cls, port_base: int | None) -> Self:
        """Take five neighbours from `port_base` on, free ones for 0, the usual ones for None."""
        if port_base is None:
            return cls(
                arm=DEFAULT_ARM_PORT, functions=DEFAULT_FUNCTIONS_PORT, storage=DEFAULT_PORT_BASE
            )
        base = port_base or free_port_block(5)
        return cls(arm=base, functions=base + 1, storage=base + 2)


def function_settings(
    environment: Mapping[str, str],
    *,
    storage: str,
    arm_url: str,
    policy: Path,
    time_scale: float,
) -> dict[str, str]:
    """Return the app's environment: pointed at the local cloud, with delays that fit its clock.

    Delays and a policy that the user has set already stay.
    """
    delays = {
        name: f"{max(real_s / time_scale, least_s):g}"
        for name, (real_s, least_s) in _SCALED_DELAYS_S.items()
    }
    return {
        **delays,
        "REPLICATION_POLICY": str(policy),
        ENVIRONMENT: "Development",
        **environment,
        "AzureWebJobsStorage": storage,
        "AZURE_RESOURCE_MANAGER_URL": arm_url,
        "RETAIL_PRICES_URL": f"{arm_url}/api/retail/prices",
    }


def policy_path(project: Path, state_dir: Path) -> Path:
    """Return the state directory's own policy if it has one, else the project's."""
    own = state_dir / POLICY_FILE
    return (own if own.is_file() else project / POLICY_FILE).resolve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What `up` was asked for; without `state_dir` nothing outlives the run.

    `settings` go before the environment, and `prepare` is done before the ready line.
    """

    ports: Ports
    project: Path
    state_dir: Path | None
    time_scale: float
    settings: Mapping[str, str] = field(default_factory=dict)
    prepare: Prepare | None = None

    @property
    def own_dir(self) -> Path:
        return self.state_dir or self.project / STATE_DIR


async def run_up(launch: Launch, out: TextIO) -> int:
    """Run all parts; return 0 after a stop that was asked for, 1 when a part failed."""
    stop = asyncio.ensure_future(stop_event().wait())
    parts: list[Part] = []
    running = asyncio.ensure_future(_start(parts, launch, out))
    try:
        await asyncio.wait({stop, running}, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            return 0
        await keep_running(parts, await running, stop)
    except StartError as error:
        sys.stderr.write(f"localcloud: {error}\n")
        return 1
    else:
        return 0
    finally:
        stop.cancel()
        running.cancel()
        await asyncio.gather(stop, running, return_exceptions=True)
        await asyncio.gather(*(part.stop() for part in reversed(parts)))


async def _start(parts: list[Part], launch: Launch, out: TextIO) -> StartHost:
    """Start all parts, the Functions host last; return what starts another host."""
    ports = launch.ports
    require_free((ports.arm, ports.functions), hint="choose others with --port-base")
    functions_url = f"http://127.0.0.1:{ports.functions}"
    events_url = f"{functions_url}/runtime/webhooks/eventgrid?functionName={EVENT_FUNCTION}"
    environment = {ENVIRONMENT: "Development", **os.environ, **launch.settings}
    try:
        keys = open_keys(environment, launch.own_dir)
    except HostStartError as error:
        raise StartError(str(error)) from None
    if keys is not None:
        events_url += f"&code={quote(keys.system, safe='')}"
    arm_options = ["--port", str(ports.arm), "--time-scale", f"{launch.time_scale:g}"]
    storage = start_storage(port_base=ports.storage, state_dir=launch.state_dir)
    # By the environment: whoever may list processes can read their arguments.
    arm = start_python_part("arm", ["arm", *arm_options], {**os.environ, EVENTS_URL: events_url})
    ended = await asyncio.gather(_kept(parts, storage), _kept(parts, arm), return_exceptions=True)
    for problem in ended:
        if isinstance(problem, BaseException):
            raise problem
    ready = {key: value for part in parts for key, value in part.ready.items()}
    settings = function_settings(
        environment,
        storage=ready["storage"],
        arm_url=ready["arm"],
        policy=policy_path(launch.project, launch.own_dir),
        time_scale=launch.time_scale,
    )
    functions_options = ["--port", str(ports.functions), "--app-dir", str(launch.project)]
    start_host = partial(
        start_python_part,
        "functions",
        ["functions", *functions_options, "--state", str(launch.own_dir)],
        settings,
    )
    await _kept(parts, start_host())
    problem = parts[-1].ready.get("problem")
    if problem:
        raise StartError(f"the app cannot be loaded: {problem}")
    ready |= parts[-1].ready
    if launch.prepare is not None:
        await launch.prepare(
            arm_url=ready["arm"], functions_url=ready["functions"], storage=ready["storage"]
        )
    order = ("arm", "functions", "storage", "dashboard")
    announce(
        out,
        {**{key: ready[key] for key in order}, "policy": settings["REPLICATION_POLICY"]},
    )
    return start_host


async def _kept(parts: list[Part], start: Awaitable[Part]) -> None:
    parts.append(await start)


async def keep_running(
    parts: list[Part], start_host: StartHost, stop: asyncio.Future[Literal[True]]
) -> None:
    """Watch the parts until the stop; raise StartError with the last words of one that failed.

    The Functions host, the last of them, ends with exit code 0 where storage fails it: as the
    platform does, another is started, and the less time each has lived the later.
    """
    loop = asyncio.get_running_loop()
    wait_s = 0.0
    began_s = loop.time()
    while not await _watch(parts, stop):
        wait_s = next_wait_s(wait_s, lived_s=loop.time() - began_s)
        sys.stderr.write(
            "localcloud: the Functions host ended, as it does when its storage fails; "
            f"another starts in {wait_s:g} s\n"
        )
        await asyncio.wait({stop}, timeout=wait_s)
        if stop.done():
            return
        began_s = loop.time()
        # While the storage is away, a host ends before it is ready: the old one stays the last.
        with contextlib.suppress(EndedEarlyError):
            parts[-1] = await start_host()


def next_wait_s(last_s: float, *, lived_s: float) -> float:
    """Return how long to wait before another host: longer each time while none lives long."""
    return 1.0 if lived_s >= _LONG_LIFE_S else min(max(1.0, 2 * last_s), _LONGEST_WAIT_S)


async def _watch(parts: list[Part], stop: asyncio.Future[Literal[True]]) -> bool:
    """Wait for the stop and return true; false where the last part, the host, ended well.

    Raises StartError with the last words of any other part that ends.
    """
    ends = {asyncio.ensure_future(part.ended()): part for part in parts}
    waiting: set[asyncio.Future[Any]] = {stop, *ends}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if stop.done():
        return True
    ended = {part.name: (part, end.result()) for end, part in ends.items() if end.done()}
    if {name: code for name, (_, code) in ended.items()} == {parts[-1].name: 0}:
        return False
    raise StartError("\n".join(part.obituary(code) for part, code in ended.values()))
