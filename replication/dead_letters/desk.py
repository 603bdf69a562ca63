"""The desk of dead letters: events, messages and jobs that need a person, with their cause."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from replication.domain.errors import (
    FailureCode,
    MalformedError,
    NewerFormatError,
    RecordChangedError,
    ReplicationError,
)
from replication.domain.job import Failure, HistoryEntry, ReplicaState, ReplicationJob
from replication.domain.message import JobMessage
from replication.ports import DeadLetter, DeadLetters, LetterState, StoredLetter
from replication.records.message_codec import decode_message, encode_message
from replication.records.queue_body import open_body
from replication.telemetry.log import CRITICAL, ERROR, log_outcome
from replication.telemetry.metrics import CODE, LETTERS_LAID, SOURCE
from replication.telemetry.port import NO_TELEMETRY, Telemetry

# A table row holds 1 MiB, which is half as many characters.
MAX_RAW = 300_000
_MAX_TEXT = 256
_MAX_DEPTH = 50
_ID_HEX_DIGITS = 32
_MAX_ROUNDS = 20
_PERSONAL = ("claims", "authorization", "httprequest")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterDesk:
    """Where dead letters are laid; the same one twice is one, a job has one at most."""

    letters: DeadLetters
    clock: Callable[[], datetime]
    max_dequeue_count: int = 5
    telemetry: Telemetry = NO_TELEMETRY

    def event(
        self, raw: Any, *, event_id: str, cause: str, given_up_on: str | None = None
    ) -> DeadLetter:
        """Keep an event that cannot be used, without the claims of whoever caused it.

        Or one of a message that the host gave up, on a queue.
        """
        text = json.dumps(_without_claims(raw, _MAX_DEPTH), default=str)
        source = given_up_on or "event"
        code = FailureCode.POISON_MESSAGE if given_up_on else FailureCode.MALFORMED_EVENT
        return self._put_again(
            DeadLetter(
                id=_letter_id(f"{source}\n{event_id}\n{text}"),
                at=self.clock(),
                source=source,
                code=code.value,
                cause=cause,
                attempts=self.max_dequeue_count if given_up_on else 1,
                correlation_id=event_id[:_MAX_TEXT].encode("ascii", "backslashreplace").decode(),
                image_version_id=None,
                raw=_clipped(text),
            )
        )

    def message(
        self, raw: str, *, queue: str, attempts: int, code: FailureCode, cause: str
    ) -> DeadLetter:
        """Keep a queue message that could not be handled."""
        image_version_id, correlation_id = None, ""
        try:
            message = decode_message(raw)
        except MalformedError:
            pass  # the raw text below is all there is
        else:
            image_version_id = str(message.image_version_id)
            correlation_id = message.correlation_id
        return self._put_again(
            DeadLetter(
                id=_letter_id(f"{queue}\n{raw}"),
                at=self.clock(),
                source=queue,
                code=code.value,
                cause=cause,
                attempts=attempts,
                correlation_id=correlation_id,
                image_version_id=image_version_id,
                raw=_clipped(raw),
            )
        )

    def poison(self, body: bytes, *, queue: str) -> None:
        """Keep a message from a poison queue, readable or not; never raises.

        What cannot be kept in the table stands in the log, whole: an exception here would send
        the message back to the poison queue of a poison queue, which is nowhere.
        """
        raw = open_body(body)
        code = FailureCode.POISON_MESSAGE
        cause = "the host gave the message up; the invocations' log lines say why"
        try:
            decode_message(raw)
        except NewerFormatError as error:
            code = FailureCode.NEWER_FORMAT
            cause = f"a newer release wrote it ({error}); replay it once that release runs"
        except MalformedError as error:
            code, cause = FailureCode.MALFORMED_MESSAGE, str(error)
        try:
            letter = self.message(
                raw, queue=queue, attempts=self.max_dequeue_count, code=code, cause=cause
            )
        except ReplicationError as error:
            log_outcome(
                "dead_letter.unkept",
                level=CRITICAL,
                queue=queue,
                raw=raw,
                reason=str(error),
            )
            return
        log_outcome("dead_letter.kept", level=ERROR, queue=queue, id=letter.id, code=letter.code)

    def job(self, job: ReplicationJob, timeline: Sequence[HistoryEntry]) -> DeadLetter:
        """Dead-letter a job that failed: only a person can bring it further."""
        behind = [
            replica.region.name
            for replica in job.replicas
            if replica.state is not ReplicaState.COMPLETED
        ]
        failure = job.failure or Failure(code=FailureCode.UNKNOWN_ANSWER, message=job.reason)
        known = failure.message in job.reason
        return self._put(
            DeadLetter(
                id=job.own_letter_id,
                at=self.clock(),
                source="job",
                code=failure.code.value,
                cause=job.reason if known else f"{job.reason} [{failure.message}]",
                attempts=job.tries.attempts,
                correlation_id=job.correlation_id,
                image_version_id=str(job.image_version_id),
                raw=encode_message(JobMessage.of(job)),
                regions=tuple(behind),
                timeline=tuple(timeline),
            )
        )

    def tells_of(self, job: ReplicationJob) -> bool:
        """Tell whether the job's letter lies open, and is about its failure."""
        stored = self.letters.get(job.own_letter_id)
        if stored is None or stored.letter.state is not LetterState.OPEN:
            return False
        return job.failure is None or stored.letter.code == job.failure.code.value

    def resolve(self, letter_id: str, *, reason: str) -> None:
        """Mark a letter as no longer needing anyone; one laid anew meanwhile stays open."""
        stored = self.letters.get(letter_id)
        if stored is not None and stored.letter.state is not LetterState.RESOLVED:
            self._resolve(stored, reason)

    def withdraw(self, laid: DeadLetter, *, reason: str) -> None:
        """Mark a letter of one's own as resolved, unless someone has laid it anew since."""
        stored = self.letters.get(laid.id)
        if stored is not None and stored.letter == laid:
            self._resolve(stored, reason)

    def _resolve(self, stored: StoredLetter, reason: str) -> None:
        resolved = replace(
            stored.letter,
            state=LetterState.RESOLVED,
            state_at=self.clock(),
            state_reason=reason,
        )
        try:
            self.letters.replace(stored, resolved)
        except RecordChangedError:
            log_outcome("dead_letter.changed", id=stored.letter.id, reason="laid anew meanwhile")
            return
        log_outcome(
            "dead_letter.resolved", id=stored.letter.id, code=stored.letter.code, reason=reason
        )

    def _put_again(self, letter: DeadLetter) -> DeadLetter:
        """Keep what has no timeline of its own: that is how often it came here."""
        earlier = self.letters.get(letter.id)
        return self._put(letter if earlier is None else _laid_again(letter, earlier.letter))

    def _put(self, letter: DeadLetter) -> DeadLetter:
        self.letters.put(letter)
        self.telemetry.counted(LETTERS_LAID, {SOURCE: letter.source, CODE: letter.code})
        return letter


