"""Call a running simulator from a test, over plain HTTP."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.support.localcloud.arm_world import (
    API_VERSION,
    DEFINITION,
    GALLERY,
    GROUP,
    GROUPS_API_VERSION,
    IMAGE,
)

DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Loop:
    """An event loop that runs in another thread."""

    running: asyncio.AbstractEventLoop

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.running).result(DEADLINE_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: Message
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


@dataclass(frozen=True, slots=True)
class Arm:
    """A running simulator."""

    url: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Call a path as it stands."""
        data = body if isinstance(body, bytes) else None if body is None else _encoded(body)
        request = urllib.request.Request(  # noqa: S310 - only to this machine
            f"{self.url}{path}", data=data, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:  # noqa: S310 - likewise
                text = answer.read().decode()
                return Reply(status=answer.status, headers=answer.headers, text=text)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
            return Reply(status=error.code, headers=error.headers, text=text)

    def arm(self, method: str, path: str, body: object = None) -> Reply:
        """Call a resource with today's api-version."""
        joint = "&" if "?" in path else "?"
        return self.call(method, f"{path}{joint}api-version={API_VERSION}", body)

    def control(self, method: str, call: str, body: object = None) -> Any:
        reply = self.call(method, f"/_localcloud/{call}", body)
        assert reply.status == 200, reply.text
        return reply.body

    def make_group(self, path: str = GROUP) -> None:
        path = f"{path}?api-version={GROUPS_API_VERSION}"
        assert self.call("PUT", path, {"location": "eastus"}).status in (200, 201)

    def make_image(self) -> None:
        self.make_group()
        assert self.arm("PUT", GALLERY, {"location": "eastus"}).status == 201
        body = {"location": "eastus", "properties": DEFINITION}
        assert self.arm("PUT", IMAGE, body).status == 201


def eventually[T](look: Callable[[], T | None]) -> T:
    """Return what `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "nothing was found in time"
        time.sleep(0.02)


def _encoded(body: object) -> bytes:
    return json.dumps(body).encode()


StartArm = Callable[..., Arm]
