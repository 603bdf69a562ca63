"""List of replications: filter, search, order and pages by cursor."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.parameters import LIST_FILTERS, read_list_query, refuse_unknown
from bootstrap.app import App
from replication.listing.job_rows import ListedJob
from replication.listing.query import ListOrder, ListQuery


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
    refuse_unknown(params, (*LIST_FILTERS, "cursor"))
    asked = {name: text.strip() for name, text in params.items()}
    query = read_list_query(asked)
    filters = Filters(
        phase=asked.get("phase", "").lower(),
        gallery=query.gallery or "",
        geography=query.geography or "",
        search=query.search or "",
        stuck=query.stuck,
        sort=query.order.value,
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
