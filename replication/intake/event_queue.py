"""Event queue: events that Event Grid puts into a queue, one or an array of them in a message.

The second way in, beside the webhook. What cannot be read is kept as a dead letter, and what fails
for now comes again with its message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replication.codec import parse_json
from replication.dead_letters.desk import DeadLetterDesk, without_person
from replication.domain.errors import FailureCode, MalformedError, ReplicationError
from replication.domain.trace_context import TraceParent
from replication.intake.events import receive_document
from replication.intake.intake import Intake
from replication.ports import QueueName
from replication.telemetry.log import CRITICAL, ERROR, log_outcome

_QUEUE = QueueName.EVENTS.value


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQueue:
    """Takes in what arrives in the queue of events, and keeps what the host gave up there."""

    intake: Intake
    desk: DeadLetterDesk

    def receive(self, body: str, *, traceparent: TraceParent | None = None) -> None:
        """Handle each event of a message, whatever becomes of the others.

        Raises the first error of those that failed, so that the message comes again.
        """
        failed: ReplicationError | None = None
        for event in self._events(body):
            received, kept = receive_document(event)
            try:
                self.intake.receive(received, kept, traceparent=traceparent)
            except ReplicationError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def bury(self, body: str) -> None:
        """Keep each event of a message that the host gave up; never raises.

        What cannot be kept in the table stands in the log, whole: raised here, it would come again
        for a week, and then nobody would know of it.
        """
        try:
            for event in self._events(body):
                received, kept = receive_document(event)
                letter = self.desk.event(
                    kept,
                    event_id=received.id,
                    cause="the host gave the message up; the invocations' log lines say why",
                    given_up_on=_QUEUE,
                )
                log_outcome("dead_letter.kept", level=ERROR, queue=_QUEUE, id=letter.id)
        except ReplicationError as error:
            log_outcome(
                "dead_letter.unkept",
                level=CRITICAL,
                queue=_QUEUE,
                raw=without_person(body),
                reason=str(error),
            )

    def _events(self, body: str) -> list[Mapping[str, Any]]:
        """Return the events of a message, and keep what is none."""
        cause = "the message holds no event: no JSON object with an eventType, or with a type"
        try:
            document = parse_json(body, what="the message")
        except MalformedError as error:
            document, cause = [], str(error)
        among = document if isinstance(document, list) else [document]
        events = [one for one in among if _is_event(one)]
        if not events:
            letter = self.desk.message(
                without_person(body),
                queue=_QUEUE,
                attempts=1,
                code=FailureCode.MALFORMED_MESSAGE,
                cause=cause,
            )
            log_outcome("message.unreadable", level=ERROR, id=letter.id, reason=cause)
            return []
        for one in among:
            if not _is_event(one):
                cause = "it is no event: no JSON object with an eventType, or with a type"
                letter = self.desk.event(one, event_id="", cause=cause)
                log_outcome("event.rejected", level=ERROR, reason=cause, dead_letter=letter.id)
        return events


def _is_event(document: object) -> bool:
    return isinstance(document, Mapping) and bool(document.get("type") or document.get("eventType"))
