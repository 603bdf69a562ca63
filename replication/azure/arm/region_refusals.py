"""Region refusals: answers that are about some of the regions asked for, and which those are.

Where a sentence names none, the caller finds the one that is meant by asking for each alone.
"""

import re
from collections.abc import Iterable
from contextlib import suppress

from replication.azure.arm.causes import cause_of
from replication.domain.errors import FailureCode
from replication.domain.regions import InvalidRegionNameError, Region, RegionRefusedError

_UNAVAILABLE = re.compile(
    r"not available|not supported in (the )?(region|location)|does not have access|"
    r"not accepting|missing (the )?(required )?feature|not registered for (the )?feature",
    re.IGNORECASE,
)
# A company's policy names its assignments, which may be called after the regions that it allows.
_BY_POLICY = re.compile(r"disallowed by policy", re.IGNORECASE)
_POLICY_CODE = "requestdisallowedbypolicy"
# Other answers are no refusals: no token, nothing there, too much at once, trouble of the service.
_REFUSALS = (400, 403, 409, 412)
# Of what holds in one region only.
_OF_ONE_REGION = frozenset(
    {
        FailureCode.ENCRYPTION_SET_MISSING,
        FailureCode.QUOTA_EXCEEDED,
        FailureCode.REGION_UNAVAILABLE,
        FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
    }
)
_NO_PROVIDER = re.compile(
    r"no registered resource provider found for location '(?P<location>[^']+)' and api version "
    r"'(?P<version>[^']+)'.*?supported api-versions are '(?P<supported>[^']*)'",
    re.IGNORECASE | re.DOTALL,
)
# What a sentence lists after its complaint: regions that would do, and names of features.
_OFFERED = re.compile(
    r"\b(available|supported|allowed|permitted|valid)\s+(regions|locations)\b[^.;]*"
    r"|\bfeature\s+\S*/\S*",
    re.IGNORECASE,
)
# "South Central US" does not name Central US, nor "East US 2" East US.
_BEFORE = r"(?<![a-z0-9])(?<!north )(?<!south )(?<!east )(?<!west )"
_AFTER = r"(?![a-z0-9])(?!\s?(?:\d|euap|stg|stage))"


def refusal_of_regions(
    status: int, code: str, said: str, message: str, asked_for: Iterable[Region]
) -> RegionRefusedError | None:
    """Return what an answer refuses of the regions asked for, None where it is about no region."""
    absent = _NO_PROVIDER.search(said)
    if absent is not None:
        return _without_provider(absent, message)
    if status not in _REFUSALS:
        return None
    if is_by_policy(code, said):
        return RegionRefusedError(message, code=FailureCode.NOT_AUTHORISED)
    cause = cause_of(code, said)
    if cause is None and _is_unavailable(code, said):
        cause = FailureCode.REGION_UNAVAILABLE
    if cause not in _OF_ONE_REGION:
        return None
    return RegionRefusedError(message, code=cause, regions=named_regions(said, asked_for))


def is_by_policy(code: str, said: str) -> bool:
    """Tell whether a policy of the company refused it, and no missing right."""
    return code.lower() == _POLICY_CODE or _BY_POLICY.search(said) is not None


def named_regions(said: str, asked_for: Iterable[Region]) -> set[Region]:
    """Return the regions that a sentence complains of, by their short or display names."""
    complaint = _OFFERED.sub("|", said).casefold()
    return {
        region
        for region in asked_for
        if re.search(rf"{_BEFORE}{r'\s?'.join(map(re.escape, region.name))}{_AFTER}", complaint)
    }


def _without_provider(absent: re.Match[str], message: str) -> RegionRefusedError | None:
    """Read a refusal of a location; None where it is the api-version that is not known."""
    supported = {version.strip() for version in absent["supported"].split(",")}
    with suppress(InvalidRegionNameError):
        if absent["version"] in supported:
            return RegionRefusedError(
                message,
                code=FailureCode.REGION_UNAVAILABLE,
                regions={Region.parse(absent["location"])},
            )
    return None


def _is_unavailable(code: str, said: str) -> bool:
    return _UNAVAILABLE.search(said) is not None or "notavailable" in code.lower()
