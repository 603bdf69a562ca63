"""The actions of the intake: what it made of an event or of a request."""

from enum import StrEnum


class IntakeAction(StrEnum):
    """What became of an event or of a request; the words stand in logs, metrics and answers."""

    QUEUED = "queued"
    DUE = "due"
    SKIPPED = "skipped"
    IGNORED = "ignored"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"

    @property
    def is_taken(self) -> bool:
        """Whether the version is on record, and looked at where there is something to do."""
        return self in (IntakeAction.QUEUED, IntakeAction.DUE, IntakeAction.SKIPPED)
