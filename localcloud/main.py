"""The `localcloud` command: all parts that stand in for Azure, together or one at a time."""

import asyncio
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from localcloud.parts import Part
from localcloud.process import StartError, announce, stop_event, take_stdout
from localcloud.storage import DEFAULT_PORT_BASE, start_storage
from localcloud.up import (
    DEFAULT_ARM_PORT,
    DEFAULT_FUNCTIONS_PORT,
    DEFAULT_TIME_SCALE,
    EVENTS_URL,
    STATE_DIR,
    Launch,
    Ports,
    run_up,
)

cli = typer.Typer(
    help="Everything that stands in for Azure on one machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_PROJECT = Path(__file__).resolve().parent.parent
_LONGEST_PORT_BASE = 65535 - 4

PortBase = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=_LONGEST_PORT_BASE,
        help="First of five neighbouring ports; 0 picks free ones.",
    ),
]
TimeScale = Annotated[float, typer.Option(min=0.001, help="How many times faster than Azure.")]
AppDir = Annotated[
    Path,
    typer.Option(
        exists=True, file_okay=False, resolve_path=True, help="Folder with function_app.py."
    ),
]


class OsState(StrEnum):
    SPECIALIZED = "Specialized"
    GENERALIZED = "Generalized"


@cli.command()
def up(
    port_base: PortBase = None,
    state: Annotated[
        Path | None, typer.Option(help="Folder that keeps the storage between runs.")
    ] = None,
    time_scale: TimeScale = DEFAULT_TIME_SCALE,
    app_dir: AppDir = _PROJECT,
) -> None:
    """Run all parts until Ctrl-C."""
    out = take_stdout()
    state_dir = state.resolve() if state else None

    async def serve() -> int:
        launch = Launch(
            ports=Ports.choose(port_base),
            project=app_dir,
            state_dir=state_dir,
            time_scale=time_scale,
        )
        return await run_up(launch, out)

    _run(serve())


@cli.command()
def trouble(
    port_base: PortBase = None,
    state: Annotated[
        Path | None, typer.Option(help="Folder that keeps the storage between runs.")
    ] = None,
) -> None:
    """Run all parts with trouble of many kinds, to be seen on the dashboard, until Ctrl-C."""
    from localcloud.trouble import (  # noqa: PLC0415 - other parts start without it
        SETTINGS,
        TIME_SCALE,
        seed_trouble,
    )

    out = take_stdout()

    async def serve() -> int:
        launch = Launch(
            ports=Ports.choose(port_base),
            project=_PROJECT,
            state_dir=state.resolve() if state else None,
            time_scale=TIME_SCALE,
            settings=SETTINGS,
            prepare=seed_trouble,
        )
        return await run_up(launch, out)

    _run(serve())


@cli.command()
def storage(
    port_base: Annotated[
        int, typer.Option(min=0, max=65533, help="Blob port; queue and table follow.")
    ] = DEFAULT_PORT_BASE,
    state: Annotated[
        Path | None, typer.Option(help="Folder that keeps the data; without it, none is kept.")
    ] = None,
) -> None:
    """Run the storage emulator alone."""
    out = take_stdout()

    async def serve() -> int:
        stop = stop_event()
        part = await start_storage(
            port_base=port_base, state_dir=state.resolve() if state else None
        )
        announce(out, part.ready)
        return await _until_stopped(part, stop)

    _run(serve())


@cli.command()
def arm(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535)] = DEFAULT_ARM_PORT,
    time_scale: TimeScale = DEFAULT_TIME_SCALE,
    events_url: Annotated[
        str | None,
        typer.Option(help="Event Grid webhook that gets the write events.", envvar=EVENTS_URL),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve https, for clients that refuse plain http.")
    ] = False,
) -> None:
    """Run the Resource Manager simulator alone."""
    from localcloud.arm.certificate import Certificate  # noqa: PLC0415 - as below
    from localcloud.arm.server import start_arm  # noqa: PLC0415 - other parts start without it

    out = take_stdout()

    async def serve() -> int:
        stop = stop_event()
        certificate = Certificate.make() if tls else None
        try:
            running = await start_arm(
                port=port,
                time_scale=time_scale,
                events_url=events_url,
                tls=certificate.context if certificate else None,
            )
        except OSError as error:
            raise StartError(f"cannot listen on port {port}: {error.strerror}") from None
        authority = {"ca": str(certificate.authority)} if certificate else {}
        announce(out, {"arm": running.url, **authority})
        await stop.wait()
        await running.stop()
        if certificate is not None:
            certificate.discard()
        return 0

    _run(serve())


