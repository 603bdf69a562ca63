"""Event Grid for one machine: tell a webhook what was written, and retry as Event Grid does."""

import asyncio
import random
import uuid
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from localcloud.arm.checks import check_keys, flag, number, text
from localcloud.arm.clock import SimulatedClock
from localcloud.arm.errors import bad_request

# The documented schedule; after it every 12 hours.
RETRY_AFTER_S = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600)
_LATER_S = 43200
_MAX_ATTEMPTS = 30
_LEAST_REAL_S = 0.05
_ANSWER_WITHIN_S = 30
_NEVER_AGAIN = frozenset({400, 401, 403, 413})
_KEEP = 5000
_AT_ONCE = 32


@dataclass(slots=True, kw_only=True)
class Delivery:
    """How events are delivered; everything but the defaults makes trouble on purpose."""

    url: str | None = None
    schema: str = "eventgrid"
    duplicate: int = 0
    shuffle: bool = False
    lose_probability: float = 0.0
    delay_s: float = 0.0


@dataclass(slots=True)
class EventGrid:
    """Delivers events in the background; what was sent and answered is kept."""

    clock: SimulatedClock
    delivery: Delivery = field(default_factory=Delivery)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEEP))
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _session: aiohttp.ClientSession | None = None
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def configure(self, raw: object) -> None:
        """Read `PUT /_localcloud/events`; raises ArmError naming the key that is wrong."""
        keys = ("duplicate", "shuffle", "lose_probability", "delay_s", "schema", "url", "seed")
        body = check_keys(raw, keys, "events")
        schema = text(body, "schema") or self.delivery.schema
        if schema not in ("eventgrid", "cloudevents"):
            raise bad_request("schema is eventgrid or cloudevents")
        self.chance.seed(int(number(body, "seed", default=0)))
        self.delivery = Delivery(
            url=text(body, "url") or self.delivery.url,
            schema=schema,
            duplicate=int(number(body, "duplicate", default=0)),
            shuffle=flag(body, "shuffle", default=False),
            lose_probability=number(body, "lose_probability", default=0.0),
            delay_s=number(body, "delay_s", default=0.0),
        )

    def publish(self, event: dict[str, Any]) -> None:
        """Deliver an event in the background, as often as `duplicate` says and once more."""
        if self.delivery.url is None:
            return
        if self.chance.random() < self.delivery.lose_probability:
            self.log.append({"id": event["id"], "lost": True})
            return
        for _ in range(1 + self.delivery.duplicate):
            delay_s = self.delivery.delay_s
            if self.delivery.shuffle:
                delay_s += self.chance.random() * 2
            self.spawn(self._deliver(event, delay_s))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background until it ends or the simulator stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up all deliveries under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, event: dict[str, Any], delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
        for attempt in range(_MAX_ATTEMPTS):
            async with self._slots:
                status = await self._post(event, attempt)
            self.log.append(
                {
                    "id": event["id"],
                    "type": event.get("eventType") or event.get("type"),
                    "subject": event["subject"],
                    "attempt": attempt + 1,
                    "status": status,
                    "at": datetime.now(UTC).isoformat(),
                }
            )
            if status is not None and (200 <= status <= 204 or status in _NEVER_AGAIN):  # noqa: PLR2004
                return
            wait_s = RETRY_AFTER_S[attempt] if attempt < len(RETRY_AFTER_S) else _LATER_S
            await asyncio.sleep(max(_LEAST_REAL_S, self.clock.real_s(wait_s)))

    async def _post(self, event: dict[str, Any], attempt: int) -> int | None:
        """Post one event; None when nobody answered in time."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        headers = {
            "aeg-event-type": "Notification",
            "aeg-delivery-count": str(attempt),
            "aeg-subscription-name": "LOCALCLOUD",
            "aeg-metadata-version": "1",
        }
        if "specversion" in event:
            headers["Content-Type"] = "application/cloudevents-batch+json; charset=utf-8"
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.post(
                str(self.delivery.url), json=[event], headers=headers
            ) as answer:
                return answer.status
        return None


def resource_event(
    resource_id: str, *, action: str, deleted: bool, correlation_id: str, schema: str, update: bool
) -> dict[str, Any]:
    """Return the event that Azure sends for a write or a delete, in the documented shape.

    The claims name a person who does not exist, so that it shows if anyone keeps them.
    """
    subscription_id = resource_id.split("/")[2]
    kind = "ResourceDeleteSuccess" if deleted else "ResourceWriteSuccess"
    data: dict[str, Any] = {
        "authorization": {
            "scope": resource_id,
            "action": action,
            "evidence": {"role": "Contributor", "principalId": "6f3d1c4b0a5e4d0f9a4a"},
        },
        "claims": {
            "aud": "https://management.core.windows.net/",
            "ipaddr": "203.0.113.7",
            "name": "Casey Teacher",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "casey@school.example",
        },
        "correlationId": correlation_id,
        "resourceProvider": "Microsoft.Compute",
        "resourceUri": resource_id,
        "operationName": action,
        "status": "Succeeded",
        "subscriptionId": subscription_id,
        "tenantId": "00000000-0000-0000-0000-00000000beef",
    }
    if update or deleted:
        data["httpRequest"] = {
            "clientRequestId": str(uuid.uuid4()),
            "clientIpAddress": "203.0.113.7",
            "method": "DELETE" if deleted else "PATCH",
            "url": f"https://management.azure.com{resource_id}",
        }
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "1Z"
    topic = f"/subscriptions/{subscription_id}"
    if schema == "cloudevents":
        return {
            "id": str(uuid.uuid4()),
            "source": topic,
            "subject": resource_id,
            "type": f"Microsoft.Resources.{kind}",
            "time": at,
            "data": data,
            "specversion": "1.0",
        }
    return {
        "id": str(uuid.uuid4()),
        "topic": topic,
        "subject": resource_id,
        "eventType": f"Microsoft.Resources.{kind}",
        "eventTime": at,
        "data": data,
        "dataVersion": "2",
        "metadataVersion": "1",
    }
