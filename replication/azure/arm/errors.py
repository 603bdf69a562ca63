"""Translate what Azure Resource Manager refuses into the product's own errors."""

import math
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

from azure.core.exceptions import AzureError, HttpResponseError

from replication.azure.arm.causes import cause_of
from replication.azure.arm.not_found import (
    tells_encryption_set_missing,
    tells_gone,
    tells_source_missing,
)
from replication.azure.arm.region_refusals import is_by_policy, refusal_of_regions
from replication.domain.errors import (
    ConflictError,
    FailureCode,
    GoneError,
    MissingReferenceError,
    PermanentError,
    ReplicationError,
    ThrottledError,
    ThrottleKind,
    TransientError,
    UnknownAnswerError,
)
from replication.domain.image_version import ImageVersionId
from replication.domain.regions import Region

_LOCK_CODES = {"scopelocked", "readonlydisabledsubscription", "subscriptiondisabled"}
# Refusals that say what is wrong with the request; the same request will be refused again.
_INVALID_CODES = {
    "badrequest",
    "invalidparameter",
    "invalidrequestcontent",
    "invalidrequestformat",
    "invalidresourcename",
    "invalidresourcelocation",
    "invalidtemplate",
    "linkedinvalidpropertyid",
    "missingrequiredparameter",
    "noregisteredproviderfound",
    "propertychangenotallowed",
    "requestentitytoolarge",
    "subscriptionnotfound",
}
_REFUSED_CODES = {"authorizationfailed", "linkedauthorizationfailed"}
_MAX_MESSAGE = 600
# A longer pause than a day would be a mistake, and a message cannot be hidden for longer than 7.
_MAX_PAUSE_S = 24 * 3600.0

# What a version whose safety profile forbids removals answers to a list that lacks a region.
_NOT_ALL_TARGETS = re.compile(r"complete set of target locations not specified", re.IGNORECASE)
# Of copies in one gallery, not of calls (the vendor's list of gallery errors).
_ON_SOURCE = re.compile(r"too many requests on source", re.IGNORECASE)


def classify(
    error: AzureError,
    *,
    about: ImageVersionId | None = None,
    asked_for: Iterable[Region] = (),
) -> ReplicationError:
    """Return what an error of the ARM clients means.

    `about` is the version that was asked for or written, `asked_for` are the regions in the
    request: a refusal that names some of them is about them.
    """
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if not isinstance(error, HttpResponseError) or status is None or status < 400:  # noqa: PLR2004
        # No answer, or a yes in words that cannot be read.
        word = "unreachable" if status is None else "not_json"
        return TransientError(f"{type(error).__name__}: {_clip(str(error))}", code=word)
    code = str(getattr(error.error, "code", None) or "")
    said = str(getattr(error.error, "message", None) or error.message or "")
    message = _clip(f"{code or error.reason or status}: {said}")
    retry_after_s = _retry_after_s(getattr(error.response, "headers", None) or {})
    known = (
        _by_code(status, code, said, message)
        or refusal_of_regions(status, code, said, message, asked_for)
        or _missing(status, code, said, message, about)
    )
    if known is not None:
        return known
    if status == 429 or _ON_SOURCE.search(said):  # noqa: PLR2004 - the number is the name
        return ThrottledError(
            message,
            code=code or str(status),
            retry_after_s=retry_after_s,
            kind=_throttled(code, said),
        )
    if status in (409, 412):
        return ConflictError(message, code=code or str(status), retry_after_s=retry_after_s)
    if status in (401, 408) or status >= 500:  # noqa: PLR2004
        return TransientError(message, code=code or str(status), retry_after_s=retry_after_s)
    return _refusal(code, said, message)


def _by_code(status: int, code: str, said: str, message: str) -> ReplicationError | None:
    word = code.lower()
    if _NOT_ALL_TARGETS.search(said):
        # Somebody added a region since the list was read.
        return ConflictError(message, code=code)
    failure = None
    if word in _LOCK_CODES:
        failure = FailureCode.LOCKED
    elif word in _REFUSED_CODES or (status == 403 and not is_by_policy(code, said)):  # noqa: PLR2004
        failure = FailureCode.NOT_AUTHORISED
    elif word == "missingsubscriptionregistration":
        failure = FailureCode.INVALID_REQUEST
    return PermanentError(message, code=failure) if failure else None


def _missing(
    status: int, code: str, said: str, message: str, about: ImageVersionId | None
) -> ReplicationError | None:
    """Return what an answer says is not there, None where it says nothing of the kind."""
    not_found = status == 404  # noqa: PLR2004
    if about is not None and status < 500:  # noqa: PLR2004
        if tells_gone(code, said, about):
            return GoneError(message)
        if tells_source_missing(status, code, said):
            return MissingReferenceError(message, code=FailureCode.SOURCE_MISSING)
        if not_found and tells_encryption_set_missing(said):
            return MissingReferenceError(message, code=FailureCode.ENCRYPTION_SET_MISSING)
    if not_found and (about is None or code.lower() in _INVALID_CODES):
        return PermanentError(message, code=FailureCode.INVALID_REQUEST)
    # Of a version other words say nothing yet: the next look finds whether it is there.
    return UnknownAnswerError(message, code=code or str(status)) if not_found else None


def _refusal(code: str, said: str, message: str) -> ReplicationError:
    cause = cause_of(code, said)
    if cause is None and code.lower() in _INVALID_CODES:
        cause = FailureCode.INVALID_REQUEST
    if cause is not None:
        return PermanentError(message, code=cause)
    return UnknownAnswerError(message, code=code or "unknown")


def _throttled(code: str, said: str) -> ThrottleKind:
    """Return what a pause is about; Resource Manager and the provider count each operation."""
    if _ON_SOURCE.search(said):
        return ThrottleKind.GALLERY
    if "tenant" in code.lower() or "global" in code.lower():
        return ThrottleKind.SUBSCRIPTION
    return ThrottleKind.OPERATION


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read the pause the service asks for: milliseconds, seconds, or a date."""
    for name, unit_s in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001)):
        with suppress(TypeError, ValueError):
            return _bounded(float(headers.get(name, "")) * unit_s)
    text = headers.get("Retry-After", "")
    with suppress(TypeError, ValueError):
        return _bounded(float(text))
    with suppress(TypeError, ValueError, OverflowError, IndexError, OSError):
        return _bounded(parsedate_to_datetime(text).timestamp() - time.time())
    return None


def _bounded(pause_s: float) -> float:
    if math.isnan(pause_s):
        raise ValueError("a pause that is no number")
    return min(_MAX_PAUSE_S, max(0.0, pause_s))


def _clip(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"
