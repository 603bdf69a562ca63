"""One queue trigger: polling, locks, failures and the poison queue by the real host's rules."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from localcloud.functions.backoff import PollingBackoff
from localcloud.functions.config import QueueOptions
from localcloud.functions.payloads import QueueMessage, UndecodableBodyError, decode_body
from localcloud.functions.queue_ports import (
    MessageGoneError,
    QueueMissingError,
    QueueService,
    QueueServiceError,
)

_log = logging.getLogger("localcloud.functions")

LOCK_S = 600.0
POISON_SUFFIX = "-poison"
_MAX_QUEUE_NAME = 63

Invoke = Callable[[QueueMessage, str], Awaitable[bool]]
Sleep = Callable[[float], Awaitable[None]]


def poison_queue_of(queue: str) -> str | None:
    """Name the poison queue; a poison queue, or a name too long for the suffix, has none."""
    name = queue + POISON_SUFFIX
    return None if queue.endswith(POISON_SUFFIX) or len(name) > _MAX_QUEUE_NAME else name


@dataclass(slots=True)
class _Lock:
    receipt: str


@dataclass(slots=True, kw_only=True)
class QueueListener:
    """Feeds the messages of one queue to one function.

    `invoke` gets a message and its decoded body and tells whether the function succeeded. `wakers`
    maps queue names to events that end a listener's wait when this host itself adds to the queue.
    """

    queue: str
    service: QueueService
    options: QueueOptions
    invoke: Invoke
    lock_s: float = LOCK_S
    sleep: Sleep = asyncio.sleep
    backoff: PollingBackoff | None = None
    wakers: Mapping[str, asyncio.Event] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _finished: asyncio.Event = field(default_factory=asyncio.Event)
    _in_trouble: bool = False

    async def run(self) -> None:
        """Poll until cancelled; messages already taken go on, see `drain`."""
        backoff = self.backoff or PollingBackoff(maximum_s=self.options.max_polling_interval_s)
        found = False
        while True:
            batch = await self._receive_whole()
            for message in batch:
                task = asyncio.create_task(self.process(message))
                self._running.add(task)
                task.add_done_callback(self._on_done)
            if not batch:
                await self._wait(backoff.next_delay_s(found=found))
                found = False
                continue
            found = True
            while len(self._running) > self.options.new_batch_threshold:
                self._finished.clear()
                await self._finished.wait()

    async def drain(self) -> None:
        """Wait for the messages that are being worked on."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def process(self, message: QueueMessage) -> None:
        """Take one received message to its end: deleted, released or moved to poison."""
        poison = poison_queue_of(self.queue)
        if poison is not None and message.dequeue_count > self.options.max_dequeue_count:
            await self._bury(message, message.pop_receipt, poison)
            return
        try:
            body = decode_body(message.text, base64_encoded=self.options.base64)
        except UndecodableBodyError as error:
            _log.error("queue %s: message %s: %s", self.queue, message.message_id, error)
            if poison is not None:
                await self._bury(message, message.pop_receipt, poison)
            return
        lock = _Lock(message.pop_receipt)
        renewal = asyncio.create_task(self._renew(message, lock))
        try:
            succeeded = await self.invoke(message, body)
        finally:
            renewal.cancel()
            # A renewal on its way must land first, or its new receipt is lost.
            with contextlib.suppress(asyncio.CancelledError):
                await renewal
        if succeeded:
            await self._settle(self.service.delete(self.queue, message.message_id, lock.receipt))
        elif poison is None:
            _log.warning(
                "queue %s: message %s failed and there is no poison queue; it comes back when "
                "its lock ends",
                self.queue,
                message.message_id,
            )
        elif message.dequeue_count >= self.options.max_dequeue_count:
            await self._bury(message, lock.receipt, poison)
        else:
            await self._release(message, lock.receipt, after_s=self.options.visibility_timeout_s)

    async def _release(self, message: QueueMessage, receipt: str, *, after_s: float) -> None:
        await self._settle(
            self.service.hide(self.queue, message.message_id, receipt, for_s=after_s)
        )

    async def _receive_whole(self) -> list[QueueMessage]:
        receiving = asyncio.ensure_future(self._receive())
        try:
            return await asyncio.shield(receiving)
        except asyncio.CancelledError:
            # What came with the stop goes back, or nobody sees it until its lock ends.
            for message in await receiving:
                await self._release(message, message.pop_receipt, after_s=0)
            raise

    async def _receive(self) -> list[QueueMessage]:
        try:
            batch = await self.service.receive(
                self.queue, count=self.options.batch_size, lock_s=self.lock_s
            )
        except QueueMissingError:
            # The host does not create the queue of a trigger; a sender will.
            return []
        except QueueServiceError as error:
            if not self._in_trouble:
                _log.warning("queue %s: %s; trying again until it answers", self.queue, error)
            self._in_trouble = True
            return []
        if self._in_trouble:
            _log.warning("queue %s: the storage answers again", self.queue)
        self._in_trouble = False
        return batch

    async def _wait(self, delay_s: float) -> None:
        waker = self.wakers.get(self.queue)
        if waker is None:
            await self.sleep(delay_s)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await waker.wait()
        waker.clear()

    async def _renew(self, message: QueueMessage, lock: _Lock) -> None:
        delay_s = self.lock_s / 2
        while True:
            await self.sleep(delay_s)
            hide = asyncio.ensure_future(
                self.service.hide(self.queue, message.message_id, lock.receipt, for_s=self.lock_s)
            )
            try:
                lock.receipt = await asyncio.shield(hide)
                delay_s = self.lock_s / 2
            except asyncio.CancelledError:
                with contextlib.suppress(QueueServiceError):
                    lock.receipt = await hide
                raise
            except (MessageGoneError, QueueMissingError):
                _log.warning(
                    "queue %s: message %s is no longer ours", self.queue, message.message_id
                )
                return
            except QueueServiceError as error:
                _log.warning("queue %s: lock not renewed: %s", self.queue, error)
                delay_s = self.lock_s / 4

    async def _bury(self, message: QueueMessage, receipt: str, poison: str) -> None:
        _log.warning(
            "queue %s: message %s moves to %s after %d tries",
            self.queue,
            message.message_id,
            poison,
            message.dequeue_count,
        )
        await self._settle(self._move(message, receipt, poison))

    async def _move(self, message: QueueMessage, receipt: str, poison: str) -> None:
        # Sent before deleted: a crash in between leaves two, never none.
        try:
            await self.service.send(poison, message.text)
        except QueueMissingError:
            await self.service.create(poison)
            await self.service.send(poison, message.text)
        if poison in self.wakers:
            self.wakers[poison].set()
        await self.service.delete(self.queue, message.message_id, receipt)

    async def _settle(self, step: Awaitable[object]) -> None:
        try:
            await step
        except MessageGoneError as error:
            _log.warning("queue %s: %s; someone else has the message now", self.queue, error)
        except QueueServiceError as error:
            _log.warning("queue %s: %s; the message comes back after its lock", self.queue, error)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._finished.set()
        if not task.cancelled() and task.exception() is not None:
            _log.error("queue %s: a message was not settled", self.queue, exc_info=task.exception())
