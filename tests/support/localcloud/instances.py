"""Instances of the app on a local cloud, as processes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.localcloud.hosts import IN_PRODUCTION, KEYS, http_call

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
    process: int = 0

    @property
    def webhook(self) -> str:
        url = f"{self.url}/runtime/webhooks/eventgrid?functionName=image_version_event"
        return f"{url}&code={KEYS.system}" if IN_PRODUCTION else url

    def get(self, path: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Any:
        answer = http_call(f"{self.url}{path}", headers=headers)
        assert answer.status == status, answer.text
        return json.loads(answer.body)

    def post_events(self, body: object, *, content_type: str = "application/json") -> int:
        return http_call(
            self.webhook,
            method="POST",
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"aeg-event-type": "Notification", "Content-Type": content_type},
        ).status

    def replication_of(
        self, version_id: str, *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        cursor, path = None, "/api/v1/replications?limit=200"
        while True:
            page = self.get(path + (f"&cursor={cursor}" if cursor else ""), headers=headers)
            for one in page["items"]:
                if one["image_version_id"].lower() == version_id.lower():
                    found: dict[str, Any] = one
                    return found
            cursor = page["next"]
            if cursor is None:
                return None


StartPart = Callable[..., dict[str, Any]]
StartApp = Callable[..., Instance]
