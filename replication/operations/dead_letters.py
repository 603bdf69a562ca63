"""The dead-letter desk for operators: look, send again, discard; one, or those counted before."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from replication.dead_letters.rows import digest, list_letter
from replication.domain.actions import IntakeAction
from replication.domain.errors import (
    MalformedError,
    NewerFormatError,
    RecordChangedError,
    ReplicationError,
)
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.domain.job import ReplicationJob, with_entry
from replication.intake.events import ReceivedEvent, parse_time
from replication.intake.intake import Intake
from replication.ports import (
    DeadLetter,
    DeadLetters,
    JobQueues,
    LetterAction,
    LetterCause,
    LetterPage,
    LetterQuery,
    LetterState,
    ListedLetter,
    QueueName,
    StoredLetter,
)
from replication.records.commit import JobCommits
from replication.records.message_codec import decode_message
from replication.telemetry.log import INFO, WARNING, log_outcome

_PAGE = 200
_TOKEN_PARTS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ANEW = "it was laid anew meanwhile; look at it again"


class SelectionChangedError(ReplicationError):
    """The letters are not those that were counted; count again."""


class UnknownLetterError(ReplicationError):
    """There is no such letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOutcome:
    """What became of one letter: `done` or not, and why."""

    letter_id: str
    done: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The letters that a filter means now, and the token that acts on exactly these."""

    action: LetterAction
    count: int
    token: str
    by_code: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterService:
    """Acts on letters for an operator; every act may be repeated without harm."""

    letters: DeadLetters
    intake: Intake
    commits: JobCommits
    queues: JobQueues
    clock: Callable[[], datetime]

    def find(self, query: LetterQuery) -> LetterPage:
        """Return one page of letters."""
        return self.letters.find(query)

    def causes(self) -> tuple[LetterCause, ...]:
        """Count the open letters by failure code."""
        return self.letters.causes()

    def oldest(self, code: str) -> datetime | None:
        """Return when the oldest open letter of a failure code was laid, None without one."""
        return self.letters.oldest(code)

    def get(self, letter_id: str) -> DeadLetter:
        """Return a letter; raises UnknownLetterError."""
        return self._stored(letter_id).letter

    def act(self, letter_id: str, action: LetterAction, *, by: str) -> LetterOutcome:
        """Send one letter again, or discard it; raises UnknownLetterError."""
        return self._act(self._stored(letter_id), action, by=by)

    def select(self, query: LetterQuery, action: LetterAction) -> Selection:
        """Count what a filter means; nothing is done."""
        # As exact as the token, so that both ask the same question.
        laid_by = self.clock().astimezone(UTC)
        found = tuple(self._all(replace(query, laid_by=laid_by)))
        by_code: dict[str, int] = {}
        for one in found:
            by_code[one.code] = by_code.get(one.code, 0) + 1
        return Selection(
            action=action,
            count=len(found),
            token=_token(action, laid_by, found),
            by_code=dict(sorted(by_code.items())),
        )

    def act_on_selection(
        self, query: LetterQuery, action: LetterAction, token: str, *, by: str
    ) -> tuple[LetterOutcome, ...]:
        """Act on exactly the letters that were counted.

        Raises MalformedError for a token that `select` never gave, SelectionChangedError when one
        of them was laid anew, sent again or discarded since. One laid since is left alone.
        """
        laid_by = _laid_by(token)
        found = tuple(self._all(replace(query, laid_by=laid_by)))
        if _token(action, laid_by, found) != token:
            raise SelectionChangedError(
                f"the filter means {len(found)} letters now; the token was given out for others, "
                "or for another act; count again"
            )
        return tuple(self._act_on_listed(one, action, by=by) for one in found)

    def _stored(self, letter_id: str) -> StoredLetter:
        stored = self.letters.get(letter_id)
        if stored is None:
            raise UnknownLetterError(f"no dead letter has the id {letter_id}")
        return stored

    def _all(self, query: LetterQuery) -> Iterator[ListedLetter]:
        while True:
            page = self.letters.find(replace(query, limit=_PAGE))
            yield from page.letters
            if page.next_cursor is None:
                return
            query = replace(query, cursor=page.next_cursor)

    def _act_on_listed(self, one: ListedLetter, action: LetterAction, *, by: str) -> LetterOutcome:
        try:
            stored = self.letters.get(one.id)
        except ReplicationError as error:
            return _told(one, action, by=by, done=False, reason=str(error))
        if stored is None:
            return _told(one, action, by=by, done=False, reason="it is gone already")
        if list_letter(stored.letter) != one:
            return _told(one, action, by=by, done=False, reason=_ANEW)
        return self._act(stored, action, by=by)

    def _act(self, stored: StoredLetter, action: LetterAction, *, by: str) -> LetterOutcome:
        try:
            if action is LetterAction.DISCARD:
                self.letters.discard(stored)
                done, reason = True, f"discarded by {by}"
                self._forget(stored.letter, by=by)
            else:
                done, reason = self._replay(stored, by=by)
        except RecordChangedError:
            done, reason = False, _ANEW
        except ReplicationError as error:
            done, reason = False, str(error)
        return _told(stored.letter, action, by=by, done=done, reason=reason)

    def _forget(self, letter: DeadLetter, *, by: str) -> None:
        """Let a job no longer name a letter that is gone; what goes wrong undoes nothing."""
        try:
            version_id = ImageVersionId.parse(letter.image_version_id)
        except MalformedImageVersionIdError:
            return

        def change(job: ReplicationJob) -> tuple[ReplicationJob | None, None]:
            if job.letter_id != letter.id:
                return None, None
            forgotten = with_entry(
                replace(job, letter_id=None),
                "discard",
                f"its dead letter was discarded by {by}",
                now=self.clock(),
                details={"by": by, "dead_letter": letter.id},
            )
            return forgotten, None

        try:
            self.commits.change(version_id.key, change)
        except ReplicationError as error:
            log_outcome(
                "dead_letter.still_named",
                level=WARNING,
                id=letter.id,
                key=version_id.key,
                reason=str(error),
            )

    def _replay(self, stored: StoredLetter, *, by: str) -> tuple[bool, str]:
        letter = stored.letter
        taken, reason = self._send_again(letter, by=by)
        if not taken:
            return False, reason
        replayed = replace(
            letter,
            state=LetterState.REPLAYED,
            state_at=self.clock(),
            state_reason=f"sent again by {by}: {reason}",
        )
        try:
            self.letters.replace(stored, replayed)
        except RecordChangedError:
            # It failed once more already, or is resolved: the newer word stands.
            return True, f"{reason}; the letter was changed meanwhile"
        return True, reason

    def _send_again(self, letter: DeadLetter, *, by: str) -> tuple[bool, str]:
        if letter.source in ("event", QueueName.EVENTS.value):
            received, raw = _event(letter)
            taken = self.intake.receive(received, raw)
            refused = taken.action in (IntakeAction.REJECTED, IntakeAction.REFUSED)
            return not refused, taken.reason
        try:
            version_id = _version_of(letter)
        except NewerFormatError:
            queue = _queue_of(letter)
            self.queues.put_back(queue, letter.raw, delay_s=0)
            return True, f"queued on {queue.value} again, for the newer release"
        taken = self.intake.request(
            version_id,
            trigger=f"replay of dead letter {letter.id} by {by}",
            correlation_id=letter.correlation_id,
        )
        return taken.action.is_taken, taken.reason


def _version_of(letter: DeadLetter) -> ImageVersionId:
    """Return the version to ask for; raises MalformedError, NewerFormatError too."""
    if letter.image_version_id is None:
        # Kept unread: a release that came since may be able to read it.
        return decode_message(letter.raw).image_version_id
    try:
        return ImageVersionId.parse(letter.image_version_id)
    except MalformedImageVersionIdError as error:
        raise MalformedError(f"the letter's image version: {error}") from error


def _queue_of(letter: DeadLetter) -> QueueName:
    try:
        return QueueName(letter.source)
    except ValueError as error:
        raise MalformedError(
            f"the letter is from {letter.source!r}, which is no queue; nothing can be sent again"
        ) from error


def _event(letter: DeadLetter) -> tuple[ReceivedEvent, Any]:
    """Read the kept event; raises MalformedError."""
    try:
        raw = json.loads(letter.raw)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"the kept event is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise MalformedError("the kept event is not a JSON object")
    texts = {name: raw.get(name) for name in ("id", "type", "subject", "time", "source")}
    words = {name: text if isinstance(text, str) else "" for name, text in texts.items()}
    return (
        ReceivedEvent(
            id=words["id"],
            type=words["type"],
            subject=words["subject"],
            at=parse_time(words["time"]) if words["time"] else None,
            data=raw.get("data"),
            source=words["source"],
        ),
        raw,
    )


def _told(
    one: ListedLetter, action: LetterAction, *, by: str, done: bool, reason: str
) -> LetterOutcome:
    log_outcome(
        f"dead_letter.{action.value}",
        level=INFO if done else WARNING,
        id=one.id,
        code=one.code,
        done=done,
        by=by,
        reason=reason,
    )
    return LetterOutcome(letter_id=one.id, done=done, reason=reason)


def _token(action: LetterAction, laid_by: datetime, found: tuple[ListedLetter, ...]) -> str:
    # In the order of their ids: that of a list is nobody's promise.
    identity = "\n".join((action.value, *sorted(f"{one.id} {digest(one)}" for one in found)))
    hashed = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return f"{(laid_by - _EPOCH) // _MICROSECOND}-{len(found)}-{hashed}"


def _laid_by(token: str) -> datetime:
    parts = token.split("-")
    digits = parts[0]
    if len(parts) != _TOKEN_PARTS or not (digits.isascii() and digits.isdecimal()):
        raise MalformedError("the token is not one that counting gave out")
    try:
        return _EPOCH + int(digits) * _MICROSECOND
    except (OverflowError, ValueError) as error:
        raise MalformedError("the token is not one that counting gave out") from error
