"""A queue listener on a fake service, on a clock that stands still."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from localcloud.functions.config import QueueOptions
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_listener import QueueListener
from tests.support.localcloud.fake_queues import FakeClock, FakeQueues, settle

DEFAULTS = QueueOptions(visibility_timeout_s=30)


def encoded(body: str) -> str:
    return base64.b64encode(body.encode()).decode()


@dataclass(slots=True)
class Bench:
    """A listener on a fake service; `answer` is what the function does."""

    answer: Callable[[QueueMessage], Awaitable[bool]]
    options: QueueOptions = DEFAULTS
    queue: str = "jobs"
    clock: FakeClock = field(default_factory=FakeClock)
    seen: list[int] = field(default_factory=list)
    queues: FakeQueues = field(init=False)
    listener: QueueListener = field(init=False)

    def __post_init__(self) -> None:
        self.queues = FakeQueues(self.clock, {self.queue: []})
        self.listener = QueueListener(
            queue=self.queue,
            service=self.queues,
            options=self.options,
            invoke=self._invoke,
            sleep=self.clock.sleep,
        )

    async def _invoke(self, message: QueueMessage, _body: bytes) -> bool:
        self.seen.append(message.dequeue_count)
        return await self.answer(message)

    def run(self, script: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def play() -> None:
            polling = asyncio.create_task(self.listener.run())
            await settle()
            try:
                await script()
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)

        asyncio.run(play())


async def succeed(_message: QueueMessage) -> bool:
    return True


async def fail(_message: QueueMessage) -> bool:
    return False


def held() -> tuple[Bench, asyncio.Event]:
    """Return a bench whose function works on until the event."""
    done = asyncio.Event()

    async def wait(_message: QueueMessage) -> bool:
        return await done.wait()

    return Bench(wait), done
