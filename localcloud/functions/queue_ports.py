"""What the queue listener needs from a queue service."""

from typing import Protocol

from localcloud.functions.payloads import QueueMessage


class QueueServiceError(Exception):
    """The service did not do what was asked; the listener backs off and tries again."""


class QueueMissingError(QueueServiceError):
    """There is no such queue, or it is being deleted."""


class MessageGoneError(QueueServiceError):
    """The message was deleted, or someone else holds it now."""


class QueueService(Protocol):
    """The operations of one storage account's queues."""

    async def receive(self, queue: str, *, count: int, lock_s: float) -> list[QueueMessage]:
        """Take up to `count` messages and hide them for `lock_s`."""
        ...

    async def hide(self, queue: str, message_id: str, receipt: str, *, for_s: float) -> str:
        """Hide a held message for `for_s` from now and return its new receipt."""
        ...

    async def delete(self, queue: str, message_id: str, receipt: str) -> None: ...

    async def send(self, queue: str, text: str) -> None: ...

    async def create(self, queue: str) -> None:
        """Create the queue; do nothing when it is there."""
        ...
