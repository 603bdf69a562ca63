"""The commit of a job: its record, then its timeline, its dead letter, its next message.

Whoever changes a job does it here, in this one order. The record comes first and holds all that
the rest is made of: the last entries of the timeline, the failure and the id of the letter about
it, the number and the time of the next message. So what a crash leaves undone is finished from
the record alone: by the message that comes again, by the operator who asks once more, or by the
look that the next sweep queues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from replication.domain.job import HistoryEntry, Phase, ReplicationJob
from replication.domain.message import JobMessage
from replication.ports import DeadLetter, History, JobQueues, QueueName
from replication.records.repository import Change, Changed, JobRepository
from replication.telemetry.runtime import Runtime

# How much of its timeline a dead letter takes along.
_TIMELINE = 20
_ENDED_WELL = (Phase.SUCCEEDED, Phase.SKIPPED, Phase.SUPERSEDED, Phase.CANCELLED)


class JobLetters(Protocol):
    """The dead letters of jobs, of which each job has one at most."""

    def job(self, job: ReplicationJob, timeline: Sequence[HistoryEntry]) -> DeadLetter:
        """Dead-letter a job as its record is; a letter that it has already is replaced."""
        ...

    def tells_of(self, job: ReplicationJob) -> bool:
        """Tell whether the job's letter lies open, and is about its failure."""
        ...

    def resolve(self, letter_id: str, *, reason: str) -> None:
        """Mark a letter as no longer needing anyone."""
        ...

    def withdraw(self, letter: DeadLetter, *, reason: str) -> None:
        """Mark a letter as resolved unless it was replaced."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCommits:
    """Commits jobs; each call raises what the storage raises, and may then have done a part."""

    jobs: JobRepository
    history: History
    letters: JobLetters
    queues: JobQueues
    runtime: Runtime

    def insert(self, job: ReplicationJob) -> bool:
        """Commit a new job; False where one is on record already."""
        if self.jobs.insert(job) is None:
            return False
        self._follow(None, job, QueueName.JOBS)
        return True

    def change[T](
        self,
        key: str,
        change: Change[T],
        *,
        queue: QueueName = QueueName.JOBS,
        resolves: bool = False,
    ) -> Changed[T] | None:
        """Commit a change, as `JobRepository.change` makes it; None where there is no record.

        The next message goes to `queue`. `resolves`: the change ends the need for a letter, and
        the record names it no more.
        """
        changed = self.jobs.change(key, change)
        if changed is not None and changed.is_written:
            self._follow(changed.before, changed.after, queue, resolves=resolves)
        return changed

    def finish(self, job: ReplicationJob) -> None:
        """Do again, without harm, what follows the record of a job: a crash may have kept it."""
        self.history.append(job.key, job.entries)
        self.settle_letter(job)
        if job.schedule.next_attempt_at is not None:
            self.send(job)

    def settle_letter(self, job: ReplicationJob, *, is_new: bool = False) -> None:
        """Let the job's letter be as its record says: open, or resolved.

        `is_new`: the job failed anew. One that was discarded is named by no record any more, and
        is not brought back.
        """
        if job.letter_id is None:
            return
        if job.phase in _ENDED_WELL:
            self._resolve(job)
        elif job.failure is not None and (is_new or not self.letters.tells_of(job)):
            self._dead_letter(job)

    def send(self, job: ReplicationJob, queue: QueueName = QueueName.JOBS) -> None:
        """Queue the message of a job's next look."""
        delay_s = job.schedule.due_in_s(self.runtime.clock())
        self.queues.send(queue, JobMessage.of(job), delay_s=delay_s)

    def _follow(
        self,
        before: ReplicationJob | None,
        after: ReplicationJob,
        queue: QueueName,
        *,
        resolves: bool = False,
    ) -> None:
        if before is None or after.entries != before.entries:
            self.history.append(after.key, after.entries)
            if resolves and before is not None and before.letter_id is not None:
                self.letters.resolve(before.letter_id, reason=after.reason)
            else:
                is_new = before is None or after.failure != before.failure
                self.settle_letter(after, is_new=is_new)
        moved = before is None or after.schedule.sequence != before.schedule.sequence
        if moved and after.schedule.next_attempt_at is not None:
            self.send(after, queue)

    def _resolve(self, job: ReplicationJob) -> None:
        if job.letter_id is not None:
            phase, reason = job.phase.value, job.reason
            said = reason if reason.startswith(phase) else f"{phase}: {reason}"
            self.letters.resolve(job.letter_id, reason=said)

    def _dead_letter(self, job: ReplicationJob) -> None:
        """Dead-letter a job, until the letter is about what is on record now.

        Somebody may have committed the job anew between this one's record and its letter, and
        have settled a letter that was not there yet.
        """
        while True:
            letter = self.letters.job(job, self.history.read(job.key, limit=_TIMELINE))
            stored = self.jobs.load(job.key)
            now = job if stored is None else stored.job
            if (now.failure, now.letter_id) == (job.failure, job.letter_id):
                return
            if now.failure is None or now.letter_id is None:
                self.letters.withdraw(letter, reason=f"{now.phase.value}: {now.reason}")
                return
            job = now
