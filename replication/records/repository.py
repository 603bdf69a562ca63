"""The jobs on record, changed safely while others change them too."""

from collections.abc import Callable
from dataclasses import dataclass

from replication.domain.errors import RecordChangedError
from replication.domain.job import ReplicationJob
from replication.ports import JobPage, JobQuery, JobStore, Retries, StoredJob
from replication.records.retries import contention_retries

type Change[T] = Callable[[ReplicationJob], tuple[ReplicationJob | None, T]]
Written = Callable[[ReplicationJob | None, ReplicationJob], None]


def _nobody(_before: ReplicationJob | None, _after: ReplicationJob) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed[T]:
    """The record before and after a change, and what the change answered.

    Both records are the same where nothing was to be changed.
    """

    before: ReplicationJob
    after: ReplicationJob
    result: T

    @property
    def is_written(self) -> bool:
        """Whether there is a new record."""
        return self.after != self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRepository:
    """The jobs on record, with read-change-write as one step.

    `retries` gives a fresh tenacity controller for every step. `written` is told of each record
    that was written, with the one before it, and never fails.
    """

    store: JobStore
    retries: Retries = contention_retries
    written: Written = _nobody

    def load(self, key: str) -> StoredJob | None:
        """Return the record, None when there is none."""
        return self.retries()(self.store.load, key)

    def change[T](self, key: str, change: Change[T]) -> Changed[T] | None:
        """Read the record, change it, and write it unless someone else did meanwhile.

        `change` may be called several times, each time with the newest record, and answers the
        new one and what the caller wants to know; None instead of a record means to leave it
        alone. Returns None when there is no record. A write whose answer was lost is known again
        by what it wrote, and not taken for someone else's.
        """
        sent: list[Changed[T]] = []
        changed = self.retries()(self._change_once, key, change, sent)
        if changed is not None and changed.is_written:
            self.written(changed.before, changed.after)
        return changed

    def find(self, query: JobQuery) -> JobPage:
        """Return one page of the records."""
        return self.retries()(self.store.find, query)

    def insert(self, job: ReplicationJob) -> StoredJob | None:
        """Write a first record; None when there is one already."""

        def once() -> StoredJob | None:
            try:
                return self.store.insert(job)
            except RecordChangedError:
                return None

        stored = self.retries()(once)
        if stored is not None:
            self.written(None, stored.job)
        return stored

    def _change_once[T](
        self, key: str, change: Change[T], sent: list[Changed[T]]
    ) -> Changed[T] | None:
        stored = self.store.load(key)
        if stored is None:
            return None
        for earlier in sent:
            if stored.job == earlier.after:
                return earlier
        job, result = change(stored.job)
        changed = Changed(before=stored.job, after=job or stored.job, result=result)
        if job is not None:
            sent.append(changed)
            self.store.replace(stored, job)
        return changed
