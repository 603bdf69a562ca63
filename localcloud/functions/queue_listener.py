"""One queue trigger: polling, locks, failures and the poison queue by the real host's rules."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from localcloud.functions.backoff import PollingBackoff
from localcloud.functions.config import QueueOptions
from localcloud.functions.payloads import (
    QueueMessage,
    UndecodableBodyError,
    decode_body,
    encode_body,
)
from localcloud.functions.queue_ports import QueueService, QueueServiceError

_log = logging.getLogger("localcloud.functions")

LOCK_S = 600.0
POISON_SUFFIX = "-poison"
_MAX_QUEUE_NAME = 63

Invoke = Callable[[QueueMessage, bytes], Awaitable[bool]]
Sleep = Callable[[float], Awaitable[None]]


def poison_queue_of(queue: str) -> str | None:
    """Name the poison queue; a poison queue, or a name too long for the suffix, has none."""
    name = queue + POISON_SUFFIX
    return None if queue.endswith(POISON_SUFFIX) or len(name) > _MAX_QUEUE_NAME else name


@dataclass(slots=True)
class _Taken:
    """A message in our hands; each renewal of its lock brings a new receipt."""

    message: QueueMessage
    body: bytes
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
    _fault: asyncio.Future[None] | None = None
    _in_trouble: bool = False

    async def look(self) -> None:
        """Ask for the queue once, before the host serves; raise what a poll would not wait out."""
        try:
            await self.service.exists(self.queue)
        except QueueServiceError as error:
            if not error.passes:
                raise

    async def run(self) -> None:
        """Poll until cancelled; raise what the real host ends on.

        Messages already taken go on either way, see `drain`. A receive that is under way when this
        ends is broken off: what it took stays hidden for its lock.
        """
        fault = self._fault = asyncio.get_running_loop().create_future()
        polling = asyncio.create_task(self._poll())
        polling.add_done_callback(self._note_fault)
        try:
            await fault
        finally:
            polling.cancel()
            await asyncio.wait({polling})

    async def drain(self) -> None:
        """Wait for the messages that are being worked on."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def _poll(self) -> None:
        backoff = self.backoff or PollingBackoff(maximum_s=self.options.max_polling_interval_s)
        there = found = False
        while True:
            batch: list[QueueMessage] = []
            try:
                there = there or await self.service.exists(self.queue)
                if there:
                    batch = await self._receive()
            except QueueServiceError as error:
                if not error.passes:
                    raise
                self._tell_trouble(error)
                if error.silent:
                    # The client's own limit counts as a poll given up: the next follows at once.
                    continue
                there = False
            taken = [one for message in batch if (one := await self._decoded(message))]
            for one in taken:
                task = asyncio.create_task(self._process(one))
                self._running.add(task)
                task.add_done_callback(self._on_done)
            if not taken:
                await self._wait(backoff.next_delay_s(found=found))
                found = False
                continue
            found = True
            while len(self._running) > self.options.new_batch_threshold:
                self._finished.clear()
                await self._finished.wait()

    async def _receive(self) -> list[QueueMessage]:
        batch = await self.service.receive(
            self.queue, count=self.options.batch_size, lock_s=self.lock_s
        )
        if self._in_trouble:
            _log.warning("queue %s: the storage answers again", self.queue)
        self._in_trouble = False
        return batch

    def _tell_trouble(self, error: QueueServiceError) -> None:
        # A trigger's queue is not created by the host; a sender will.
        if not error.no_queue and not self._in_trouble:
            _log.warning("queue %s: %s; trying again until it answers", self.queue, error)
            self._in_trouble = True

    async def _decoded(self, message: QueueMessage) -> _Taken | None:
        """Decode a message; one that cannot be is buried before any other of its batch starts."""
        try:
            body = decode_body(message.text, base64_encoded=self.options.base64)
        except UndecodableBodyError as error:
            _log.error("queue %s: message %s: %s", self.queue, message.message_id, error)
            poison = poison_queue_of(self.queue)
            if poison is not None:
                await self._bury(message, message.pop_receipt, message.text, poison)
            return None
        return _Taken(message, body, message.pop_receipt)

    async def _process(self, taken: _Taken) -> None:
        """Take one message to its end: deleted, hidden or moved to poison."""
        message = taken.message
        poison = poison_queue_of(self.queue)
        spent = poison is not None and message.dequeue_count > self.options.max_dequeue_count
        if not spent and await self._invoke(taken):
            await self._settle(self.service.delete(self.queue, message.message_id, taken.receipt))
        elif poison is None:
            _log.warning(
                "queue %s: message %s failed and there is no poison queue; it comes back when "
                "its lock ends",
                self.queue,
                message.message_id,
            )
        elif message.dequeue_count >= self.options.max_dequeue_count:
            text = encode_body(taken.body, base64_encoded=self.options.base64)
            await self._bury(message, taken.receipt, text, poison)
        else:
            hide_s = self.options.visibility_timeout_s
            await self._settle(
                self.service.hide(self.queue, message.message_id, taken.receipt, for_s=hide_s)
            )

    async def _invoke(self, taken: _Taken) -> bool:
        renewal = asyncio.create_task(self._renew(taken))
        renewal.add_done_callback(self._note_fault)
        try:
            return await self.invoke(taken.message, taken.body)
        finally:
            renewal.cancel()
            # A renewal on its way must land first, or its new receipt is lost.
            await asyncio.wait({renewal})

    async def _renew(self, taken: _Taken) -> None:
        while True:
            await self.sleep(self.lock_s / 2)
            hide = asyncio.ensure_future(
                self.service.hide(
                    self.queue, taken.message.message_id, taken.receipt, for_s=self.lock_s
                )
            )
            try:
                taken.receipt = await asyncio.shield(hide)
            except asyncio.CancelledError:
                with contextlib.suppress(QueueServiceError):
                    taken.receipt = await hide
                raise
            except QueueServiceError as error:
                if not error.not_ours:
                    raise
                _log.warning(
                    "queue %s: message %s is no longer ours", self.queue, taken.message.message_id
                )
                return

    async def _wait(self, delay_s: float) -> None:
        waker = self.wakers.get(self.queue)
        if waker is None:
            await self.sleep(delay_s)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await waker.wait()
        waker.clear()

    async def _bury(self, message: QueueMessage, receipt: str, text: str, poison: str) -> None:
        _log.warning(
            "queue %s: message %s moves to %s after %d tries",
            self.queue,
            message.message_id,
            poison,
            message.dequeue_count,
        )
        # Sent before deleted: a crash in between leaves two, never none.
        try:
            await self.service.send(poison, text)
        except QueueServiceError as error:
            if (error.status, error.code) != (404, "QueueNotFound"):
                raise
            await self.service.create(poison)
            await self.service.send(poison, text)
        if poison in self.wakers:
            self.wakers[poison].set()
        await self._settle(self.service.delete(self.queue, message.message_id, receipt))

    async def _settle(self, step: Awaitable[object]) -> None:
        try:
            await step
        except QueueServiceError as error:
            if not error.not_ours:
                raise
            _log.warning("queue %s: %s; someone else has the message now", self.queue, error)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._finished.set()
        self._note_fault(task)

    def _note_fault(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if self._fault is None or self._fault.done():
            # The host ends already, or is told to.
            _log.error("queue %s: %s", self.queue, error)
        else:
            self._fault.set_exception(error)
