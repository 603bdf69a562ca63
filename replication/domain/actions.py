"""The actions of the intake: what it made of an event or of a request; and who acts."""

from enum import StrEnum


class IntakeAction(StrEnum):
    """What became of an event or of a request; the words stand in logs, metrics and answers."""

    QUEUED = "queued"
    DUE = "due"
    SKIPPED = "skipped"
    IGNORED = "ignored"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    REFUSED = "refused"

    @property
    def is_taken(self) -> bool:
        """Whether the version is on record, and looked at where there is something to do."""
        return self in (IntakeAction.QUEUED, IntakeAction.DUE, IntakeAction.SKIPPED)


class Actor(StrEnum):
    """Who acts: the words of records and logs, never the name of a person or a machine.

    With an object id of Microsoft Entra where there is one.
    """

    OPERATOR = "operator"
    APP = "app"
    LOCAL_OPERATOR = "the local operator"
    FUNCTION_KEY = "a function key"
    COMMAND_LINE = "the command line"

    @classmethod
    def signed_in(cls, object_id: str, *, is_app: bool) -> str:
        """Name who signed in, by the object id."""
        return f"{cls.APP if is_app else cls.OPERATOR} {object_id}"
