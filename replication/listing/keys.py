"""Names and moments as parts of a row key, so that keys sort as a list is to be read."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LATEST_MS = 10**15 - 1
_NOT_PLAIN = re.compile(r"[^a-z0-9\-._() ]")


def part(text: str) -> str:
    """Return a name as part of a row key: small letters, and nothing that a key may not hold."""
    return _NOT_PLAIN.sub(lambda found: f"~{ord(found.group()):x}~", text.lower())


def oldest_first(moment: datetime) -> str:
    """Return a text that sorts as moments do, exact to the millisecond."""
    return f"{_milliseconds(moment):015d}"


def newest_first(moment: datetime) -> str:
    """Return a text that sorts against the order of moments, exact to the millisecond."""
    return f"{_LATEST_MS - _milliseconds(moment):015d}"


def _milliseconds(moment: datetime) -> int:
    return min(max((moment - _EPOCH) // _MILLISECOND, 0), _LATEST_MS)
