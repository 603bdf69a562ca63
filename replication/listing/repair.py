"""List again what the listing has missed, beside the records as a sweep reads them."""

from replication.domain.errors import RecordChangedError
from replication.domain.job import ReplicationJob
from replication.listing.counts import shard_of
from replication.listing.job_rows import Standing, copies_of, list_job, replicas_of
from replication.listing.jobs import MAX_COUNTED, Listing

type _Tagged = tuple[str, Standing]


class ListingMender:
    """Lists again what the listing has missed; the jobs come in the order of their keys.

    Both are read side by side, so that it costs one call for each thousand jobs. What an older
    release listed without counting the replicas is counted many jobs at a time.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._standings = listing.tagged_standings()
        self._next: _Tagged | None = None
        self._begun = False
        self._broken = False
        self._uncounted: dict[int, list[tuple[str, Standing, ReplicationJob]]] = {}

    def mend(self, job: ReplicationJob) -> None:
        """List a job anew if the listing shows something else.

        Raises what the storage raises, once; what it could not read is mended by the next sweep.
        """
        if self._broken:
            return
        found = self._standing_of(job.key)
        if found is None:
            self._listing.note(job)
            return
        etag, known = found
        if known.revision > job.revision:
            return
        if known.listed != list_job(job, known) or _misses_copies(job, known):
            self._listing.note(job)
        elif known.replicas is None:
            waiting = self._uncounted.setdefault(shard_of(job.key), [])
            waiting.append((etag, known, job))
            if len(waiting) == MAX_COUNTED:
                self._count(waiting)
        elif known.replicas != replicas_of(job):
            self._listing.note(job)

    def finish(self) -> None:
        """Count what waits for others of its shard; raises what the storage raises."""
        for waiting in self._uncounted.values():
            if waiting:
                self._count(waiting)

    def _count(self, waiting: list[tuple[str, Standing, ReplicationJob]]) -> None:
        jobs = tuple(waiting)
        waiting.clear()
        try:
            self._listing.count_replicas(jobs)
        except RecordChangedError:
            # One by one, each as it stands now.
            for _, _, job in jobs:
                self._listing.note(job)

    def _standing_of(self, key: str) -> _Tagged | None:
        while not self._begun or (self._next is not None and self._next[1].listed.key < key):
            self._begun, self._broken = True, True
            self._next = next(self._standings, None)
            self._broken = False
        return self._next if self._next is not None and self._next[1].listed.key == key else None


def _misses_copies(job: ReplicationJob, known: Standing) -> bool:
    return any(known.copies.get(name) != done for name, done in copies_of(job).items())
