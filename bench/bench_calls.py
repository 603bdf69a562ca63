"""Calls of our own functions on three trips over the ports in memory, and the way to the write.

A call is counted each time a function of the product starts, from the trigger's on; a generator
starts once, however often it goes on. Not counted are comprehensions, generator expressions and
lambdas, what dataclasses generate, libraries, and what stands in for Azure. A function is one piece
of code, so that nested ones count for themselves. Of the trip to the write, the depth is how many
functions are under way when the gallery's `set_target_regions` is called, that one with them and
with its file.

At 8feab99 (calls, functions, files): event 322, 112, 24; message to write 1,825, 184, 33; message
to next look 1,565, 171, 32; depth 9 in 4 files. A review had counted 320, 1,823 and 1,508 calls
there, from the services on, which are 21, 31 and 30 files.

`python -m bench.bench_calls` tells which functions are called most.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import azure.functions as func

from bench.figures import Figure, at_most
from bootstrap import use
from handlers.events import image_version_event
from handlers.jobs import replicate, track
from tests.support.builders import NOON, SUBSCRIPTION, version_body, version_id, written_event
from tests.support.fakes import World, build_world

_ROOT = Path(__file__).resolve().parent.parent
_NO_PRODUCT = frozenset({"bench", "localcloud", "scripts", "tests"})
_EVENT, _WRITE, _LOOK = "event to job", "message to write", "message to next look"
# Calls, functions and files at 8feab99.
_BEFORE: Mapping[str, tuple[int, int, int]] = {
    _EVENT: (322, 112, 24),
    _WRITE: (1_825, 184, 33),
    _LOOK: (1_565, 171, 32),
}
_MOST_CALLS = _BEFORE[_WRITE][0] // 2
_MOST_DEPTH, _MOST_FILES = 9, 5
_SHOWN = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """What was called, by function, and which files were under way at the write, if there was one.

    The file of the gallery is the last of `stack`.
    """

    calls: Mapping[CodeType, int]
    stack: Sequence[str]

    @property
    def files(self) -> frozenset[str]:
        """The files in which a function was called."""
        return frozenset(code.co_filename for code in self.calls)


def run(scale: float) -> Iterator[Figure]:
    """Count; there is one size only."""
    del scale
    trips = count_trips()
    for name, trip in trips.items():
        found = sum(trip.calls.values()), len(trip.calls), len(trip.files)
        for unit, value, before in zip(
            ("calls", "functions", "files"), found, _BEFORE[name], strict=True
        ):
            if (name, unit) == (_WRITE, "calls"):
                yield at_most(f"{name}: {unit}", value, "", _MOST_CALLS)
            else:
                told = f"was {before:,}"
                yield Figure(name=f"{name}: {unit}", value=value, unit="", target=told)
    stack = trips[_WRITE].stack
    yield at_most("trigger to set_target_regions: functions", len(stack), "", _MOST_DEPTH)
    yield at_most("trigger to set_target_regions: files", len(set(stack)), "", _MOST_FILES)


def count_trips() -> dict[str, Trip]:
    """Make the trips twice, for the first fills what a process keeps; count the second."""
    _make_trips()
    return _make_trips()


def _make_trips() -> dict[str, Trip]:
    world = build_world()
    world.gallery.add(version_id(), version_body())
    with use(world.app):
        trips = {
            _EVENT: _count(world, image_version_event, _event()),
            _WRITE: _count(world, replicate, _next_message(world)),
            _LOOK: _count(world, track, _next_message(world)),
        }
    # A trip that went another way is no figure.
    assert len(world.gallery.writes) == 1  # noqa: S101
    assert len(world.queues.waiting) == 1  # noqa: S101
    return trips


def _event() -> func.EventGridEvent:
    event = written_event(version_id())
    return func.EventGridEvent(
        id=event.id,
        data=event.data,
        topic=f"/subscriptions/{SUBSCRIPTION}",
        subject=event.subject,
        event_type=event.type,
        event_time=NOON,
        data_version="2",
    )


def _next_message(world: World) -> func.QueueMessage:
    """Take the message that is due first, at its time."""
    (first,) = world.queues.waiting
    world.queues.waiting.clear()
    world.clock.now = max(world.clock.now, first[0])
    return func.QueueMessage(body=first[3])


def _count(world: World, trigger: Any, message: object) -> Trip:
    """Call a trigger's function as the worker does, past its decorators."""
    context = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=""))
    function = trigger.build().get_user_function()
    calls: Counter[CodeType] = Counter()
    stack: list[str] = []
    write: Any = world.gallery.set_target_regions

    def started(code: CodeType, _offset: int) -> None:
        if _is_product(code) and not code.co_name.startswith("<"):
            calls[code] += 1

    def written(*asked: Any) -> None:
        stack[:] = [*_files_above(sys._getframe(1)), write.__func__.__code__.co_filename]  # noqa: SLF001
        write(*asked)

    with patch.object(world.gallery, "set_target_regions", written):
        _watched(started, lambda: function(message, context))
    return Trip(calls=dict(calls), stack=stack)


def _watched(started: Callable[[CodeType, int], None], act: Callable[[], object]) -> None:
    watch, tool = sys.monitoring, sys.monitoring.PROFILER_ID
    watch.use_tool_id(tool, "bench_calls")
    watch.register_callback(tool, watch.events.PY_START, started)
    watch.set_events(tool, watch.events.PY_START)
    try:
        act()
    finally:
        watch.set_events(tool, watch.events.NO_EVENTS)
        watch.register_callback(tool, watch.events.PY_START, None)
        watch.free_tool_id(tool)


def _files_above(frame: FrameType | None) -> list[str]:
    """Return the file of each function of the product that is under way, the trigger's first."""
    files: list[str] = []
    while frame is not None:
        code = frame.f_code
        if _is_product(code) and not code.co_name.startswith("<"):
            files.insert(0, code.co_filename)
        frame = frame.f_back
    return files


def _is_product(code: CodeType) -> bool:
    path = Path(code.co_filename)
    if not path.is_relative_to(_ROOT):
        return False
    top = path.relative_to(_ROOT).parts[0]
    return top not in _NO_PRODUCT and not top.startswith(".")


def _tell_the_most_called() -> None:
    for name, trip in count_trips().items():
        print(f"{name}: {sum(trip.calls.values()):,} calls")  # noqa: T201 - the answer
        for code, number in Counter(trip.calls).most_common(_SHOWN):
            place = Path(code.co_filename).relative_to(_ROOT)
            print(f"  {number:5,}  {place}:{code.co_firstlineno} {code.co_qualname}")  # noqa: T201


if __name__ == "__main__":
    _tell_the_most_called()
