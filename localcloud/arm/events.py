"""Event Grid for one machine: tell a webhook what was written, and retry as Event Grid does."""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from localcloud.arm.errors import invalid
from localcloud.arm.event_bodies import Change, event_body
from localcloud.arm.json_bodies import (
    choice_at,
    flag_at,
    integer_at,
    known_keys,
    number_at,
    text_at,
)

MAX_ATTEMPTS = 30
TIME_TO_LIVE_S = 24 * 3600
# The documented schedule; the last one repeats.
RETRY_S = (10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200)
# The least pause after some answers.
_LEAST_S = {404: 300, 408: 120, 503: 30}
_NEVER_AGAIN = frozenset({400, 401, 403, 413})
_LEAST_REAL_S = 0.05
_ANSWER_WITHIN_S = 30.0
_SHUFFLED_OVER_S = 1.0
_KEPT = 5_000
_AT_ONCE = 32
_KEYS = ("duplicate", "shuffle", "lose_probability", "delay_s", "schema", "url", "when", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How events are delivered; everything beside `url` and `schema` makes trouble on purpose.

    `duplicate` is how many more times each event is sent, `delay_s` in real seconds. `when` says
    whether a write on a version is told when it is accepted, at its end, or both: nobody could
    verify which of them Azure does.
    """

    url: str | None = None
    schema: str = "eventgrid"
    when: str = "both"
    duplicate: int = 0
    shuffle: bool = False
    lose_probability: float = 0.0
    delay_s: float = 0.0

    def changed(self, body: dict[str, Any]) -> Self:
        """Return it with what a body names; raises ArmError for a value that is wrong."""
        duplicate = integer_at(body, "duplicate", "events", least=0, most=100)
        shuffle = flag_at(body, "shuffle", "events")
        lose = number_at(body, "lose_probability", "events", most=1.0)
        delay_s = number_at(body, "delay_s", "events", most=3600.0)
        schema = choice_at(body, "schema", "events", ("eventgrid", "cloudevents"))
        when = choice_at(body, "when", "events", ("accept", "end", "both"))
        url = text_at(body, "url", "events") if "url" in body else self.url
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise invalid("events.url is an http address, or null for nobody.", target="url")
        return replace(
            self,
            url=url,
            schema=schema or self.schema,
            when=when or self.when,
            duplicate=self.duplicate if duplicate is None else duplicate,
            shuffle=self.shuffle if shuffle is None else shuffle,
            lose_probability=self.lose_probability if lose is None else lose,
            delay_s=self.delay_s if delay_s is None else delay_s,
        )


def pause_s(attempt: int, status: int | None) -> float | None:
    """Return the simulated seconds until the next attempt; None when there is none.

    `attempt` counts from 1; `status` None means that nobody answered in time.
    """
    if attempt >= MAX_ATTEMPTS or status in _NEVER_AGAIN:
        return None
    scheduled = RETRY_S[min(attempt, len(RETRY_S)) - 1]
    return float(max(scheduled, _LEAST_S.get(status or 0, 10)))


def is_delivered(status: int | None) -> bool:
    """Tell whether Event Grid takes an answer for success."""
    return status is not None and 200 <= status <= 204  # noqa: PLR2004 - HTTP's own figures


@dataclass(slots=True)
class EventGrid:
    """Delivers events in the background; `log` keeps what was sent and answered.

    `real_s` turns simulated seconds into real ones.
    """

    real_s: Callable[[float], float]
    delivery: Delivery = field(default_factory=Delivery)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _sent: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _session: aiohttp.ClientSession | None = None
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def configure(self, raw: object) -> None:
        """Read `PUT /_localcloud/events`; what is not named stays."""
        body = known_keys(raw, _KEYS, "events")
        seed = integer_at(body, "seed", "events", least=0, most=2**63)
        self.delivery = self.delivery.changed(body)
        if seed is not None:
            self._chance.seed(seed)

    def publish(self, change: Change) -> None:
        """Deliver the event about a change in the background."""
        self.deliver(event_body(change, self.delivery.schema))

    def deliver(self, event: dict[str, Any]) -> None:
        """Deliver an event in the background, in the schema that it has."""
        delivery = self.delivery
        if delivery.url is None:
            return
        if self._chance.random() < delivery.lose_probability:
            self._note(event, delivery.url, attempt=0, status=None, outcome="lost")
            return
        for _ in range(1 + delivery.duplicate):
            delay_s = delivery.delay_s
            if delivery.shuffle:
                delay_s += self._chance.uniform(0, _SHUFFLED_OVER_S)
            task = asyncio.create_task(self._deliver(event, delivery.url, delay_s))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up all deliveries under way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, event: dict[str, Any], url: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        waited_s, attempt = 0.0, 0
        while True:
            attempt += 1
            async with self._slots:
                status, problem = await self._post(event, url, attempt)
            if is_delivered(status):
                self._note(event, url, attempt=attempt, status=status, outcome="delivered")
                return
            pause = pause_s(attempt, status)
            if pause is None or waited_s + pause > TIME_TO_LIVE_S:
                self._note(
                    event, url, attempt=attempt, status=status, outcome="given_up", error=problem
                )
                return
            self._note(event, url, attempt=attempt, status=status, outcome="retry", error=problem)
            waited_s += pause
            await asyncio.sleep(max(_LEAST_REAL_S, self.real_s(pause)))

    async def _post(
        self, event: dict[str, Any], url: str, attempt: int
    ) -> tuple[int | None, str | None]:
        """Post one event; return the status, or None and what went wrong."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)
            )
        try:
            async with self._session.post(
                url, data=json.dumps([event]).encode(), headers=_headers(event, attempt)
            ) as answer:
                return answer.status, None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"

    def _note(
        self,
        event: dict[str, Any],
        url: str,
        *,
        attempt: int,
        status: int | None,
        outcome: str,
        error: str | None = None,
    ) -> None:
        self._sent += 1
        self.log.append(
            {
                "n": self._sent,
                "at": datetime.now(UTC).isoformat(),
                "url": url,
                "attempt": attempt,
                "status": status,
                "outcome": outcome,
                **({"error": error} if error else {}),
                "event": event,
            }
        )


def _headers(event: dict[str, Any], attempt: int) -> dict[str, str]:
    """Return the headers of a delivery: always an array, of one event."""
    headers = {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": "LOCALCLOUD",
        "aeg-delivery-count": str(attempt - 1),
        "aeg-output-event-id": str(event["id"]),
    }
    if "specversion" in event:
        return headers | {
            "Content-Type": "application/cloudevents-batch+json; charset=utf-8",
            "aeg-metadata-version": str(event["specversion"]),
        }
    return headers | {
        "Content-Type": "application/json; charset=utf-8",
        "aeg-metadata-version": str(event["metadataVersion"]),
        "aeg-data-version": str(event["dataVersion"]),
    }
