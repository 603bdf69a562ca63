"""The errors of this product, all in one tree, and the codes under which people look them up.

Whatever is not of this tree is a mistake of ours, or a vendor's that an adapter let through.

GalleryReplicatorError
├── ReplicationError          what the services, and the ports that they use, may raise
│   ├── TransientError            try again; `retry_after_s` where the service named a time
│   │   ├── ThrottledError            the service asks for a pause; no failure of ours
│   │   ├── UnknownAnswerError        an answer that stands in no table of ours; capped sooner
│   │   └── ConflictError             someone else is writing; look again, never send the old body
│   ├── PermanentError            trying again cannot help; carries a FailureCode
│   │   ├── RegionRefusedError        regions that may not be used; the others may
│   │   └── MissingReferenceError     what the version refers to is not there, whatever the region
│   ├── GoneError                 the image version no longer exists
│   ├── LeaseLostError            another worker took the job over; nothing may be recorded
│   ├── RecordChangedError        someone wrote the record since it was read; read it again
│   ├── IllegalTransitionError    a state that may not follow the one before
│   ├── MalformedError            input that cannot be read, and why
│   │   ├── NewerFormatError          written by a newer release; to be left for it
│   │   ├── InvalidRegionNameError    a text that cannot be the name of a region
│   │   ├── MalformedImageVersionIdError    a text that is no resource id of an image version
│   │   ├── MalformedImageVersionError      an answer about a version that cannot be read
│   │   └── TooLongError              a report that this format has no room for
│   ├── SelectionChangedError     the dead letters are not those that were counted
│   ├── UnknownLetterError        there is no such dead letter
│   └── SweepIncompleteError      parts of a sweep failed; everything else was done
├── SettingsError             a setting that is missing or cannot be meant
├── PolicyFileError           the policy file cannot be used; names the line
├── AskedError                a question to a page or a list that cannot be meant
├── OutOfScopeError           the policy leaves the image version out
├── UnknownVersionError       there is no such image version
├── NoPageError               there is no such page
├── ProblemError              a call that is answered with a problem, and its status
│   └── DeniedError               whoever calls may not do this
├── ShapeError                an answer of the app that is not of the shape that the CLI knows
└── CommandError              a command that cannot be carried out, and its exit code
    ├── UsageProblem              an argument that cannot be meant
    ├── NotFoundError             what was asked about does not exist
    ├── NotAllowedError           the policy, or Azure, forbids it
    ├── RefusedError              the app refused it: it is not so any more
    └── UnavailableError          the app cannot be reached, or has trouble of its own
"""

from enum import StrEnum


class FailureCode(StrEnum):
    """Every way in which a job or a replica can end badly."""

    BUDGET_EXCEEDED = "budget_exceeded"
    COPY_FAILED = "copy_failed"
    COPY_IMPOSSIBLE = "copy_impossible"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    ENCRYPTION_SET_MISSING = "encryption_set_missing"
    INVALID_REQUEST = "invalid_request"
    LOCKED = "locked"
    MALFORMED_EVENT = "malformed_event"
    MALFORMED_MESSAGE = "malformed_message"
    NEWER_FORMAT = "newer_format"
    NOT_AUTHORISED = "not_authorised"
    POISON_MESSAGE = "poison_message"
    QUOTA_EXCEEDED = "quota_exceeded"
    REGION_HELD_BACK = "region_held_back"
    REGION_UNAVAILABLE = "region_unavailable"
    REMOVED_BY_SOMEONE = "removed_by_someone"
    RETRIES_EXHAUSTED = "retries_exhausted"
    SOURCE_MISSING = "source_missing"
    SOURCE_TOO_LARGE = "source_too_large"
    UNKNOWN_ANSWER = "unknown_answer"
    WRITES_EXHAUSTED = "writes_exhausted"
    ZONE_REDUNDANCY_UNSUPPORTED = "zone_redundancy_unsupported"


class GalleryReplicatorError(Exception):
    """The base of all errors of this product."""


class ReplicationError(GalleryReplicatorError):
    """What the services, and the ports that they use, may raise."""


class TransientError(ReplicationError):
    """Something failed that may work later."""

    def __init__(
        self, message: str, *, code: str = "transient", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s


class Operation(StrEnum):
    """The two kinds of calls about an image version; Azure counts them apart."""

    READ = "read"
    WRITE = "write"


class ThrottleKind(StrEnum):
    """What a pause is about: one kind of call in the subscription, all of them, or one gallery."""

    OPERATION = "operation"
    SUBSCRIPTION = "subscription"
    GALLERY = "gallery"


class ThrottledError(TransientError):
    """The service asks for a pause."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "429",
        retry_after_s: float | None = None,
        kind: ThrottleKind = ThrottleKind.OPERATION,
    ) -> None:
        super().__init__(message, code=code, retry_after_s=retry_after_s)
        self.kind = kind


class UnknownAnswerError(TransientError):
    """The service refused in words that stand in no table of ours."""


class ConflictError(TransientError):
    """Another writer is at work on the image version."""


class PermanentError(ReplicationError):
    """Something failed and will fail again until a person changes something."""

    def __init__(self, message: str, *, code: FailureCode) -> None:
        super().__init__(message)
        self.code = code


class MissingReferenceError(PermanentError):
    """What the version refers to is not there: its source, or a disk encryption set."""


class GoneError(ReplicationError):
    """The image version was deleted, or is being deleted."""


class LeaseLostError(ReplicationError):
    """The claim on the job lapsed and someone else holds it."""


class RecordChangedError(ReplicationError):
    """A compare-and-swap lost: the record is not the one that was read."""


class MalformedError(ReplicationError):
    """Input that cannot be read; the message names the part and what was expected."""


class NewerFormatError(MalformedError):
    """Input written by a newer release of this app."""
