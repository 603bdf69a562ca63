"""List of replications: filter, search, order and pages by cursor."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.parameters import read_choice, read_name, read_yes, refuse_unknown
from bootstrap.app import App
from dashboard.views.common import PHASES
from replication.domain.errors import MalformedError
from replication.domain.job import Phase
from replication.listing.job_rows import ListedJob
from replication.listing.query import ListOrder, ListQuery

LIMIT = 50
_PARAMETERS = ("phase", "gallery", "geography", "search", "stuck", "sort", "cursor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list is asked for, as the address says it."""

    phase: str
    gallery: str
    geography: str
    search: str
    stuck: bool
    sort: str

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of an address that asks for the same."""
        asked = {
            "phase": self.phase,
            "gallery": self.gallery,
            "geography": self.geography,
            "search": self.search,
            "stuck": "yes" if self.stuck else "",
            "sort": "" if self.sort == ListOrder.NEWEST.value else self.sort,
        }
        return {name: value for name, value in asked.items() if value}

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(set(self.parameters) - {"sort"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replications:
    """One page of the list; `by` is the order that it really has."""

    at: datetime
    filters: Filters
    by: ListOrder
    items: tuple[ListedJob, ...]
    first_page: bool
    next: str | None


def read_filters(params: Mapping[str, str]) -> tuple[Filters, ListQuery]:
    """Read the parameters of the list; raises MalformedError that names the wrong one."""
    refuse_unknown(params, _PARAMETERS)
    words = params.get("phase", "").strip().lower()
    phases = frozenset(_phase(word) for word in words.split(",")) if words else None
    sort = read_choice(params, "sort", tuple(ListOrder), default=ListOrder.NEWEST)
    filters = Filters(
        phase=words,
        gallery=read_name(params, "gallery"),
        geography=read_name(params, "geography"),
        search=read_name(params, "search"),
        stuck=read_yes(params, "stuck"),
        sort=sort,
    )
    query = ListQuery(
        phases=phases,
        gallery=filters.gallery or None,
        geography=filters.geography or None,
        search=filters.search or None,
        stuck=filters.stuck,
        order=ListOrder(sort),
        cursor=params.get("cursor") or None,
        limit=LIMIT,
    )
    return filters, query


def replications(app: App, filters: Filters, query: ListQuery, now: datetime) -> Replications:
    """Read a page of the list; raises MalformedError for a cursor of another's making."""
    page = app.listing.page(query)
    order = query.order
    if query.search:
        order = ListOrder.NAME
    elif query.stuck:
        order = ListOrder.OLDEST
    return Replications(
        at=now,
        filters=filters,
        by=order,
        items=page.jobs,
        first_page=query.cursor is None,
        next=page.next_cursor,
    )


def _phase(word: str) -> Phase:
    if word not in PHASES:
        raise MalformedError(f"phase is {word[:20]!r}; it is one of {', '.join(sorted(PHASES))}")
    return Phase(word)
