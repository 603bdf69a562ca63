"""Causes that no further try mends, by the words in which Azure tells of them.

A refused write and the details of a failed copy speak of them alike. The service has no code of its
own for most (azure-compute-docs, troubleshooting-shared-images).
"""

import re

from replication.domain.errors import FailureCode

_CAUSES: tuple[tuple[re.Pattern[str], FailureCode], ...] = (
    (re.compile(r"zrs .*not supported", re.IGNORECASE), FailureCode.ZONE_REDUNDANCY_UNSUPPORTED),
    (
        re.compile(r"exceeds the max(imum)? size|exceedsmaxsize", re.IGNORECASE),
        FailureCode.SOURCE_TOO_LARGE,
    ),
    (re.compile(r"disk ?encryption ?set", re.IGNORECASE), FailureCode.ENCRYPTION_SET_MISSING),
    (
        re.compile(r"quota|maximum number [^.]*\b(reached|exceeded)", re.IGNORECASE),
        FailureCode.QUOTA_EXCEEDED,
    ),
)
# The service's own check of what it copies; it fails again in every region, and at every try.
_ASSERTION = re.compile(r"\bassert(ion)?\b", re.IGNORECASE)


def cause_of(*words: str) -> FailureCode | None:
    """Return the cause that a code or a sentence tells of, None where it tells of none of these."""
    for pattern, cause in _CAUSES:
        if any(pattern.search(said) for said in words):
            return cause
    return None


def cause_of_failed_copy(details: str) -> FailureCode:
    """Return why a copy failed; COPY_FAILED where another copy may do."""
    if _ASSERTION.search(details):
        return FailureCode.COPY_IMPOSSIBLE
    return cause_of(details) or FailureCode.COPY_FAILED
