"""How `localcloud up` goes on when its Functions host ends, on a clock that leaps."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from localcloud.parts import Part
from localcloud.process import EndedEarlyError, StartError
from localcloud.up import keep_running
from tests.support.virtual_time import run_in_virtual_time


@dataclass
class Process:
    """A process that ends by itself."""

    lives_s: float
    code: int = 0

    async def wait(self) -> int:
        await asyncio.sleep(self.lives_s)
        return self.code


def part(name: str, process: Process) -> Part:
    return Part(name=name, process=cast("asyncio.subprocess.Process", process))


def starts(lives: Iterator[float], *, stop_s: float) -> list[float]:
    """Let hosts live so long, one after the other; return when each after the first was started."""
    started: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        stop = loop.create_future()
        loop.call_later(stop_s, stop.set_result, True)  # noqa: FBT003 - its result

        async def start_host() -> Part:
            started.append(loop.time())
            return part("functions", Process(next(lives, 1e6)))

        parts = [part("arm", Process(1e6)), part("functions", Process(next(lives, 1e6)))]
        await keep_running(parts, start_host, stop)
        assert loop.time() == stop_s

    run_in_virtual_time(run())
    return started


def test_hosts_that_end_at_once_are_started_less_and_less_often(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun = starts(iter([0.0] * 99), stop_s=200)
    assert begun == [1, 3, 7, 15, 31, 61, 91, 121, 151, 181]
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(
        "the Functions host ended, as it does when its storage fails; another starts in 1 s"
    )
    assert lines[-1].endswith("another starts in 30 s")


def test_a_host_that_lived_long_is_followed_after_a_second() -> None:
    assert starts(iter([0.0, 0.0, 0.0, 60.0, 1e6]), stop_s=200) == [1, 3, 7, 68]


def test_a_stop_does_not_wait_for_the_next_host() -> None:
    assert starts(iter([0.0] * 9), stop_s=20) == [1, 3, 7, 15]


def test_a_host_that_ends_before_it_is_ready_is_followed_as_well() -> None:
    async def run() -> int:
        loop = asyncio.get_running_loop()
        stop = loop.create_future()
        loop.call_later(200, stop.set_result, True)  # noqa: FBT003 - its result
        starts = 0

        async def start_host() -> Part:
            nonlocal starts
            starts += 1
            await asyncio.sleep(25)
            if starts <= 3:
                raise EndedEarlyError("the storage does not answer")
            return part("functions", Process(1e6))

        await keep_running([part("functions", Process(22))], start_host, stop)
        return starts

    assert run_in_virtual_time(run()) == 4


@pytest.mark.parametrize("code", [1, 4, -9])
def test_a_host_that_ends_otherwise_is_not_followed(code: int) -> None:
    async def run() -> None:
        parts = [part("functions", Process(5, code))]

        async def start_host() -> Part:
            raise AssertionError("another host was started")

        with pytest.raises(StartError, match="functions ended with"):
            await keep_running(parts, start_host, asyncio.get_running_loop().create_future())

    run_in_virtual_time(run())
