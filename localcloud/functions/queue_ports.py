"""What the queue listener needs from a queue service, and which of its faults a host outlives."""

from typing import Protocol

from localcloud.functions.payloads import QueueMessage

_NO_QUEUE = frozenset({(404, "QueueNotFound"), (409, "QueueBeingDeleted")})
_NOT_OURS = _NO_QUEUE | {(400, "PopReceiptMismatch"), (404, "MessageNotFound")}
_SERVER_ERROR = 500


class QueueServiceError(Exception):
    """What the service refused, or did not do in all the tries of its client.

    `status` and `code` are the service's answer; there is no status where no answer came.
    `silent` tells that the last try was never answered, where the others were refused or reset.
    """

    def __init__(
        self, sentence: str, *, status: int | None = None, code: str = "", silent: bool = False
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.silent = silent

    @property
    def no_queue(self) -> bool:
        """There is no such queue, or not for long."""
        return (self.status, self.code) in _NO_QUEUE

    @property
    def not_ours(self) -> bool:
        """The message is gone, or someone else holds it: nothing is left to settle."""
        return (self.status, self.code) in _NOT_OURS

    @property
    def passes(self) -> bool:
        """A poll waits for this to pass; anything else ends the host."""
        return self.no_queue or (self.status or 0) >= _SERVER_ERROR or self.silent


class QueueService(Protocol):
    """The operations of one storage account's queues; each raises QueueServiceError."""

    async def exists(self, queue: str) -> bool: ...

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
