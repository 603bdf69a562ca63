"""The relays: what they pass on, cut off and refuse."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from localcloud.parts import free_port_block
from tools.chaos.gates import ArmGate, Fate

PATCH = b"PATCH /versions/1?api-version=1 HTTP/1.1\r\nHost: arm\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"


async def with_gate[T](
    answer: bytes, use: Callable[[ArmGate, list[bytes]], Awaitable[T]], *, clients: int = 1
) -> T:
    """Put a gate before a service that answers everything alike, and use it."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(4096):
            heard.append(chunk)
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = free_port_block(clients)
    gate = ArmGate.on(range(base, base + clients), server.sockets[0].getsockname()[1])
    await gate.open()
    try:
        return await use(gate, heard)
    finally:
        await gate.close()
        server.close()
        await server.wait_closed()


async def ask(gate: ArmGate, request: bytes, *, client: int = 0) -> bytes | None:
    """Return the answer; None if the connection was refused or cut."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", gate.relays[client].port)
    except OSError:
        return None
    try:
        writer.write(request)
        return await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError):
        return None
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("fate", list(Fate))
def test_only_the_answer_to_an_accepted_write_is_cut_off_and_the_write_arrives(fate: Fate) -> None:
    async def use(gate: ArmGate, heard: list[bytes]) -> None:
        asked: list[tuple[int, str]] = []

        def decide(number: int, path: str) -> Fate:
            asked.append((number, path))
            return fate

        gate.decide = decide
        assert await ask(gate, b"GET /versions/1 HTTP/1.1\r\n\r\n") == OK
        assert asked == []
        assert await ask(gate, PATCH, client=1) == (OK if fate is Fate.PASS else None)
        assert asked == [(1, "/versions/1")]
        assert heard[-1] == PATCH
        assert gate.fates == {fate: 1}

    asyncio.run(with_gate(OK, use, clients=2))


def test_a_write_that_was_refused_is_left_alone() -> None:
    async def use(gate: ArmGate, _heard: list[bytes]) -> None:
        gate.decide = lambda _number, _path: Fate.CUT
        assert await ask(gate, PATCH) == REFUSED
        assert gate.fates == {}

    asyncio.run(with_gate(REFUSED, use))


def test_a_write_waits_for_what_is_to_come_before_it() -> None:
    async def use(gate: ArmGate, heard: list[bytes]) -> None:
        order: list[str] = []

        async def rival(path: str) -> None:
            await asyncio.sleep(0.05)
            order.append(f"rival at {path}, {len(heard)} arrived")

        gate.before_patch = rival
        assert await ask(gate, PATCH) == OK
        assert order == ["rival at /versions/1, 0 arrived"]

    asyncio.run(with_gate(OK, use))


def test_while_it_refuses_nobody_gets_through_and_open_connections_are_reset() -> None:
    async def use(gate: ArmGate, _heard: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", gate.relays[0].port)
        writer.write(PATCH)
        assert await reader.readuntil(b"\r\n\r\n") == OK
        refusing = asyncio.create_task(gate.refuse(0.3))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.transport.abort()
        assert await ask(gate, PATCH) is None
        await refusing
        assert await ask(gate, PATCH) == OK
        assert (gate.refusals, gate.refused_s) == (1, 0.3)

    asyncio.run(with_gate(OK, use))
