"""Counting rows: what they hold, and how more is added to it."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from replication.codec import Document

# So many rows share a count, so that instances rarely meet at one.
SHARDS = 8


def shard_of(key: str) -> int:
    """Return which of the counting rows a thing counts in."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % SHARDS


def added(known: Mapping[str, Any], more: Document) -> Document:
    """Return a counting row with more counted; what of it cannot be read counts as nothing."""
    return {name: _sum(known.get(name), value) for name, value in more.items()}


def number(value: object) -> int:
    """Read a count; anything else is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def numbers(value: object) -> Counter[str]:
    """Read counts by name."""
    known = value.items() if isinstance(value, dict) else ()
    return Counter({str(name): number(count) for name, count in known})


def _sum(known: Any, more: Any) -> Any:
    match more:
        case str():
            return more
        case dict():
            total = numbers(known)
            total.update(more)
            return {name: count for name, count in sorted(total.items()) if count > 0}
        case list():
            old = [number(count) for count in known] if isinstance(known, list) else []
            padded = [*old, *[0] * (len(more) - len(old))]
            return [one + other for one, other in zip(padded, more, strict=False)]
        case float():
            return (float(known) if isinstance(known, int | float) else 0.0) + more
        case _:
            return max(0, number(known) + more)
