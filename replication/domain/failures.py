"""What each failure code means to an operator; docs/runbook.md says what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from replication.domain.errors import FailureCode
from replication.domain.limits import Limits


class TryLimit(StrEnum):
    """What bounds the tries before a failure of the kind reaches a person."""

    NONE = "none: trying again cannot help"
    RELEASE = "none: it waits until it fits, or is released"
    RETRIES = "RETRY_MAX_ATTEMPTS failures in a row"
    UNKNOWN_RETRIES = "UNKNOWN_MAX_ATTEMPTS refusals in a row"
    REGION_COPIES = "REGION_MAX_ATTEMPTS copies in the region"
    WRITES = "WRITE_MAX_ATTEMPTS writes to the version"
    DEADLINE = "REPLICATION_DEADLINE_H hours from the start"
    DELIVERIES = "the host's maxDequeueCount deliveries, or ten claims without a record"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureKind:
    """One way to end badly: `transient` when the same thing may work later without a person."""

    code: FailureCode
    transient: bool
    tries: TryLimit
    sentence: str

    @property
    def runbook(self) -> str:
        """Where the runbook speaks of it."""
        return f"docs/runbook.md#{self.code.value}"


def _kind(code: FailureCode, tries: TryLimit, sentence: str, *, transient: bool) -> FailureKind:
    return FailureKind(code=code, transient=transient, tries=tries, sentence=sentence)


FAILURES: Mapping[FailureCode, FailureKind] = {
    kind.code: kind
    for kind in (
        _kind(
            FailureCode.BUDGET_EXCEEDED,
            TryLimit.RELEASE,
            "The plan costs more than its budget allows; nothing was added.",
            transient=True,
        ),
        _kind(
            FailureCode.COPY_FAILED,
            TryLimit.REGION_COPIES,
            "Azure could not copy the image into a region, not even after it was applied again "
            "and the region was removed and added back.",
            transient=True,
        ),
        _kind(
            FailureCode.COPY_IMPOSSIBLE,
            TryLimit.NONE,
            "Azure's own check stopped the copy, and would stop every other.",
            transient=False,
        ),
        _kind(
            FailureCode.DEADLINE_EXCEEDED,
            TryLimit.DEADLINE,
            "Not every region was Completed in time; the sweep goes on looking.",
            transient=True,
        ),
        _kind(
            FailureCode.ENCRYPTION_SET_MISSING,
            TryLimit.NONE,
            "The version is encrypted with your key, and Azure misses a disk encryption set for a "
            "region.",
            transient=False,
        ),
        _kind(
            FailureCode.INVALID_REQUEST,
            TryLimit.NONE,
            "Azure says that the request itself is wrong.",
            transient=False,
        ),
        _kind(
            FailureCode.LOCKED,
            TryLimit.NONE,
            "A lock on the gallery, or a subscription that is disabled, forbids the write.",
            transient=False,
        ),
        _kind(
            FailureCode.MALFORMED_EVENT,
            TryLimit.NONE,
            "An event arrived that cannot be read.",
            transient=False,
        ),
        _kind(
            FailureCode.MALFORMED_MESSAGE,
            TryLimit.NONE,
            "A queue message arrived that cannot be read.",
            transient=False,
        ),
        _kind(
            FailureCode.NEWER_FORMAT,
            TryLimit.DELIVERIES,
            "A newer release of this app wrote a message that this one cannot read.",
            transient=True,
        ),
        _kind(
            FailureCode.NOT_AUTHORISED,
            TryLimit.NONE,
            "The app's identity lacks a right, or a policy of Azure forbids the write.",
            transient=False,
        ),
        _kind(
            FailureCode.POISON_MESSAGE,
            TryLimit.DELIVERIES,
            "Every worker that took the message failed or died.",
            transient=True,
        ),
        _kind(
            FailureCode.QUOTA_EXCEEDED,
            TryLimit.NONE,
            "A quota of the subscription is used up.",
            transient=False,
        ),
        _kind(
            FailureCode.REGION_HELD_BACK,
            TryLimit.DEADLINE,
            "A region keeps failing for many versions and is held back.",
            transient=True,
        ),
        _kind(
            FailureCode.REGION_UNAVAILABLE,
            TryLimit.NONE,
            "The subscription may not use a region; the others go on without it.",
            transient=False,
        ),
        _kind(
            FailureCode.REMOVED_BY_SOMEONE,
            TryLimit.NONE,
            "Someone removed a region after its replica was Completed; that is respected.",
            transient=False,
        ),
        _kind(
            FailureCode.RETRIES_EXHAUSTED,
            TryLimit.RETRIES,
            "Azure or the storage failed again and again.",
            transient=True,
        ),
        _kind(
            FailureCode.SOURCE_MISSING,
            TryLimit.NONE,
            "Azure no longer finds what the version was made from; no region can be added to it.",
            transient=False,
        ),
        _kind(
            FailureCode.SOURCE_TOO_LARGE,
            TryLimit.NONE,
            "The image is larger than a gallery can replicate.",
            transient=False,
        ),
        _kind(
            FailureCode.UNKNOWN_ANSWER,
            TryLimit.UNKNOWN_RETRIES,
            "Azure refused in words that this release does not know; they are shown as they came.",
            transient=True,
        ),
        _kind(
            FailureCode.WRITES_EXHAUSTED,
            TryLimit.WRITES,
            "Regions that were added kept vanishing from the list: another writer removes them.",
            transient=True,
        ),
        _kind(
            FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
            TryLimit.NONE,
            "A region offers no zone-redundant storage for images.",
            transient=False,
        ),
    )
}


def may_copy_again(code: FailureCode | None, copies: int, limits: Limits) -> bool:
    """Tell whether another copy may do after one that failed so, and is left after this many."""
    hopeless = code is not None and FAILURES[code].tries is TryLimit.NONE
    return not hopeless and copies < limits.region_max_attempts
