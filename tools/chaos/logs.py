"""ARM's logs, collected over a whole run: the simulator keeps only the last of them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.chaos.world import World


@dataclass(slots=True)
class Logs:
    """All requests by number, and how many events were sent with which outcome."""

    requests: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    _seen_requests: int = 0
    _seen_events: int = 0

    async def collect(self, world: World) -> None:
        """Fetch what is new; requests under way are fetched again when they are done."""
        for one in await world.control("GET", f"requests?since={self._seen_requests}"):
            self.requests[int(one["n"])] = one
        while self._is_done(self._seen_requests + 1):
            self._seen_requests += 1
        for one in await world.control("GET", f"events?since={self._seen_events}"):
            self._seen_events = int(one["n"])
            self.events[str(one["outcome"])] += 1

    def write(self, path: Path) -> None:
        """Write all requests down, a line each, for whoever looks into a failed run."""
        lines = (json.dumps(self.requests[number]) for number in sorted(self.requests))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def created_at(self) -> dict[str, datetime]:
        """Return when ARM accepted each image version."""
        return {
            str(one["path"]).lower(): datetime.fromisoformat(one["at"])
            for one in self.requests.values()
            if one["method"] == "PUT" and one["status"] == 201 and "/versions/" in one["path"]
        }

    def _is_done(self, number: int) -> bool:
        found = self.requests.get(number)
        return found is not None and found["done"] is not None
