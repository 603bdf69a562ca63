"""What an operator may do. Each act is on record with its operator, and may be repeated safely."""

from collections.abc import Callable
from dataclasses import dataclass

from replication.dead_letters.filter import filter_fields
from replication.domain.image_version import ImageVersionId
from replication.guards.pauses import PauseChange, Pauses
from replication.intake.intake import Intake, IntakeResult
from replication.operations.cancel import Cancelled, Canceller
from replication.operations.dead_letters import DeadLetterService, LetterOutcome
from replication.operations.journal import Action, ActionKind, Journal
from replication.operations.release import Released, Releaser
from replication.ports import LetterAction, LetterQuery, QueueName
from replication.records.repository import JobRepository

_GONE = "it is no longer on record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Carries out what operators ask for; `by` names the operator and is never a person's name.

    Each raises what the storage raises; what cannot be written down first is not done.
    """

    intake: Intake
    canceller: Canceller
    releaser: Releaser
    pauses: Pauses
    dead_letters: DeadLetterService
    jobs: JobRepository
    journal: Journal
    new_id: Callable[[], str]

    def replicate(self, version_id: ImageVersionId, *, by: str) -> IntakeResult:
        """Run a replication now, whatever the record says."""
        return self.journal.carry_out(
            Action(kind=ActionKind.REPLICATE, by=by, about=_about(version_id)),
            lambda: self.intake.request(
                version_id, trigger=f"asked for by {by}", correlation_id=self.new_id()
            ),
            lambda taken: (taken.action.is_taken, taken.reason),
        )

    def cancel(self, key: str, *, remove: bool, by: str) -> Cancelled | None:
        """Stop following and retrying a replication, None when there is none of this key."""
        stored = self.jobs.load(key)
        if stored is None:
            return None
        why = "what is not Completed is to be taken out" if remove else ""
        about = _about(stored.job.image_version_id)
        return self.journal.carry_out(
            Action(kind=ActionKind.CANCEL, by=by, about=about, why=why),
            lambda: self.canceller.cancel(key, remove=remove, by=by),
            _of_job,
        )

    def release(self, key: str, *, by: str) -> Released | None:
        """Let a plan go that a budget holds, None when there is no replication of this key."""
        stored = self.jobs.load(key)
        if stored is None:
            return None
        return self.journal.carry_out(
            Action(kind=ActionKind.RELEASE, by=by, about=_about(stored.job.image_version_id)),
            lambda: self.releaser.release(key, by=by),
            _of_job,
        )

    def pause(self, queue: QueueName, *, by: str, reason: str) -> PauseChange:
        """Pause a queue."""
        return self.journal.carry_out(
            Action(kind=ActionKind.PAUSE, by=by, about={"queue": queue.value}, why=reason),
            lambda: self.pauses.pause(queue, by=by, reason=reason),
            lambda change: (change.done, change.reason),
        )

    def resume(self, queue: QueueName, *, by: str) -> PauseChange:
        """Resume a queue."""
        return self.journal.carry_out(
            Action(kind=ActionKind.RESUME, by=by, about={"queue": queue.value}),
            lambda: self.pauses.resume(queue, by=by),
            lambda change: (change.done, change.reason),
        )

    def act(self, letter_id: str, action: LetterAction, *, by: str) -> LetterOutcome:
        """Send one dead letter again, or discard it; raises UnknownLetterError."""
        letter = self.dead_letters.get(letter_id)
        about = {"dead_letter_id": letter_id, "code": letter.code}
        if letter.image_version_id is not None:
            about["image_version_id"] = letter.image_version_id
        return self.journal.carry_out(
            Action(kind=ActionKind(action.value), by=by, about=about),
            lambda: self.dead_letters.act(letter_id, action, by=by),
            lambda outcome: (outcome.done, outcome.reason),
        )

    def act_on_selection(
        self, query: LetterQuery, action: LetterAction, token: str, *, by: str
    ) -> tuple[LetterOutcome, ...]:
        """Act on exactly the dead letters that were counted.

        Raises MalformedError and SelectionChangedError, as DeadLetterService does.
        """
        chosen = (f"{name}={text}" for name, text in filter_fields(query).items())
        about = {"filter": ", ".join(chosen)}
        return self.journal.carry_out(
            Action(kind=ActionKind(action.value), by=by, about=about),
            lambda: self.dead_letters.act_on_selection(query, action, token, by=by),
            _of_many,
        )


def _about(version_id: ImageVersionId) -> dict[str, str]:
    return {"image_version_id": str(version_id), "key": version_id.key}


def _of_job(outcome: Cancelled | Released | None) -> tuple[bool, str]:
    return (False, _GONE) if outcome is None else (outcome.done, outcome.reason)


def _of_many(outcomes: tuple[LetterOutcome, ...]) -> tuple[bool, str]:
    failed = [one for one in outcomes if not one.done]
    sentence = f"{len(outcomes) - len(failed)} of {len(outcomes)} done"
    if failed:
        sentence += f"; the first that was not, {failed[0].letter_id}: {failed[0].reason}"
    return not failed, sentence
