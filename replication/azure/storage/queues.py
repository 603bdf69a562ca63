"""The queues of work on Azure Queue Storage."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import (
    QueueClient,
    QueueServiceClient,
    TextBase64EncodePolicy,
)

from replication.azure.storage.errors import classify
from replication.domain.errors import MalformedError
from replication.domain.message import JobMessage
from replication.ports import QueueDepth, QueueName
from replication.records.message_codec import decode_message, encode_message
from replication.records.queue_body import open_body
from replication.records.retries import blip_retries

MAX_DELAY_S = 7 * 24 * 3600 - 1
_PEEK = 32


@dataclass(slots=True, kw_only=True)
class StorageJobQueues:
    """Implements the JobQueues port."""

    service: QueueServiceClient
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _clients: dict[str, QueueClient] = field(default_factory=dict)

    def send(self, queue: QueueName, message: JobMessage, *, delay_s: float = 0) -> None:
        if delay_s > 0:
            message = replace(message, due_at=self.clock() + timedelta(seconds=_delay(delay_s)))
        self.put_back(queue, encode_message(message), delay_s=delay_s)

    def put_back(self, queue: QueueName, body: str, *, delay_s: float) -> None:
        blip_retries()(self._send, queue.value, body, _delay(delay_s))

    def depths(self) -> tuple[QueueDepth, ...]:
        return tuple(self._depth(queue.value) for queue in QueueName)

    def _send(self, name: str, body: str, delay: int) -> None:
        client = self._client(name)
        try:
            try:
                client.send_message(body, visibility_timeout=delay, time_to_live=-1)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    client.create_queue()
                client.send_message(body, visibility_timeout=delay, time_to_live=-1)
        except AzureError as error:
            raise classify(error) from error

    def _depth(self, name: str) -> QueueDepth:
        try:
            depth = self._count(name)
            age_s, visible = None, 0
            if depth:
                peeked = self._client(name).peek_messages(max_messages=_PEEK)
                visible = len(peeked)
                # One that was sent with a delay has been hidden until it was due.
                since = [
                    max(one.inserted_on, _due_at(one.content) or one.inserted_on)
                    for one in peeked
                    if one.inserted_on
                ]
                if since:
                    age_s = max(0.0, (self.clock() - min(since)).total_seconds())
            # More than a peek shows: how many are hidden cannot be told.
            invisible = max(0, depth - visible) if visible < _PEEK else None
            poison = f"{name}-poison"
            buried = self._count(poison)
            return QueueDepth(
                name=name,
                depth=depth,
                invisible=invisible,
                oldest_age_s=age_s,
                poison_depth=buried,
                poison_expires_at=self._first_expiry(poison) if buried else None,
            )
        except AzureError as error:
            raise classify(error) from error

    def _count(self, name: str) -> int:
        try:
            count = self._client(name).get_queue_properties().approximate_message_count
        except ResourceNotFoundError:
            return 0
        return count or 0

    def _first_expiry(self, name: str) -> datetime | None:
        peeked = self._client(name).peek_messages(max_messages=_PEEK)
        return min((one.expires_on for one in peeked if one.expires_on), default=None)

    def _client(self, name: str) -> QueueClient:
        with self._lock:
            client = self._clients.get(name)
            if client is None:
                # XML cannot hold every character; the service client does not hand its policies on.
                client = self._clients[name] = self.service.get_queue_client(
                    name, message_encode_policy=TextBase64EncodePolicy()
                )
            return client


def _due_at(content: object) -> datetime | None:
    """Return when a message was to be taken, None where it does not say or is none of ours."""
    try:
        return decode_message(open_body(str(content).encode())).due_at
    except MalformedError:
        return None


def _delay(delay_s: float) -> int:
    # The service counts whole seconds; rounding up keeps a pause that was asked for.
    return min(MAX_DELAY_S, -int(-max(0.0, delay_s) // 1))
