"""Page: what it is before anything is made of it, and the pages of the navigation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The pages in the order of the navigation.
PAGES = {
    "overview": "/dashboard",
    "replications": "/dashboard/replications",
    "dead_letters": "/dashboard/dead-letters",
    "regions": "/dashboard/regions",
    "costs": "/dashboard/costs",
    "policy": "/dashboard/policy",
    "actions": "/dashboard/actions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page to render: its template, its place in the navigation, and what it shows.

    `refresh_s` is how often it looks for news, 0 for never; `twin` the address of its JSON, and
    `document` what that holds.
    """

    template: str
    title: str
    section: str = ""
    twin: str = ""
    refresh_s: int = 0
    values: Mapping[str, object] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
