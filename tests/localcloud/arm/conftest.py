"""Fixtures: the simulator in memory, and on a port in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from localcloud.arm.server import RunningArm, start_arm
from tests.support.localcloud.arm import Arm, Loop, StartArm
from tests.support.localcloud.arm_world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """Run an event loop beside the test."""
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever)
    thread.start()
    yield Loop(running)
    running.call_soon_threadsafe(running.stop)
    thread.join()
    running.close()


@pytest.fixture
def start(loop: Loop) -> Iterator[StartArm]:
    """Start simulators; they stop after the test."""
    running: list[RunningArm] = []

    def start_one(*, time_scale: float = 1.0, events_url: str | None = None) -> Arm:
        one = loop.run(start_arm(port=0, time_scale=time_scale, events_url=events_url))
        running.append(one)
        return Arm(one.url)

    yield start_one
    for one in running:
        loop.run(one.stop())


@pytest.fixture
def arm(start: StartArm) -> Arm:
    """Give a simulator at Azure's own speed."""
    return start()
