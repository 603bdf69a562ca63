"""Read one page of the listing: at most as many rows as asked for and one more."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.domain.job import Phase, ReplicationJob
from replication.listing.job_rows import ANY_PHASE, STUCK, ListedJob, decode_listed
from replication.listing.keys import part
from replication.listing.ranges import read_ranges
from replication.listing.store import ListingStore


class ListOrder(StrEnum):
    """In what order jobs are listed: by the time of their last change of phase, or by name."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which jobs to list; None means any.

    `search` is the beginning of a gallery's or an image's name, or of gallery/image/version, or an
    image version's id; what it finds comes by name.
    """

    phases: frozenset[Phase] | None = None
    gallery: str | None = None
    geography: str | None = None
    search: str | None = None
    stuck: bool = False
    order: ListOrder = ListOrder.NEWEST
    cursor: str | None = None
    limit: int = 50

    def means(self, job: ReplicationJob) -> bool:
        """Tell whether a job as it is now is in what the filters let through."""
        return (self.phases is None or job.phase in self.phases) and (
            not self.stuck or any(one.stuck_since is not None for one in job.replicas)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One page; `next_cursor` is None on the last.

    A filter that no order of the listing has is applied to the rows that were read, so a page may
    show fewer than asked for, and none, although others follow.
    """

    jobs: tuple[ListedJob, ...]
    next_cursor: str | None
    rows_read: int
    calls: int


def read_page(store: ListingStore, query: ListQuery) -> ListPage:
    """Return one page; raises MalformedError for a cursor of another's making."""
    page = read_ranges(store, tuple(_prefixes(query)), cursor=query.cursor, limit=query.limit)
    jobs = ((row.key, decode_listed(row.document)) for row in page.rows)
    return ListPage(
        jobs=tuple(one for key, one in jobs if _matches(key, one, query)),
        next_cursor=page.next_cursor,
        rows_read=page.rows_read,
        calls=page.calls,
    )


def _prefixes(query: ListQuery) -> Iterator[str]:
    """Yield the ranges that a query reads one after another."""
    if query.search:
        named = _named(query.search)
        yield f"name|{named}"
        if "|" not in named:
            yield f"image|{named}"
    elif query.stuck:
        yield f"old|{STUCK}|"
    elif query.order is ListOrder.NAME:
        yield f"name|{part(query.gallery)}|" if query.gallery else "name|"
    else:
        phases = sorted(phase.value for phase in query.phases or ()) or [ANY_PHASE]
        for phase in phases:
            yield f"old|{phase}|" if query.order is ListOrder.OLDEST else _newest(query, phase)


def _named(search: str) -> str:
    """Return the beginning of a row key among those in the order of names."""
    text = search.strip()
    try:
        found = ImageVersionId.parse(text)
    except MalformedImageVersionIdError:
        return "|".join(map(part, text.split("/")))
    # The key as well: another subscription may have a gallery of the same name. All but its last
    # digit, for a range lies after what it begins with.
    return "|".join((*map(part, (found.gallery, found.image, found.version)), found.key[:-1]))


def _newest(query: ListQuery, phase: str) -> str:
    scope = "all"
    if query.gallery:
        scope = f"gallery={part(query.gallery)}"
    elif query.geography:
        scope = f"geography={part(query.geography)}"
    return f"new|{scope}|{phase}|"


def _matches(row_key: str, one: ListedJob, query: ListQuery) -> bool:
    # Found by its gallery's name already.
    again = row_key.startswith("image|") and part(one.gallery).startswith(part(query.search or ""))
    return (
        not again
        and (query.phases is None or one.phase in {phase.value for phase in query.phases})
        and (query.gallery is None or one.gallery.lower() == query.gallery.lower())
        and (query.geography is None or one.geography.lower() == query.geography.lower())
        and (not query.stuck or one.stuck_since is not None)
    )
