"""Relays in front of ARM and of the instances: where connections are refused and cut."""

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

_CHUNK = 65_536
_PATCH = re.compile(rb"PATCH (\S+?)(\?\S*)? HTTP/1\.1\r\n")
_ACCEPTED = b"HTTP/1.1 200"


class Fate(StrEnum):
    """What becomes of ARM's answer to a write that it accepted."""

    PASS = "passed on"  # noqa: S105 - no password
    CUT = "answer cut off"
    KILL = "instance killed"


type Decide = Callable[[int, str], Fate]
type Before = Callable[[str], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Relay:
    """Listens on a port and passes bytes on; `target` picks a port for each connection.

    While it refuses, nothing listens and every connection is reset.
    """

    port: int
    target: Callable[[], int]
    before_patch: Before | None = None
    on_accepted: Callable[[str], Fate] | None = None
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening and reset all connections."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target())
        except OSError:
            writer.transport.abort()
            return
        conversation = _Conversation(before_patch=self.before_patch, on_accepted=self.on_accepted)
        pair = {writer, up_writer}
        self._writers |= pair
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, up_writer, conversation.heard))
                both.create_task(_pump(up_reader, writer, conversation.may_pass))
        except* OSError:
            pass  # one side is gone; so is the other
        finally:
            self._writers -= pair
            for one in pair:
                one.transport.abort()


@dataclass(slots=True, kw_only=True)
class _Conversation:
    """One connection; a client sends its next request only after the answer to the last."""

    before_patch: Before | None
    on_accepted: Callable[[str], Fate] | None
    patched: str | None = None

    async def heard(self, chunk: bytes) -> bool:
        """Hold a write back until what comes before it is done."""
        if self.before_patch is not None and (found := _PATCH.match(chunk)):
            self.patched = found[1].decode("ascii", "replace")
            await self.before_patch(self.patched)
        return True

    async def may_pass(self, chunk: bytes) -> bool:
        """Decide about the first bytes of the answer to a write."""
        path, self.patched = self.patched, None
        if path is None or self.on_accepted is None or not chunk.startswith(_ACCEPTED):
            return True
        return self.on_accepted(path) is Fate.PASS


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    may_pass: Callable[[bytes], Awaitable[bool]],
) -> None:
    while chunk := await reader.read(_CHUNK):
        if not await may_pass(chunk):
            break
        writer.write(chunk)
        await writer.drain()
    # The other direction ends with this one: HTTP clients do not half-close.
    raise ConnectionResetError


@dataclass(slots=True, kw_only=True)
class ArmGate:
    """ARM as the instances see it: a port for each, so that it is known who asks."""

    relays: tuple[Relay, ...]
    decide: Decide | None = None
    before_patch: Before | None = None
    fates: Counter[Fate] = field(default_factory=Counter)
    refusals: int = 0
    refused_s: float = 0.0

    @classmethod
    def on(cls, ports: Sequence[int], arm_port: int) -> "ArmGate":
        """Return a gate that is not open yet."""
        gate = cls(relays=())
        gate.relays = tuple(
            Relay(
                port=port,
                target=lambda: arm_port,
                before_patch=gate._before,
                on_accepted=gate._judge(number),
            )
            for number, port in enumerate(ports)
        )
        return gate

    async def open(self) -> None:
        """Let everybody through."""
        for relay in self.relays:
            await relay.open()

    async def close(self) -> None:
        """Refuse everybody."""
        await asyncio.gather(*(relay.close() for relay in self.relays))

    async def refuse(self, for_s: float) -> None:
        """Refuse for a while."""
        self.refusals += 1
        self.refused_s += for_s
        await self.close()
        try:
            await asyncio.sleep(for_s)
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await self.open()

    async def _before(self, path: str) -> None:
        if self.before_patch is not None:
            await self.before_patch(path)

    def _judge(self, number: int) -> Callable[[str], Fate]:
        def judge(path: str) -> Fate:
            fate = self.decide(number, path) if self.decide is not None else Fate.PASS
            self.fates[fate] += 1
            return fate

        return judge


def event_gate(port: int, ports: Sequence[int], chance: random.Random) -> Relay:
    """Return the one address of all instances: each connection goes to any, alive or dead."""
    return Relay(port=port, target=lambda: chance.choice(ports))
