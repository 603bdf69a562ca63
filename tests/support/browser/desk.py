"""The dashboard of a local cloud full of trouble, in a browser."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from tests.support.localcloud.hosts import http_call


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where the parts answer."""

    functions: str
    arm: str
    storage: str

    @property
    def url(self) -> str:
        return f"{self.functions}/dashboard"

    def get(self, path: str) -> Any:
        """Ask the API, or a page's twin, which is what the page is compared with."""
        answer = http_call(f"{self.functions}{path}")
        assert answer.status == 200, answer.text
        return json.loads(answer.body)

    def replication_of(self, image: str) -> dict[str, Any]:
        """Return the one replication of an image."""
        page = self.get("/api/v1/replications?limit=200")
        (found,) = (one for one in page["items"] if f"/images/{image}/" in one["image_version_id"])
        one: dict[str, Any] = found
        return one

    def letters_of(self, **filters: str) -> list[dict[str, Any]]:
        """Return the open dead letters that a filter means."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        items: list[dict[str, Any]] = self.get(f"/api/v1/dead-letters?{query}")["items"]
        return items


@dataclass(slots=True, kw_only=True)
class Seen:
    """A page with the addresses that it asked for, and what it complained of."""

    page: Page
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


type Look = Callable[..., Seen]
"""Open a page of the desk: `look("/dashboard", width=360, scheme="dark", locale="ja-JP")`."""