def _laid_again(letter: DeadLetter, earlier: DeadLetter) -> DeadLetter:
    """Return the letter with what became of it before, so that a replay in vain leaves a trace."""
    rounds = [
        HistoryEntry(
            id=f"{earlier.at.isoformat()} laid", at=earlier.at, event="laid", reason=earlier.cause
        )
    ]
    if earlier.state_at is not None:
        rounds.append(
            HistoryEntry(
                id=f"{earlier.state_at.isoformat()} {earlier.state.value}",
                at=earlier.state_at,
                event=earlier.state.value,
                reason=earlier.state_reason,
            )
        )
    return replace(
        letter,
        attempts=earlier.attempts + letter.attempts,
        timeline=(*earlier.timeline, *rounds)[-_MAX_ROUNDS:],
    )


def _letter_id(identity: str) -> str:
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:_ID_HEX_DIGITS]


def _clipped(raw: str) -> str:
    if len(raw) <= MAX_RAW:
        return raw
    return f"{raw[:MAX_RAW]}… [cut here; {len(raw)} characters in all]"


def without_person(text: str) -> str:
    """Return a text without the parts that describe a person; what is no JSON, up to the first."""
    named = re.search("|".join(_PERSONAL), text, re.IGNORECASE)
    if named is None:
        return text
    with suppress(ValueError, RecursionError):
        return json.dumps(_without_claims(json.loads(text), _MAX_DEPTH))
    return f"{text[: named.start()]}… [cut here: what follows may describe a person]"


def _without_claims(raw: Any, depth: int) -> Any:
    """Return the event without the parts that describe a person, at most `depth` levels of it."""
    if isinstance(raw, dict | list) and depth == 0:
        return "… [nested deeper]"
    if isinstance(raw, dict):
        return {
            key: _without_claims(value, depth - 1)
            for key, value in raw.items()
            if str(key).lower() not in _PERSONAL
        }
    if isinstance(raw, list):
        return [_without_claims(value, depth - 1) for value in raw]
    if isinstance(raw, str) and "{" in raw and any(word in raw.lower() for word in _PERSONAL):
        try:
            inner = json.loads(raw)  # JSON as a text within JSON
        except (ValueError, RecursionError):
            return "… [not kept: it names parts that describe a person]"
        return _without_claims(inner, depth - 1) if depth else "… [nested deeper]"
    return raw
