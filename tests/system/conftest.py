"""The real app on real storage, as processes."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.localcloud.hosts import (
    DEADLINE_S,
    http_call,
    ready_line,
    start_localcloud,
)

PROJECT = Path(__file__).resolve().parents[2]
FAST = {
    "TRACKING_MIN_DELAY_S": "0.5",
    "TRACKING_MAX_DELAY_S": "2",
    "RETRY_BASE_DELAY_S": "0.5",
    "RETRY_MAX_DELAY_S": "2",
    "LEASE_DURATION_S": "30",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One running instance of the app."""

    url: str
    log: Path

    @property
    def webhook(self) -> str:
        return f"{self.url}/runtime/webhooks/eventgrid?functionName=image_version_event"

    def get(self, path: str, *, status: int = 200) -> Any:
        answer = http_call(f"{self.url}{path}")
        assert answer.status == status, answer.text
        return json.loads(answer.body)

    def post_events(self, body: object, *, content_type: str = "application/json") -> int:
        return http_call(
            self.webhook,
            method="POST",
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"aeg-event-type": "Notification", "Content-Type": content_type},
        ).status

    def replication_of(self, version_id: str) -> dict[str, Any] | None:
        cursor, path = None, "/api/v1/replications?limit=200"
        while True:
            page = self.get(path + (f"&cursor={cursor}" if cursor else ""))
            for one in page["items"]:
                if one["image_version_id"].lower() == version_id.lower():
                    found: dict[str, Any] = one
                    return found
            cursor = page["next"]
            if cursor is None:
                return None


StartPart = Callable[..., dict[str, Any]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartPart]:
    """Start parts of the local cloud; all are stopped at the end."""
    with ExitStack() as stack:
        count = 0

        def start_part(*arguments: str, **settings: str) -> dict[str, Any]:
            nonlocal count
            count += 1
            log = tmp_path / f"{count}-{arguments[0]}.log"
            errors = stack.enter_context(log.open("w", encoding="utf-8"))
            process = stack.enter_context(
                start_localcloud(*arguments, settings=settings, stderr=errors)
            )

            def stop() -> None:
                process.terminate()
                process.wait(DEADLINE_S)

            stack.callback(stop)
            return {**ready_line(process), "log": log}

        yield start_part


@pytest.fixture
def storage(start: StartPart) -> str:
    return str(start("storage", "--port-base", "0")["storage"])


StartApp = Callable[..., Instance]


@pytest.fixture
def start_app(start: StartPart, storage: str, tmp_path: Path) -> StartApp:
    """Start instances of the app on one storage."""

    def start_instance(*, arm_url: str, **settings: str) -> Instance:
        ready = start(
            *("functions", "--port", "0", "--state", str(tmp_path / "state")),
            **{
                **FAST,
                "AzureWebJobsStorage": storage,
                "AZURE_RESOURCE_MANAGER_URL": arm_url,
                **settings,
            },
        )
        return Instance(url=ready["functions"], log=ready["log"])

    return start_instance