@cli.command()
def functions(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535)] = DEFAULT_FUNCTIONS_PORT,
    app_dir: AppDir = _PROJECT,
    state: Annotated[Path | None, typer.Option(help="Folder for a generated key.")] = None,
    queue_lock_s: Annotated[
        float, typer.Option(min=1, help="How long a message is hidden while it is worked on.")
    ] = 600.0,
    timer_lease_s: Annotated[
        float, typer.Option(min=15, max=60, help="How long a dead host's timers wait for another.")
    ] = 60.0,
    stop_grace_s: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="How long a stop waits for queue and timer functions; calls have three times it.",
        ),
    ] = 10.0,
) -> None:
    """Run the Functions host with the app alone; its settings come from the environment."""
    from localcloud.functions.errors import (  # noqa: PLC0415 - as for `arm`
        HostEndedError,
        HostStartError,
    )
    from localcloud.functions.host import leave_at_once, start_host  # noqa: PLC0415 - likewise

    out = take_stdout()

    async def serve() -> int:
        stop = stop_event()
        try:
            host = await start_host(
                app_dir,
                port=port,
                state_dir=state.resolve() if state else app_dir / STATE_DIR,
                lock_s=queue_lock_s,
                lease_s=timer_lease_s,
                stop_grace_s=stop_grace_s,
            )
        except HostStartError as error:
            raise StartError(str(error)) from error
        except HostEndedError:
            return 0
        problem = {"problem": host.problem} if host.problem else {}
        announce(out, {"functions": host.url, "dashboard": f"{host.url}/dashboard", **problem})
        waits = {asyncio.ensure_future(event.wait()) for event in (stop, host.broken)}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        # As the real host's, the exit code tells nothing: not of a lost storage, nor of lost work.
        if not await host.stop():
            leave_at_once(0)
        return 0

    _run(serve())


@cli.command()
def export(
    *,
    image: Annotated[str, typer.Option(help="Image definition that the template becomes.")],
    version: Annotated[
        str | None, typer.Option(help="Version number, X.Y.Z; the next one if not given.")
    ] = None,
    region: Annotated[str, typer.Option(help="Region of the lab.")] = "eastus",
    size_gb: Annotated[int, typer.Option(min=1, max=4095)] = 127,
    data_disks: Annotated[int, typer.Option(min=0, max=64)] = 0,
    os_state: OsState = OsState.SPECIALIZED,
    arm_url: Annotated[str, typer.Option("--arm", help="Resource Manager to export to.")] = (
        f"http://127.0.0.1:{DEFAULT_ARM_PORT}"
    ),
) -> None:
    """Export a template VM as a lab does, and print the id of the image version."""
    from localcloud.lab_export import (  # noqa: PLC0415 - other parts start without it
        ExportRefusedError,
        export_image,
    )

    async def run() -> int:
        try:
            exported = await export_image(
                arm_url=arm_url,
                image=image,
                version=version,
                region=region,
                size_gb=size_gb,
                data_disks=data_disks,
                os_state=os_state.value,
            )
        except ExportRefusedError as error:
            raise StartError(str(error)) from error
        sys.stdout.write(f"{exported.id}\n")
        return 0

    _run(run())


@cli.command()
def resource(
    *,
    resource_id: Annotated[str, typer.Argument(metavar="ID", help="Its whole resource id.")],
    gone: Annotated[bool, typer.Option("--gone", help="Delete it.")] = False,
    region: Annotated[str | None, typer.Option(help="Where it lies.")] = None,
    arm_url: Annotated[str, typer.Option("--arm", help="Simulator that is told.")] = (
        f"http://127.0.0.1:{DEFAULT_ARM_PORT}"
    ),
) -> None:
    """Make a source of versions or a disk encryption set, or delete it after the export."""
    from localcloud.lab_export import (  # noqa: PLC0415 - other parts start without it
        ExportRefusedError,
        tell_of_resource,
    )

    async def run() -> int:
        try:
            await tell_of_resource(
                arm_url=arm_url, resource_id=resource_id, exists=not gone, region=region
            )
        except ExportRefusedError as error:
            raise StartError(str(error)) from error
        return 0

    _run(run())


async def _until_stopped(part: Part, stop: asyncio.Event) -> int:
    stopping = asyncio.ensure_future(stop.wait())
    ending = asyncio.ensure_future(part.ended())
    await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        await part.stop()
        return 0
    stopping.cancel()
    raise StartError(part.obituary(ending.result()))


def _run(work: Coroutine[Any, Any, int]) -> None:
    try:
        code = asyncio.run(work)
    except StartError as error:
        sys.stderr.write(f"localcloud: {error}\n")
        code = 1
    raise typer.Exit(code)


def main() -> None:
    """Entry point of the command."""
    cli()
