"""One recorded case of the vendor's queue listener, played by ours on a clock that leaps."""

import asyncio
import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from localcloud.functions.backoff import PollingBackoff
from localcloud.functions.config import QueueOptions, parse_host_config
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_listener import QueueListener
from localcloud.functions.storage_queues import Account, StorageQueues
from tests.support.localcloud.queue_service import WEEK_S, Fault, MemoryQueueService

PROCESSORS = 2  # of the machine that recorded

_ACCOUNT = Account(name="a", key=b"key", endpoint="http://storage/a")
_TEXTS = frozenset({"string", "bytes", "binary", "poco", "jobject", "retry"})
_LONG_TEXT = 100
_LONGEST_NAME = 63
_LONG_S = 3600

Row = dict[str, Any]


@dataclass(slots=True)
class Call:
    """One call of the function."""

    at_s: float
    function: str
    count: int
    body: str
    ended_s: float | None = None
    outcome: str = "running"


@dataclass(slots=True)
class Play:
    """One case under way; everything happens on the loop's clock."""

    case: dict[str, Any]
    options: QueueOptions
    chance: random.Random
    service: MemoryQueueService = field(init=False)
    calls: list[Call] = field(default_factory=list)
    token: asyncio.Event = field(default_factory=asyncio.Event)
    ends_s: float | None = None
    stop_s: float | None = None
    queues_left: list[Row | None] = field(default_factory=list)
    _polling: list[asyncio.Task[None]] = field(default_factory=list)
    _listeners: list[QueueListener] = field(default_factory=list)

    def __post_init__(self) -> None:
        lock_s = self.case["settings"].get("lock_on_service_s")
        self.service = MemoryQueueService(
            faults=[
                Fault(**{**fault, "queue": self._real(fault["queue"])})
                for fault in self.case["faults"]
            ],
            shortest_lock_s=lock_s,
            # No request got as far as the proxy, and yet the host started: nothing listened.
            refuses=not self.case["observed"]["requests"],
        )

    @property
    def queue(self) -> str:
        name, _, rest = self.case["queue"].partition(" (a name of ")
        return name.ljust(int(rest.split()[0]), "s") if rest else str(name)

    async def run(self) -> None:
        """Play from the start of the host to the end of the watch."""
        if self.case["queue_exists_at_start"]:
            self.service.queues[self.queue] = []
        for put in self.case["messages"]:
            self._at(put["at_s"], partial(self._put, put))
        for event in self.case["events"]:
            self._at(event["at_s"], partial(self._happen, event["do"]))
        await asyncio.sleep(min((row[0] for row in self.case["observed"]["requests"]), default=0))
        for _ in range(self.case["settings"].get("hosts") or 1):
            self._start()
        await asyncio.sleep(self.case["observed"]["watched_s"] - _now())
        self.queues_left = [self.left(self.queue + end) for end in ("", "-poison")]

    def _at(self, at_s: float, act: Callable[[], None]) -> None:
        if at_s:
            asyncio.get_running_loop().call_at(at_s, act)
        else:
            act()

    def _start(self) -> None:
        functions = {"work": self.queue}
        if "poison" in self.case["function"]["parameter"]:
            functions["buried"] = f"{self.queue}-poison"
        wakers = {queue: asyncio.Event() for queue in functions.values()}
        for function, queue in functions.items():
            listener = QueueListener(
                queue=queue,
                service=StorageQueues(_ACCOUNT, exchange=self.service, uniform=self.chance.uniform),
                options=self.options,
                invoke=self._function(function),
                backoff=PollingBackoff(
                    maximum_s=self.options.max_polling_interval_s, rng=self.chance
                ),
                wakers=wakers,
            )
            self._listeners.append(listener)
            polling = asyncio.create_task(listener.run())
            polling.add_done_callback(self._ended)
            self._polling.append(polling)

    def _ended(self, polling: asyncio.Task[None]) -> None:
        if not polling.cancelled() and polling.exception() and self.ends_s is None:
            self.ends_s = _now()
            self._stop()

    def _stop(self) -> None:
        # What was told to stop before, by drain mode, is not told again.
        if all(polling.cancelling() for polling in self._polling):
            self.stop_s = 0.0
            return
        self.token.set()
        self._stop_polling()
        began_s = _now()

        async def drain() -> None:
            await asyncio.gather(*(listener.drain() for listener in self._listeners))
            self.stop_s = _now() - began_s

        self._polling.append(asyncio.create_task(drain()))

    def _stop_polling(self) -> None:
        for polling in self._polling:
            polling.cancel()

    def _happen(self, event: str) -> None:
        first = next(iter(self.service.queues.get(self.queue, [])), None)
        if event.startswith("stop the host"):
            self._stop()
        elif event == "enable drain mode":
            self._stop_polling()
        elif event == "delete the message" and first:
            self.service.queues[self.queue].remove(first)
        elif event.startswith("hide the message for ") and first:
            self.service.hide(first, float(event.split()[4]))
        elif event.startswith("create "):
            queue = self._real(event.split()[1])
            self.service.queues.setdefault(queue, [])
            if event.endswith(" and put a message"):
                self.service.put(queue, base64.b64encode(b"hello").decode())
        elif event.startswith("delete "):
            self.service.queues.pop(self._real(event.split()[1]), None)
        else:
            raise ValueError(f"cannot play {event!r}")

    def _put(self, put: dict[str, Any]) -> None:
        for n in range(put["copies"]):
            if put.get("body_hex") is not None:
                body = bytes.fromhex(put["body_hex"])
            else:
                body = (put["body"].replace("{n}", str(n)) * put["body_repeat"]).encode()
            text = base64.b64encode(body) if put["base64"] else body
            self.service.put(
                self.queue,
                text.decode(),
                ttl_s=put["ttl_s"] or WEEK_S,
                dequeue_count=put["dequeued_before"],
            )

    def _function(self, name: str) -> Callable[[QueueMessage, bytes], Any]:
        told = self.case["function"]
        kind = told["parameter"].split(",")[0]

        async def invoke(message: QueueMessage, body: bytes) -> bool:
            if kind in _TEXTS:
                try:
                    text = body.decode()
                except UnicodeDecodeError:
                    return False
            else:
                text = body.decode("utf-8", "replace")
            call = Call(_now(), name, message.dequeue_count, text)
            if kind in {"poco", "jobject"} and not _is_object(text):
                return False
            self.calls.append(call)
            call.outcome = await self._does(call)
            call.ended_s = _now()
            return call.outcome == "succeeded"

        return invoke

    async def _does(self, call: Call) -> str:
        """Do what the recorded function did: by its rule, else as it was seen."""
        rule = self.case["function"]
        takes_s, fails_first, heeds = (
            rule[name] for name in ("takes_s", "fails_first", "on_token")
        )
        if takes_s is None:
            began_s, ended_s, outcome = next(
                (
                    (one[0], one[1], one[4])
                    for one in self.case["observed"]["invocations"]
                    if (one[3], one[6], one[7]) == (call.function, call.count, call.body)
                ),
                (0, 0, "succeeded"),
            )
            takes_s, fails_first = ended_s - began_s, "always" if outcome == "failed" else 0
            if outcome == "cancelled":
                takes_s, heeds = _LONG_S, "throws"
        token = asyncio.create_task(self.token.wait())
        if heeds in {"throws", "returns"}:
            await asyncio.wait({token}, timeout=takes_s)
        else:
            await asyncio.sleep(takes_s)
        cancelled = token.done()
        token.cancel()
        if cancelled and heeds == "throws":
            return "cancelled"
        return "failed" if fails_first == "always" or call.count <= fails_first else "succeeded"

    def left(self, queue: str) -> Row | None:
        """Tell what a queue holds now; None of one whose name would be too long."""
        if len(queue) > _LONGEST_NAME:
            return None
        if queue not in self.service.queues:
            return {"exists": False, "messages": 0, "visible": []}
        alive = self.service.alive(queue)
        visible = [
            {"text": short_text(one.text), "dequeue_count": one.dequeue_count, "ttl_s": one.ttl_s}
            for one in alive
            if one.visible_s <= self.case["observed"]["watched_s"]
        ]
        return {"exists": True, "messages": len(alive), "visible": visible}

    def _real(self, queue: str) -> str:
        return queue.replace("jobs", self.queue.removesuffix("-poison"), 1)


def options_of(case: dict[str, Any]) -> QueueOptions:
    """Read a case's settings as host.json; raise HostConfigError where the host does not start."""
    told = case["settings"]
    keys = {
        "batchSize": told.get("batch_size"),
        "newBatchThreshold": told.get("new_batch_threshold"),
        "maxDequeueCount": told.get("max_dequeue_count"),
        "visibilityTimeout": _span(told.get("visibility_timeout_s")),
        "maxPollingInterval": _span(told.get("max_polling_interval_s")),
        "messageEncoding": told.get("message_encoding"),
    }
    queues = {name: value for name, value in keys.items() if value is not None}
    return parse_host_config(
        {"version": "2.0", "extensions": {"queues": {**queues, **told.get("raw", {})}}},
        development=told.get("environment") == "Development",
        processors=PROCESSORS,
    ).queues


def _span(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02}:{int(minutes % 60):02}:{rest:09.6f}"


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def short_text(text: str) -> str:
    """Tell a text as the recording does, which cuts long ones."""
    if len(text) <= _LONG_TEXT or text.startswith("<"):
        return text
    return f"<{len(text)} characters, first 8: {text[:8]}>"


def _now() -> float:
    return asyncio.get_running_loop().time()
