"""Calls of the vendor's Event Grid webhook, played through the one of the local host."""

import asyncio
import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from localcloud.functions.catalog import EventGridTrigger, ServedFunction
from localcloud.functions.event_grid import METHODS, Delivery, EventGridWebhook
from localcloud.functions.worker import IndexedFunction, Payload, Returned
from tests.support.localcloud.recorded import case_ids, judge, recording, unfolded

NAME = "event-grid"
CASES = {case["id"]: case for case in recording(NAME)["cases"]}
# Those that take the event as JSON, as a Python function does; others are bound to a type of .NET.
FUNCTIONS = [
    ServedFunction(
        indexed=IndexedFunction(name=name, function_id=name, bindings=[]),
        parameter="event",
        trigger=EventGridTrigger(),
    )
    for name in ("listen", "text")
]
FAILING = ("fail", "fail-too")


@dataclass
class Calls:
    """Counts the calls of the function, which fails for some ids."""

    seen: list[str] = field(default_factory=list)
    running: int = 0
    at_once: int = 0

    async def invoke(self, _function: ServedFunction, payload: Payload) -> Returned:
        self.running += 1
        self.at_once = max(self.at_once, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        text = str(payload.value[1])
        self.seen.append(text)
        failed = json.loads(text).get("id") in FAILING
        return Returned(ok=not failed, value=None, error="told to fail" if failed else "")


def body_of(given: dict[str, Any]) -> bytes:
    if "body_base64" in given:
        return base64.b64decode(given["body_base64"])
    if "note" not in given:
        return str(given.get("body", "")).encode()
    deep = re.match(r"(\d+) arrays inside each other", given["note"])
    large = re.match(r"data is (\d+) MiB of (\w)", given["note"])
    if deep:
        data = "[" * int(deep[1]) + "]" * int(deep[1])
    else:
        assert large
        data = json.dumps(large[2] * int(large[1]) * 1024 * 1024)
    return f'[{{"id":"one","data":{data}}}]'.encode()


def played(given: dict[str, Any]) -> dict[str, Any]:
    calls = Calls()
    webhook = EventGridWebhook(FUNCTIONS, calls.invoke)
    delivery = Delivery(
        method=given["method"],
        query=given["path"].partition("?")[2],
        headers={name.lower(): value for name, value in given["headers"].items()},
        body=body_of(given),
    )
    if delivery.method not in METHODS:
        return {"status": 404, "answer": "", "origin": None, "seen": [], "at_once": 0}
    answer = asyncio.run(webhook.handle(delivery))
    return row(
        status=answer.status,
        body=answer.text,
        origin=answer.headers.get("Webhook-Allowed-Origin"),
        seen=calls.seen,
        at_once=calls.at_once,
    )


def row(
    *, status: int, body: str, origin: str | None, seen: list[str], at_once: int
) -> dict[str, Any]:
    """Return what is compared: JSON as it reads, whatever way its letters are written."""
    return {
        "status": status,
        "answer": json.loads(body) if status == 200 and body else body,
        "origin": origin,
        "seen": [read(text) for text in seen],
        "at_once": at_once if len(seen) > 1 else len(seen),
    }


def read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def recorded_row(observed: dict[str, Any]) -> dict[str, Any]:
    told = unfolded({key: one for key, one in observed.items() if key != "seen"})
    seen = [deep(one["got"]) for one in observed["seen"]]
    return row(
        status=told["status"],
        body=told["body"],
        origin=told["headers"].get("webhook-allowed-origin"),
        seen=seen,
        at_once=told.get("at_once", len(seen)),
    )


def deep(text: str) -> str:
    arrays = re.sub(
        r"<\[\*(\d+)><\]\*(\d+)>",
        lambda match: "[" * int(match[1]) + "]" * int(match[2]),
        text,
    )
    return str(unfolded(arrays))


@pytest.mark.parametrize("case", case_ids(NAME))
def test_the_webhook_answers_as_the_vendor_s(case: str) -> None:
    recorded, here = recorded_row(CASES[case]["observed"]), played(CASES[case]["given"])
    judge(
        case,
        recorded=recorded,
        here=here,
        # A call that Azure does not make, or a yes where it says no.
        kinder=len(here["seen"]) > len(recorded["seen"])
        or (here["status"] < 300 <= recorded["status"]),
    )
