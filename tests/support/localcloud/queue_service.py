"""A queue service in memory behind the client's HTTP, on the loop's clock, with faults on order."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from yarl import URL

from localcloud.functions.storage_tries import Answer

WEEK_S = 604_800
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_RETURN = {"\r": "&#13;"}


@dataclass(slots=True, kw_only=True)
class Stored:
    """A message as the service keeps it; times in seconds of the loop's clock."""

    text: str
    message_id: str
    inserted_s: float
    ttl_s: float = WEEK_S
    visible_s: float = 0.0
    dequeue_count: int = 0
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to some requests instead of an answer, or after it."""

    on: str
    queue: str
    kind: str
    status: int | None = None
    code: str | None = None
    times: int | None = None
    after: int = 0
    until_s: float | None = None
    delay_s: float | None = None
    message_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request that the service was asked, and what came of it."""

    at_s: float
    op: str
    queue: str
    number: int | None = None
    visibility_s: int | None = None
    text: str | None = None
    message_id: str | None = None
    status: int | None = None
    code: str | None = None
    broken_off: str | None = None
    injected: bool = False
    messages: int | None = None


@dataclass(slots=True, kw_only=True)
class MemoryQueueService:
    """Queues with locks, receipts and times to live.

    `shortest_lock_s` cuts the locks of receives, as a proxy in between would; `refuses` tells that
    nothing listens at all.
    """

    faults: list[Fault] = field(default_factory=list)
    shortest_lock_s: float | None = None
    refuses: bool = False
    queues: dict[str, list[Stored]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    _met: dict[int, int] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=itertools.count)

    async def __call__(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer one request of the client; raise OSError where its connection breaks."""
        assert headers["Authorization"]
        if self.refuses:
            raise ConnectionRefusedError
        _, _, queue, *rest = url.path.split("/")
        row = Asked(at_s=_now(), op=_operation(method, rest), queue=queue)
        row.number, row.visibility_s = (
            int(url.query[name]) if name in url.query else None
            for name in ("numofmessages", "visibilitytimeout")
        )
        row.message_id = rest[1] if len(rest) > 1 else None
        if body:
            row.text = ET.fromstring(body).findtext("MessageText") or ""  # noqa: S314 - our client's
        self.asked.append(row)
        fault = self._fault(row)
        if fault is None:
            answer = self._do(row, url.query)
            row.status, row.code = answer.status, answer.headers.get("x-ms-error-code")
            return answer
        row.injected = True
        return await self._meet(fault, row, url.query)

    def put(self, queue: str, text: str, *, ttl_s: float = WEEK_S, dequeue_count: int = 0) -> None:
        self.queues[queue].append(
            Stored(
                text=text,
                message_id=f"m{next(self._ids)}",
                inserted_s=_now(),
                ttl_s=ttl_s,
                dequeue_count=dequeue_count,
            )
        )

    def alive(self, queue: str) -> list[Stored]:
        """Return the messages of a queue that have not expired."""
        self.queues[queue] = [
            one for one in self.queues[queue] if one.inserted_s + one.ttl_s > _now()
        ]
        return self.queues[queue]

    def _fault(self, row: Asked) -> Fault | None:
        for number, fault in enumerate(self.faults):
            if (fault.on, fault.queue) != (row.op, row.queue):
                continue
            if fault.message_id not in (None, row.message_id):
                continue
            met = self._met.get(number, 0)
            self._met[number] = met + 1
            spent = fault.times is not None and met >= fault.after + fault.times
            if met >= fault.after and not spent and _now() < (fault.until_s or float("inf")):
                return fault
        return None

    async def _meet(self, fault: Fault, row: Asked, query: Mapping[str, str]) -> Answer:
        if fault.kind == "status":
            row.status, row.code = fault.status, fault.code
            return _refusal(fault.status or 0, fault.code or "")
        if fault.kind == "reset":
            row.broken_off = "reset"
            raise ConnectionResetError
        if fault.kind == "silence":
            row.broken_off = "silence"
            await asyncio.Event().wait()
        answer = self._do(row, query)
        if fault.kind == "lost_answer":
            row.broken_off = f"{answer.status}, answer lost"
            raise ConnectionResetError
        assert fault.kind == "late_answer", fault.kind
        row.broken_off = f"{answer.status}, caller left"
        await asyncio.sleep(fault.delay_s or 0)
        row.status, row.broken_off = answer.status, None
        return answer

    def _do(self, row: Asked, query: Mapping[str, str]) -> Answer:
        if row.op == "create":
            made = row.queue not in self.queues
            self.queues.setdefault(row.queue, [])
            return _answer(201 if made else 204)
        if row.queue not in self.queues:
            return _refusal(404, "QueueNotFound")
        if row.op == "exists":
            return _answer(200)
        if row.op == "put":
            self.put(row.queue, row.text or "")
            return _answer(201)
        return self._receive(row) if row.op == "receive" else self._settle(row, query)

    def _settle(self, row: Asked, query: Mapping[str, str]) -> Answer:
        held = next(
            (one for one in self.alive(row.queue) if one.message_id == row.message_id), None
        )
        if not 0 <= (row.visibility_s or 0) <= WEEK_S:
            return _refusal(400, "OutOfRangeQueryParameterValue")
        if held is None:
            return _refusal(404, "MessageNotFound")
        if held.receipt != query["popreceipt"]:
            return _refusal(400, "PopReceiptMismatch")
        if row.op == "delete":
            self.queues[row.queue].remove(held)
            return _answer(204)
        self.hide(held, row.visibility_s or 0)
        return _answer(204, {"x-ms-popreceipt": held.receipt})

    def hide(self, held: Stored, for_s: float) -> None:
        """Hide a message, whoever held it before."""
        held.visible_s = _now() + for_s
        held.receipt = f"r{next(self._ids)}"

    def _receive(self, row: Asked) -> Answer:
        visible = [one for one in self.alive(row.queue) if one.visible_s <= _now()]
        taken = visible[: row.number]
        lock_s = float(row.visibility_s or 0)
        for one in taken:
            one.dequeue_count += 1
            self.hide(one, min(lock_s, self.shortest_lock_s or lock_s))
        row.messages = len(taken)
        told = "".join(map(_told, taken))
        return _answer(200, text=f"<QueueMessagesList>{told}</QueueMessagesList>")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _operation(method: str, rest: list[str]) -> str:
    below = len(rest)
    return {
        ("GET", 0): "exists",
        ("PUT", 0): "create",
        ("GET", 1): "receive",
        ("POST", 1): "put",
        ("PUT", 2): "update",
        ("DELETE", 2): "delete",
    }[method, below]


def _told(one: Stored) -> str:
    fields: dict[str, Any] = {
        "MessageId": one.message_id,
        "InsertionTime": _date(one.inserted_s),
        "ExpirationTime": _date(one.inserted_s + one.ttl_s),
        "PopReceipt": one.receipt,
        "TimeNextVisible": _date(one.visible_s),
        "DequeueCount": one.dequeue_count,
        "MessageText": escape(one.text, _RETURN),
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f"<QueueMessage>{inner}</QueueMessage>"


def _date(at_s: float) -> str:
    return format_datetime(_BEGIN + timedelta(seconds=at_s), usegmt=True)


def _answer(status: int, headers: Mapping[str, str] | None = None, *, text: str = "") -> Answer:
    return Answer(status=status, headers=headers or {}, text=text)


def _refusal(status: int, code: str) -> Answer:
    return _answer(status, {"x-ms-error-code": code})
