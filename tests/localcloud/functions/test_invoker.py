"""What becomes of a function that takes too long, and of its neighbours; on a clock of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from localcloud.functions.catalog import EventGridTrigger, ServedFunction
from localcloud.functions.invoker import Invoker
from localcloud.functions.worker import IndexedFunction, Payload, Returned
from tests.support.virtual_time import run_in_virtual_time

NOTHING = Payload(parameter="x", value=("string", ""), metadata={})


@dataclass
class FakeWorker:
    """Runs each function for the seconds that its name says; tells who began and who ended."""

    events: list[tuple[float, str, str]] = field(default_factory=list)

    async def invoke(
        self, function: IndexedFunction, payload: Payload, *, invocation_id: str | None = None
    ) -> Returned:
        assert payload is NOTHING
        assert invocation_id
        self.tell("call", function.name)
        await asyncio.sleep(float(function.name))
        self.tell("done", function.name)
        return Returned(ok=True)

    def renew(self) -> None:
        self.tell("worker", "new")

    def tell(self, what: str, of: str) -> None:
        self.events.append((asyncio.get_running_loop().time(), what, of))


@dataclass(frozen=True)
class Played:
    ended: Mapping[str, tuple[float, bool]]
    events: list[tuple[float, str, str]]


def play(*calls: tuple[float, str], timeout_s: float | None) -> Played:
    """Begin functions at their moments; return when each was answered and whether it was well."""
    worker = FakeWorker()
    ended: dict[str, tuple[float, bool]] = {}

    async def call(invoker: Invoker, at_s: float, name: str) -> None:
        await asyncio.sleep(at_s)
        indexed = IndexedFunction(name=name, function_id=name, bindings=())
        function = ServedFunction(indexed=indexed, parameter="x", trigger=EventGridTrigger())
        returned = await invoker.invoke(function, NOTHING)
        ended[name] = (asyncio.get_running_loop().time(), returned.ok)

    async def run() -> None:
        invoker = Invoker(worker, timeout_s)
        await asyncio.gather(*(call(invoker, at_s, name) for at_s, name in calls))
        await invoker.drain()

    run_in_virtual_time(run())
    return Played(ended, worker.events)


def test_a_function_over_its_time_is_answered_ten_seconds_after_its_worker_was_killed() -> None:
    played = play((0, "14"), timeout_s=5)
    assert played.ended == {"14": (17, False)}
    assert played.events == [(0, "call", "14"), (7, "worker", "new")]


def test_neighbours_that_end_before_the_worker_is_killed_are_well() -> None:
    played = play((0, "14"), (3, "3.5"), timeout_s=5)
    assert played.ended["3.5"] == (6.5, True)


def test_neighbours_in_a_killed_worker_hang_until_their_own_time_is_over() -> None:
    played = play((0, "99"), (8, "9"), (14, "1"), timeout_s=10)
    assert played.ended == {"99": (22, False), "9": (20, False), "1": (15, True)}
    # The old worker's work is broken off, and only one worker is made anew.
    assert played.events == [
        (0, "call", "99"),
        (8, "call", "9"),
        (12, "worker", "new"),
        (14, "call", "1"),
        (15, "done", "1"),
    ]


def test_a_function_that_ends_soon_after_its_time_fails_and_nobody_is_killed() -> None:
    played = play((0, "6"), (4, "4.5"), timeout_s=5)
    assert played.ended == {"6": (6, False), "4.5": (8.5, True)}
    assert "worker" not in {what for _, what, _ in played.events}


@pytest.mark.parametrize("timeout_s", [None, 5000])
def test_within_its_time_a_function_is_let_be(timeout_s: float | None) -> None:
    assert play((0, "4000"), timeout_s=timeout_s).ended == {"4000": (4000, True)}
