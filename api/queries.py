"""Queries: what is on record, in the shapes of the API."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from api.schemas.operations import Queue, QueueList
from api.schemas.replications import (
    Replication,
    ReplicationDetail,
    ReplicationPage,
    TimelineEntry,
)
from costs.pricing.estimator import Estimates
from replication.domain.job import ReplicationJob
from replication.domain.policy import ReplicationPolicy
from replication.guards.pauses import Pauses
from replication.listing.job_rows import ListedJob
from replication.listing.jobs import Listing
from replication.listing.query import ListQuery
from replication.ports import History, JobQuery, JobQueues, QueueDepth
from replication.records.repository import JobRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Read-only: nothing here changes a record, a queue or Azure."""

    jobs: JobRepository
    listing: Listing
    history: History
    queues: JobQueues
    pauses: Pauses
    policy: ReplicationPolicy
    clock: Callable[[], datetime]
    estimates: Estimates = field(default_factory=Estimates)

    def records(self, query: JobQuery) -> ReplicationPage:
        """Return one page of replications in the order of their keys.

        Paged through, it shows each once, whatever changes meanwhile.
        """
        page = self.jobs.store.find(query)
        return self._page(page.jobs, page.next_cursor)

    def replications(self, query: ListQuery) -> ReplicationPage:
        """Return one page of the replications that lists show, each as its record is now.

        One that has left what was asked for since it was listed is left out. Raises
        MalformedError for a cursor of another's making.
        """
        page = self.listing.page(query)
        jobs = self.jobs.store.load_many([one.key for one in page.jobs])
        return self._page((job for job in jobs if query.means(job)), page.next_cursor)

    def replication(self, key: str, *, entries: int = 500) -> ReplicationDetail | None:
        """Return one replication with its timeline's newest entries, None when there is none."""
        stored = self.jobs.load(key)
        if stored is None:
            return None
        # The newest entries stand in the record as well, in case a crash kept them from the table.
        told = {entry.id: entry for entry in self.history.read(key, limit=entries)}
        told |= {entry.id: entry for entry in stored.job.entries}
        ordered = [told[entry_id] for entry_id in sorted(told)][-entries:]
        timeline = [TimelineEntry.of(entry) for entry in ordered]
        return ReplicationDetail.of(stored.job, self.estimates, history=timeline)

    def queue_depths(self) -> QueueList:
        """Return every queue, and whether an operator has paused it."""
        paused = self.pauses.all()
        return QueueList(items=[Queue.of(depth, paused.get(depth.name)) for depth in self.depths()])

    def depths(self) -> Sequence[QueueDepth]:
        """Return what waits in each queue."""
        return self.queues.depths()

    def stuck(self, *, most: int) -> list[tuple[ListedJob, ReplicationJob | None]]:
        """Return jobs with copies that stand still, as listed and as on record.

        The record is None where the listing lags behind it.
        """
        listed = self.listing.page(ListQuery(stuck=True, limit=most)).jobs
        stored = ((one, self.jobs.load(one.key)) for one in listed)
        return [(one, None if found is None else found.job) for one, found in stored]

    def _page(self, jobs: Iterable[ReplicationJob], cursor: str | None) -> ReplicationPage:
        items = [Replication.of(job, self.estimates) for job in jobs]
        return ReplicationPage(items=items, next=cursor)
