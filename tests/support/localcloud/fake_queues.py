"""A queue service and a clock in memory, for the listener's rules."""

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_ports import QueueServiceError

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class FakeClock:
    """Time that stands still until it is advanced."""

    now_s: float = 0.0
    slept: list[float] = field(default_factory=list)
    _sleepers: list[tuple[float, int, asyncio.Event]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        wake = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now_s + delay_s, next(self._order), wake))
        await wake.wait()

    async def advance(self, seconds: float) -> None:
        """Wake every sleeper that is due, in order, letting each do its work."""
        until_s = self.now_s + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until_s:
            self.now_s, _, wake = heapq.heappop(self._sleepers)
            wake.set()
            await settle()
        self.now_s = until_s


async def settle() -> None:
    """Let all tasks run until they wait for something."""
    for _ in range(50):
        await asyncio.sleep(0)


def refused(status: int, code: str) -> QueueServiceError:
    """Return what a service raises that answers so."""
    return QueueServiceError(f"answered {status} {code}", status=status, code=code)


@dataclass(slots=True)
class _Stored:
    text: str
    message_id: str
    visible_at_s: float = 0.0
    dequeue_count: int = 0
    receipt: str = ""


@dataclass(slots=True)
class FakeQueues:
    """Queues with locks and receipts.

    `errors` maps an operation to what it raises next; `answer_gate` holds back the answers to
    `receive`.
    """

    clock: FakeClock
    queues: dict[str, list[_Stored]] = field(default_factory=dict)
    errors: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    calls: list[str] = field(default_factory=list)
    answer_gate: asyncio.Event | None = None
    _ids: Iterator[int] = field(default_factory=itertools.count)

    async def exists(self, queue: str) -> bool:
        self._enter("exists", queue, must_exist=False)
        return queue in self.queues

    async def receive(self, queue: str, *, count: int, lock_s: float) -> list[QueueMessage]:
        self._enter("receive", queue)
        visible = [m for m in self.queues[queue] if m.visible_at_s <= self.clock.now_s][:count]
        for stored in visible:
            stored.dequeue_count += 1
            stored.visible_at_s = self.clock.now_s + lock_s
            stored.receipt = f"r{next(self._ids)}"
        if self.answer_gate is not None:
            await self.answer_gate.wait()
        return [_as_message(stored) for stored in visible]

    async def hide(self, queue: str, message_id: str, receipt: str, *, for_s: float) -> str:
        self._enter("hide", queue)
        stored = self._held(queue, message_id, receipt)
        stored.visible_at_s = self.clock.now_s + for_s
        stored.receipt = f"r{next(self._ids)}"
        return stored.receipt

    async def delete(self, queue: str, message_id: str, receipt: str) -> None:
        self._enter("delete", queue)
        self.queues[queue].remove(self._held(queue, message_id, receipt))

    async def send(self, queue: str, text: str) -> None:
        self._enter("send", queue)
        self.queues[queue].append(_Stored(text, f"m{next(self._ids)}"))

    async def create(self, queue: str) -> None:
        self._enter("create", queue, must_exist=False)
        self.queues.setdefault(queue, [])

    def texts(self, queue: str) -> list[str]:
        return [stored.text for stored in self.queues.get(queue, [])]

    def _enter(self, operation: str, queue: str, *, must_exist: bool = True) -> None:
        self.calls.append(f"{operation} {queue}")
        if self.errors[operation]:
            raise self.errors[operation].pop(0)
        if must_exist and queue not in self.queues:
            raise refused(404, "QueueNotFound")

    def _held(self, queue: str, message_id: str, receipt: str) -> _Stored:
        for stored in self.queues[queue]:
            if (stored.message_id, stored.receipt) == (message_id, receipt):
                return stored
        raise refused(404, "MessageNotFound")


def _as_message(stored: _Stored) -> QueueMessage:
    return QueueMessage(
        message_id=stored.message_id,
        pop_receipt=stored.receipt,
        dequeue_count=stored.dequeue_count,
        inserted_at=EPOCH,
        expires_at=EPOCH + timedelta(days=7),
        next_visible_at=EPOCH,
        text=stored.text,
    )
