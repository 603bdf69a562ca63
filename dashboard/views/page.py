"""Page: what it is before anything is made of it, and the pages of the navigation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from dashboard.views.common import jsonable

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


@runtime_checkable
class Documented(Protocol):
    """A view model that says itself what its twin in JSON holds."""

    def as_json(self) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page to render: its template, its place in the navigation, and what it shows.

    `item` is the key of the one thing that it shows, and `refresh_s` how often it looks for news,
    0 for never. `model` is what its twin in JSON holds as well, `values` what its template alone
    needs.
    """

    template: str
    title: str
    section: str = ""
    item: str = ""
    refresh_s: int = 0
    model: object = None
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def twin(self) -> str:
        """The address of its JSON, empty where the page tells of none."""
        path = PAGES.get(self.section, "")
        return path and f"{path}{'/' if self.item else ''}{self.item}.json"

    def document(self) -> dict[str, Any]:
        """Return the twin in JSON."""
        model = self.model
        return dict(jsonable(model.as_json() if isinstance(model, Documented) else model))
